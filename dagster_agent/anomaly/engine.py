"""Is a table's profile unusual, given its past?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from dagster_agent.anomaly import detectors
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detection import JudgedMetric, could_not_run, of_metric, of_table
from dagster_agent.anomaly.detector import AnomalyDetector, Judgement, Series
from dagster_agent.anomaly.false_discovery import discoveries
from dagster_agent.catalog import Catalog
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, MetricPoint, TableProfile

DETECTORS = Catalog(detectors, AnomalyDetector)
"""All detectors by id."""
_SHARE_FLOOR = 0.01
"""Spread of a null share below which nothing matters."""


def detect_anomalies(
    asset: str,
    profile: TableProfile | DagsterAgentError,
    history: Callable[[str], Sequence[MetricPoint]],
    config: AnomalyConfig,
    now: datetime,
) -> list[Detection]:
    """Judge every metric of a profile by its own past.

    Args:
        asset: dbt unique id.
        profile: The numbers, or the error that kept them from being taken: that is no anomaly.
        history: Points of a metric, oldest first; those from `profile.profiled_at` on are ignored,
            so it does not matter whether the profile was saved before.
        config: The asset's settings.
        now: UTC.

    Returns:
        First the summary (detector `anomaly`), then one detection for the row count, for each
        unusual metric and for each that is as usual again. A metric is only called unusual if it
        is among all those judged at once.
    """
    if isinstance(profile, DagsterAgentError):
        return [could_not_run(asset, profile, now)]
    judged = _judge(profile, history, config)
    table = profile.relation.name
    telling = [j for j in judged if j.alarm or j.metric == "row_count" or j.judgement.returned]
    return [
        of_table(asset, profile, judged, config=config, now=now),
        *(of_metric(asset, table, j, config=config, now=now) for j in telling),
    ]


def judge_point(
    point: MetricPoint, history: Sequence[MetricPoint], config: AnomalyConfig
) -> Judgement:
    """Judge one value by itself: what the detector says that finds it furthest out.

    Args:
        point: The value; its asset and metric do not matter.
        history: Earlier points, oldest first.
        config: Limits.
    """
    series = Series(metric=point.metric, value=point.value, at=point.at, history=history)
    judged = [detector.judge(series, config) for detector in DETECTORS]
    return max(judged, key=lambda j: (j.trained and j.unusual, j.trained, abs(j.score)))


def _judge(
    profile: TableProfile,
    history: Callable[[str], Sequence[MetricPoint]],
    config: AnomalyConfig,
) -> list[JudgedMetric]:
    """Row count first, then alarms, the furthest first, then the others by name."""
    ignored = [pattern.casefold() for pattern in config.ignore_metrics]
    found = [
        (detector.id, series, detector.judge(series, config))
        for metric, value in profile.metrics().items()
        if metric == "row_count" or not any(fnmatchcase(metric.casefold(), p) for p in ignored)
        for series in [_series(metric, value, profile, history)]
        for detector in DETECTORS
    ]
    chance = discoveries(
        [judgement.probability if judgement.trained else 1.0 for _, _, judgement in found],
        config.false_discovery_share,
    )
    judged = [
        JudgedMetric(
            detector=detector,
            metric=series.metric,
            value=series.value,
            judgement=judgement,
            alarm=judgement.unusual and real,
        )
        for (detector, series, judgement), real in zip(found, chance, strict=True)
    ]
    return sorted(
        judged,
        key=lambda j: (
            j.metric != "row_count",
            not j.alarm,
            -abs(j.judgement.score) if j.alarm else 0.0,
            j.metric,
        ),
    )


def _series(
    metric: str,
    value: float,
    profile: TableProfile,
    history: Callable[[str], Sequence[MetricPoint]],
) -> Series:
    floor = 0.0
    if metric == "row_count":
        floor = 1.0
    elif metric.startswith("null_share."):
        floor = max(_SHARE_FLOOR, 1 / profile.row_count)
    return Series(
        metric=metric, value=value, at=profile.profiled_at, history=history(metric), floor=floor
    )
