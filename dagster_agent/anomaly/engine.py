"""Is a table's profile unusual, given its past?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dagster_agent.anomaly import detectors
from dagster_agent.anomaly.arrival import Arrival
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.correlation import consequences
from dagster_agent.anomaly.detection import (
    JudgedMetric,
    could_not_run,
    excluded,
    of_metric,
    of_table,
)
from dagster_agent.anomaly.detector import AnomalyDetector, Judgement, Series, Told
from dagster_agent.anomaly.false_discovery import discoveries
from dagster_agent.anomaly.feedback import Feedback, expected_moments, with_feedback
from dagster_agent.anomaly.metric_kind import floor_of, is_judged, is_share, mute_of
from dagster_agent.catalog import Catalog
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, MetricPoint, TableProfile
from dagster_agent.model.profile import Distribution

DETECTORS = Catalog(detectors, AnomalyDetector)
"""All detectors by id."""
LEVELS = ("robust-level", "seasonal-level", "trend")
"""The detectors of which exactly one judges each series by its band."""
_PICTURES = 5
"""Most pictures of one check."""
_SAME_TIMES = 0.8
"""Series that share this much of their moments are laid side by side."""


def detect_anomalies(
    asset: str,
    profile: TableProfile | DagsterAgentError,
    history: Callable[[str], Sequence[MetricPoint]],
    config: AnomalyConfig,
    now: datetime,
    *,
    distributions: Callable[[str], Sequence[Distribution]] | None = None,
    arrivals: Sequence[Arrival] = (),
    feedback: Sequence[Feedback] = (),
) -> list[Detection]:
    """Judge every metric of a profile by its own past.

    Args:
        asset: dbt unique id.
        profile: The numbers, or the error that kept them from being taken: that is no anomaly.
        history: Points of a metric, in any order; those from `profile.profiled_at` on are ignored,
            so it does not matter whether the profile was saved before.
        config: The asset's settings.
        now: UTC.
        distributions: Earlier distributions of a column, in any order; None: not compared.
        arrivals: Rows of days as they were counted, earlier and now; none: not judged.
        feedback: Points that people called expected.

    Returns:
        First the summary (detector `anomaly`), then one detection for the row count, for each
        unusual metric that leads and for each that is as usual again. A metric is only called
        unusual if it is among all those judged at once; the row count is judged by itself.
    """
    if isinstance(profile, DagsterAgentError):
        return [could_not_run(asset, profile, now)]
    for window in config.exclude_windows:
        if window.since <= profile.profiled_at < window.until:
            return [excluded(asset, profile, window, now)]
    series = [
        with_feedback(_series(metric, value, profile, history(metric)), feedback)
        for metric, value in profile.metrics().items()
        if is_judged(metric, config)
    ]
    compared = _compared(profile, distributions)
    found = _told(series, config, compared, arrivals, _expected(compared, feedback))
    judged = _judged(found, config, now)
    telling = [
        j
        for j in judged
        if (j.alarm and not j.follows) or j.metric == "row_count" or j.judgement.returned
    ]
    metrics = _pictured(
        [of_metric(asset, profile, j, config=config, now=now) for j in telling], history, config
    )
    summary = of_table(asset, profile, judged, config=config, now=now)
    leading = next((each for each in metrics if each.status is DetectionStatus.FAILED), None)
    return [replace(summary, plot=leading.plot) if leading else summary, *metrics]


def _pictured(
    found: Sequence[Detection],
    history: Callable[[str], Sequence[MetricPoint]],
    config: AnomalyConfig,
) -> list[Detection]:
    """With the history of those that failed, as a picture: the first few."""
    from dagster_agent.anomaly.plot import band_of, band_plot

    pictured = list(found)
    failed = [n for n, each in enumerate(found) if each.status is DetectionStatus.FAILED]
    for number in failed[:_PICTURES]:
        metric = found[number].detector.split("/", 2)[2]
        band = band_of(found[number], history(metric), config)
        if band:
            pictured[number] = replace(found[number], plot=band_plot(band))
    return pictured


def judge_point(
    point: MetricPoint, history: Sequence[MetricPoint], config: AnomalyConfig
) -> Judgement:
    """Judge one value by itself.

    Args:
        point: The value; its asset and metric do not matter.
        history: Earlier points, in any order.
        config: Limits.
    """
    series = Series(metric=point.metric, value=point.value, at=point.at, history=history)
    return judge_series([series], config)[0]


def judge_series(series: Sequence[Series], config: AnomalyConfig) -> list[Judgement]:
    """Judge the newest value of several series by itself, all at the same moment.

    Args:
        series: Each with another metric.
        config: Limits.
    """
    found = _told(series, config, {}, (), {})
    return [_strongest(found[each.metric])[1].judgement for each in series]


def _compared(
    profile: TableProfile, distributions: Callable[[str], Sequence[Distribution]] | None
) -> Mapping[str, Sequence[Distribution]]:
    """Distributions by column, oldest first, the newest the profile's own."""
    if distributions is None:
        return {}
    found: dict[str, Sequence[Distribution]] = {}
    for now in profile.distributions:
        past = [d for d in distributions(now.column) if d.at < now.at and d.kind == now.kind]
        found[now.column] = [*sorted(past, key=lambda d: d.at), now]
    return found


