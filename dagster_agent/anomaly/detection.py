"""What the anomaly checks say: headlines, numbers, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Judgement
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
    """Unusual also among all metrics of the table."""

    @property
    def status(self) -> DetectionStatus:
        """Failed, passed or untrained."""
        if not self.judgement.trained:
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


def of_metric(
    asset: str, table: str, judged: JudgedMetric, *, config: AnomalyConfig, now: datetime
) -> Detection:
    """The verdict on one metric."""
    judgement = judged.judgement
    metrics = {judged.metric: judged.value}
    if judgement.trained:
        low, high = judgement.level - judgement.limit, judgement.level + judgement.limit
        metrics |= {"usual_low": low, "usual_high": high, "score": judgement.score}
    return Detection(
        detector=f"{ENGINE}/{judged.detector}/{judged.metric}",
        asset=asset,
        status=judged.status,
        headline=f"{table}: {_sentence(judged, config)}",
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
    leading = (alarms or judged)[0]
    counts = f"{len(alarms)} of {len(trained)} metrics unusual"
    if not alarms:
        untrained = len(judged) - len(trained)
        counts = f"{len(trained)} metrics as usual" + f", {untrained} untrained" * bool(untrained)
    return Detection(
        detector=ENGINE,
        asset=asset,
        status=leading.status,
        headline=f"{profile.relation.name}: {_sentence(leading, config)}; {counts}",
        observed_at=now,
        severity=max((j.severity for j in alarms), key=list(Severity).index, default=Severity.WARN),
        metrics={
            "row_count": float(profile.row_count),
            "metrics_unusual": float(len(alarms)),
            "metrics_trained": float(len(trained)),
            "metrics_untrained": float(len(judged) - len(trained)),
            **{j.metric: j.value for j in alarms},
        },
        sample=_table(alarms or judged[:1]),
        evidence=tuple(
            Evidence(kind="profile", statement=f"{_sentence(j, config)}; {_basis(j)}")
            for j in (alarms or judged[:1])[:_ROWS_TOLD]
        ),
        hint=_hint(leading),
    )


def _sentence(judged: JudgedMetric, config: AnomalyConfig) -> str:
    judgement, metric, value = judged.judgement, judged.metric, judged.value
    now = f"{metric} is {told(metric, value)}"
    if not judgement.trained:
        return f"{now}, untrained: {_missing(judgement, config)}"
    low, high = judgement.level - judgement.limit, judgement.level + judgement.limit
    if metric == "row_count" or metric.startswith("null_share."):
        low = max(low, 0.0)
    usual = f"usual {told(metric, low)} to {told(metric, high)}"
    if judged.alarm and judgement.unusual_since:
        verb = "rose" if value > judgement.level else "fell"
        share = "" if metric.startswith("null_share.") else _change(value, judgement.level)
        since = f"{judgement.unusual_since:%Y-%m-%d %H:%M} UTC"
        return f"{metric} {verb}{share} to {told(metric, value)} ({usual}), unusual since {since}"
    return f"{now} ({usual}){', as usual again' if judgement.returned else ''}"


def _missing(judgement: Judgement, config: AnomalyConfig) -> str:
    have = f"{judgement.points} points of {judgement.days} different days"
    if judgement.points < judgement.points_needed:
        wanted = f"{config.visible_change_share:.0%}"
        return f"{have}, needs {judgement.points_needed} to see a change of {wanted}"
    return f"{have}, needs 2 days at least"


def _basis(judged: JudgedMetric) -> str:
    """On what the verdict rests, and what it cannot see."""
    judgement = judged.judgement
    if not judgement.trained:
        return f"{judgement.points} earlier points"
    seen = told(judged.metric, judgement.visible)
    if judgement.level and not judged.metric.startswith("null_share."):
        seen = f"{judgement.visible / abs(judgement.level):.1%}"
    aside = f", {judgement.set_aside} unusual ones set aside" if judgement.set_aside else ""
    return (
        f"judged by {judgement.points} points of {judgement.days} days{aside}; "
        f"sees a change of {seen} or more four times in five"
    )


def _hint(judged: JudgedMetric) -> str:
    since = judged.judgement.unusual_since
    if not (judged.alarm and since):
        return ""
    return (
        f"look for what changed before {since:%Y-%m-%d %H:%M} UTC; if this is the new normal, set "
        f"`since: {since.isoformat()}` in the asset's anomaly settings"
    )


def _change(value: float, level: float) -> str:
    return f" by {abs(value - level) / abs(level):.1%}" if level else ""


def told(metric: str, value: float) -> str:
    """The number as a person reads it."""
    if metric.startswith("null_share."):
        return f"{value:.1%}"
    if metric == "row_count":
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"


def _table(judged: Sequence[JudgedMetric]) -> ResultTable:
    rows = tuple(
        (
            j.metric,
            j.value,
            j.judgement.level if j.judgement.points else None,
            j.judgement.limit if j.judgement.trained else None,
            j.judgement.score if j.judgement.trained else None,
            j.judgement.unusual_since,
        )
        for j in judged
    )
    return ResultTable(
        columns=("metric", "value", "usual", "give_or_take", "score", "unusual_since"),
        rows=rows[:_ROWS_TOLD],
        truncated=len(rows) > _ROWS_TOLD,
    )
