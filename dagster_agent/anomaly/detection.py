"""What the anomaly checks say: headlines, numbers, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.anomaly.config import AnomalyConfig, ExcludedWindow, Mute
from dagster_agent.anomaly.detector import Judgement
from dagster_agent.anomaly.metric_kind import is_share, told
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
    TableProfile,
)

ENGINE = "anomaly"
"""Detector name of the summary; those of metrics are `anomaly/<detector>/<metric>`."""
_ROWS_TOLD = 20
_FOLLOWING_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedMetric:
    """One metric with what a detector says about it."""

    detector: str
    """Id of the detector."""
    metric: str
    """As named by `TableProfile.metrics`."""
    value: float
    """The value now."""
    judgement: Judgement
    """About the metric by itself."""
    alarm: bool
    """Unusual also among all metrics of the table, and not muted."""
    follows: str = ""
    """The alarming metric that this one moves with; empty for one that leads."""
    mute: Mute | None = None
    """What keeps an alarm from being one."""

    @property
    def status(self) -> DetectionStatus:
        """Failed, passed or untrained; what is muted is not green either."""
        if not self.judgement.trained or self.mute:
            return DetectionStatus.UNTRAINED
        return DetectionStatus.FAILED if self.alarm else DetectionStatus.PASSED

    @property
    def severity(self) -> Severity:
        """Missing rows mislead people at once; other metrics may have a reason."""
        fell = self.metric == "row_count" and self.value < self.judgement.level
        return Severity.ERROR if fell else Severity.WARN


def could_not_run(asset: str, problem: DagsterAgentError, now: datetime) -> Detection:
    """The table could not be profiled; says nothing about its numbers."""
    return Detection(
        detector=ENGINE,
        asset=asset,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"{asset} could not be profiled: {problem.message}",
        observed_at=now,
        hint=problem.hint,
    )


def excluded(asset: str, profile: TableProfile, window: ExcludedWindow, now: datetime) -> Detection:
    """The table is in a state that is known to be odd: measured, not judged."""
    return Detection(
        detector=ENGINE,
        asset=asset,
        status=DetectionStatus.UNTRAINED,
        headline=f"{profile.relation.name}: not judged until {_moment(window.until)}: "
        f"{window.reason}",
        observed_at=now,
        metrics={"row_count": float(profile.row_count)},
    )


def of_metric(
    asset: str, profile: TableProfile, judged: JudgedMetric, *, config: AnomalyConfig, now: datetime
) -> Detection:
    """The verdict on one metric."""
    judgement = judged.judgement
    metrics = {judged.metric: judged.value}
    if judgement.trained:
        metrics |= {
            "usual_low": judgement.low,
            "usual_high": judgement.high,
            "score": judgement.score,
        }
    return Detection(
        detector=f"{ENGINE}/{judged.detector}/{judged.metric}",
        asset=asset,
        status=judged.status,
        headline=f"{profile.relation.name}: {_sentence(judged, config)}",
        observed_at=now,
        severity=judged.severity,
        metrics=metrics,
        evidence=(Evidence(kind="profile", statement=_basis(judged)),),
        hint=_hint(judged),
    )


def of_table(
    asset: str,
    profile: TableProfile,
    judged: Sequence[JudgedMetric],
    *,
    config: AnomalyConfig,
    now: datetime,
) -> Detection:
    """The summary of all metrics.

    Args:
        asset: dbt unique id.
        profile: The numbers.
        judged: Row count first, then alarms by distance, then the others.
        config: The asset's settings.
        now: UTC.
    """
    alarms = [j for j in judged if j.alarm]
    trained = [j for j in judged if j.judgement.trained]
    told_of = alarms or judged[:1]
    leading = told_of[0]
    sentence = f"{_sentence(leading, config)}; {_counts(judged, config)}"
    return Detection(
        detector=ENGINE,
        asset=asset,
        status=leading.status,
        headline=f"{profile.relation.name}: {sentence}",
        observed_at=now,
        severity=max((j.severity for j in alarms), key=list(Severity).index, default=Severity.WARN),
        metrics={
            "row_count": float(profile.row_count),
            "metrics_unusual": float(len(alarms)),
            "metrics_trained": float(len(trained)),
            "metrics_untrained": float(len(judged) - len(trained)),
            **{j.metric: j.value for j in alarms},
        },
        sample=_table(told_of),
        evidence=tuple(
            Evidence(kind="profile", statement=f"{_sentence(j, config)}; {_basis(j)}")
            for j in told_of[:_ROWS_TOLD]
        ),
        hint=_hint(leading),
    )


def _counts(judged: Sequence[JudgedMetric], config: AnomalyConfig) -> str:
    alarms = [j for j in judged if j.alarm]
    trained = sum(j.judgement.trained for j in judged)
    words = [f"{trained} metrics as usual"] * bool(trained)
    if alarms:
        words = [f"{len(alarms)} of {trained} metrics unusual"]
        following = [j.metric for j in alarms if j.follows == alarms[0].metric]
        told_of = ", ".join(following[:_FOLLOWING_TOLD])
        more = f" and {len(following) - _FOLLOWING_TOLD} more"
        told_of += more * (len(following) > _FOLLOWING_TOLD)
        words += [f"with it moved {told_of}"] * bool(following)
    elif trained < len(judged):
        words += [
            _untrained([j.judgement for j in judged if not j.judgement.trained], trained, config)
        ]
    muted = sum(j.mute is not None for j in judged)
    return ", ".join(words + [f"{muted} muted"] * bool(muted))


def _untrained(untrained: Sequence[Judgement], trained: int, config: AnomalyConfig) -> str:
    from dagster_agent.anomaly.limits import settled

    who = f"{len(untrained)} {'others' if trained else 'metrics'} untrained"
    latest = settled(config.false_alarm_share, config.threshold, config.training_points)
    points = max(j.points for j in untrained)
    return f"{who} until {latest} daily points ({points} so far)" if points < latest else who


def _sentence(judged: JudgedMetric, config: AnomalyConfig) -> str:
    judgement, metric, value = judged.judgement, judged.metric, judged.value
    now = f"{metric} is {told(metric, value)}"
    if not judgement.trained:
        return f"{now}, untrained: {judgement.reason or _missing(judgement, config)}"
    usual = f"usual {told(metric, _shown_low(judged))} to {told(metric, judgement.high)}"
    usual += f", {judgement.basis}" * bool(judgement.basis)
    if judged.mute:
        muted = f"muted until {_moment(judged.mute.until)}{_why(judged.mute)}"
        return f"{now} ({usual}), unusual but {muted}"
    if judged.alarm and judgement.unusual_since:
        since = f"unusual since {_moment(judgement.unusual_since)}"
        if judgement.low <= value <= judgement.high:
            return f"{now} ({usual}), {since}: {judgement.reason}"
        verb = "rose" if value > judgement.level else "fell"
        share = "" if is_share(metric) else _change(value, judgement.level)
        reason = f": {judgement.reason}" * bool(judgement.reason)
        return f"{metric} {verb}{share} to {told(metric, value)} ({usual}), {since}{reason}"
    again = ", as usual again" * judgement.returned
    return f"{now} ({usual}){again}" + f": {judgement.reason}" * bool(judgement.reason)


def _shown_low(judged: JudgedMetric) -> float:
    """A count cannot be below nothing, whatever the band says."""
    return max(judged.judgement.low, 0.0) if judged.metric == "row_count" else judged.judgement.low


def _why(mute: Mute) -> str:
    return f" ({mute.reason})" * bool(mute.reason)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _missing(judgement: Judgement, config: AnomalyConfig) -> str:
    points, days = judgement.points, judgement.days
    have = f"{points} point{'s' * (points != 1)} of {days} day{'s' * (days != 1)}"
    if judgement.points < judgement.points_needed:
        wanted = f"{config.visible_change_share:.0%}"
        return f"{have}, needs {judgement.points_needed} to see a change of {wanted}"
    return f"{have}, needs 2 days at least"


def _basis(judged: JudgedMetric) -> str:
    """On what the verdict rests, and what it cannot see."""
    judgement = judged.judgement
    if not judgement.trained:
        return f"{judgement.points} earlier points{_ignored(judgement)}"
    seen = told(judged.metric, judgement.visible)
    if judgement.level and not is_share(judged.metric):
        seen = f"{judgement.visible / abs(judgement.level):.1%}"
    aside = f", {judgement.set_aside} unusual ones set aside" if judgement.set_aside else ""
    left_out = aside + _ignored(judgement)
    return (
        f"judged by {judgement.points} points of {judgement.days} days{left_out}; sees a change of "
        f"{seen} or more four times in five, untrained below {judgement.points_needed} points"
    )


def _ignored(judgement: Judgement) -> str:
    if not judgement.ignored:
        return ""
    return f", {judgement.ignored} that are no finite number left out"


def _hint(judged: JudgedMetric) -> str:
    since = judged.judgement.unusual_since
    if not (judged.alarm and since):
        return ""
    return (
        f"look for what changed before {_moment(since)}; if this is the new normal, set "
        f"`since: {since.isoformat()}` in the asset's anomaly settings"
    )


def _change(value: float, level: float) -> str:
    return f" by {abs(value - level) / abs(level):.1%}" if level else ""


def _short(value: float) -> float:
    """To six digits, so that the table fits its page; the numbers themselves are plotted."""
    return float(f"{value:.6g}")


def _table(judged: Sequence[JudgedMetric]) -> ResultTable:
    rows = tuple(
        (
            j.metric,
            _short(j.value),
            _short(j.judgement.level) if j.judgement.points else None,
            _short(j.judgement.low) if j.judgement.trained else None,
            _short(j.judgement.high) if j.judgement.trained else None,
            _short(j.judgement.score) if j.judgement.trained else None,
            j.judgement.unusual_since,
            j.follows or None,
        )
        for j in judged
    )
    return ResultTable(
        columns=(
            *("metric", "value", "usual", "usual_low", "usual_high", "score"),
            *("unusual_since", "moves_with"),
        ),
        rows=rows[:_ROWS_TOLD],
        truncated=len(rows) > _ROWS_TOLD,
    )