def _expected(
    compared: Mapping[str, Sequence[Distribution]], feedback: Sequence[Feedback]
) -> Mapping[str, frozenset[datetime]]:
    """Moments of distributions that people called expected, by metric. Where new labels are, so is
    the mix that they make."""
    expected: dict[str, frozenset[datetime]] = {}
    for column, found in compared.items():
        moments = [each.at for each in found[:-1]]
        mix, labels = (
            expected_moments(metric, moments, feedback)
            for metric in (f"distribution.{column}", f"categories.{column}")
        )
        expected |= {f"categories.{column}": labels, f"distribution.{column}": mix | labels}
    return expected


def _told(
    series: Sequence[Series],
    config: AnomalyConfig,
    distributions: Mapping[str, Sequence[Distribution]],
    arrivals: Sequence[Arrival],
    expected: Mapping[str, frozenset[datetime]],
) -> Mapping[str, Sequence[tuple[str, Told]]]:
    """What the detectors say, by metric, with their ids."""
    from dagster_agent.anomaly.study import Study

    found: dict[str, list[tuple[str, Told]]] = {}
    for number, group in enumerate(_groups(series)):
        study = Study.of(
            group,
            config,
            distributions=distributions if not number else None,
            expected=expected,
            arrivals=arrivals if not number else (),
        )
        for detector in DETECTORS:
            for told in detector.judge(study):
                found.setdefault(told.metric, []).append((detector.id, told))
    return found


def _groups(series: Sequence[Series]) -> Iterator[Sequence[Series]]:
    """Series with about the same moments together: one axis must not distort another's steps."""
    groups: list[tuple[set[datetime], list[Series]]] = []
    latest: Sequence[datetime] | None = None
    group: list[Series] = []
    for each in series:
        listed = [point.at for point in each.history]
        if listed != latest:  # most metrics of a table were measured together
            latest, group = listed, _group_of(set(listed), groups)
        group.append(each)
    yield from (members for _, members in groups)


def _group_of(
    moments: set[datetime], groups: list[tuple[set[datetime], list[Series]]]
) -> list[Series]:
    """The first with about these moments, else a new one."""
    for axis, members in groups:
        if len(axis & moments) >= _SAME_TIMES * max(len(axis), len(moments)):
            axis |= moments
            return members
    groups.append((moments, []))
    return groups[-1][1]


def _strongest(found: Sequence[tuple[str, Told]]) -> tuple[str, Told]:
    """The one to tell: an alarm of the band, then the least probable alarm, then the band."""

    def rank(entry: tuple[str, Told]) -> tuple[bool, bool, bool, float]:
        detector, told = entry
        judgement = told.judgement
        unusual = judgement.trained and judgement.unusual
        by_band = detector in LEVELS
        return not unusual, not judgement.trained, not by_band, judgement.probability

    return min(found, key=rank)


def _judged(
    found: Mapping[str, Sequence[tuple[str, Told]]], config: AnomalyConfig, now: datetime
) -> list[JudgedMetric]:
    """Row count first, then alarms, the furthest first, then the others by name."""
    told = [_strongest(entries) for entries in found.values()]
    real = _discovered(found, config)
    mutes = [mute for mute in config.mutes if mute.until > now]
    alarms = [
        each
        for _, each in told
        if each.judgement.trained
        and each.judgement.unusual
        and (each.metric == "row_count" or each.metric in real)
    ]
    loud = [each for each in alarms if not mute_of(each.metric, mutes)]
    follows = consequences(loud)
    judged = [
        JudgedMetric(
            detector=detector,
            metric=each.metric,
            value=each.value,
            judgement=each.judgement,
            alarm=each in loud,
            follows=follows.get(each.metric, ""),
            mute=mute_of(each.metric, mutes) if each in alarms else None,
        )
        for detector, each in told
    ]
    return sorted(judged, key=_order)


def _order(judged: JudgedMetric) -> tuple[bool, bool, bool, float, str]:
    distance = -abs(judged.judgement.score) if judged.alarm else 0.0
    return (
        judged.metric != "row_count",
        not judged.alarm,
        bool(judged.follows),
        distance,
        judged.metric,
    )


def _discovered(
    found: Mapping[str, Sequence[tuple[str, Told]]], config: AnomalyConfig
) -> frozenset[str]:
    """Metrics that are unusual also among all; several detectors about one share its chance."""
    metrics = sorted(found)
    chances: list[float] = []
    for metric in metrics:
        trained = [t.judgement.probability for _, t in found[metric] if t.judgement.trained]
        chances.append(min(1.0, min(trained) * len(trained)) if trained else 1.0)
    real = discoveries(chances, config.false_discovery_share)
    return frozenset(metric for metric, is_real in zip(metrics, real, strict=True) if is_real)


def _series(
    metric: str, value: float, profile: TableProfile, history: Sequence[MetricPoint]
) -> Series:
    return Series(
        metric=metric,
        value=value,
        at=profile.profiled_at,
        history=history,
        floor=floor_of(metric, value, profile, history),
        bounded=is_share(metric),
    )
