"""Learned thresholds: is a difference what it used to be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from dagster_agent.model import Detection, DetectionStatus, MetricPoint, Severity
from dagster_agent.reconciliation.comparison import History

MIN_POINTS = 7
"""Earlier runs that a usual difference can be told from."""
_KEPT = 60
"""Newest points that are looked at."""
_WIDTH = 4 * 1.4826
"""Median absolute deviations in four standard deviations of normal noise (Rousseeuw and Croux,
1993)."""
_FLOOR = 0.1
"""Share of the usual difference that is noise even where it never moved."""
_JUDGED = (
    *("rows_missing", "rows_extra", "keys_missing", "keys_extra", "keys_changed"),
    *("keys_duplicated", "keys_null", "sum_difference", "missing_difference"),
    *("metric_groups_differing", "metric_difference"),
)
"""Metrics that measure a difference, without the pair's suffix."""


def judged_by_history(detection: Detection, history: History | None) -> Detection:
    """A result of a pair whose tolerance is learned, judged by its own earlier differences.

    A difference may be as large as the median of the last runs plus four robust standard
    deviations, and smaller always. Below seven points nothing can be told: untrained. That one
    side is empty, and what could not run, stay what they are.
    """
    wanted = {n: v for n, v in detection.metrics.items() if n.split(".")[0] in _JUDGED}
    settled = (DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED)
    if detection.status in settled or not wanted or _one_side_empty(detection):
        return detection
    known = {name: list((history or _nothing)(name))[-_KEPT:] for name in wanted}
    fewest = min(len(points) for points in known.values())
    if fewest < MIN_POINTS:
        missing = MIN_POINTS - fewest
        told = f"{missing} more run{'s' if missing > 1 else ''} until the usual difference is known"
        return replace(
            detection,
            status=DetectionStatus.UNTRAINED,
            severity=Severity.INFO,
            headline=f"{detection.headline}: {told}",
        )
    bands = {name: _band(points) for name, points in known.items()}
    beyond = [name for name, value in wanted.items() if abs(value) > bands[name][1]]
    if not beyond:
        usual = ", ".join(f"{name} up to {bands[name][1]:,.4g}" for name in wanted)
        return replace(
            detection,
            status=DetectionStatus.PASSED,
            severity=Severity.INFO,
            headline=f"{detection.headline}: as usual ({usual})",
        )
    name = beyond[0]
    level, limit = bands[name]
    told = f"{name} is {abs(wanted[name]):,.4g}, usually {level:,.4g} and at most {limit:,.4g}"
    return replace(
        detection,
        status=DetectionStatus.FAILED,
        severity=Severity.ERROR,
        headline=f"{detection.headline}; {told}",
    )


def _band(points: Sequence[MetricPoint]) -> tuple[float, float]:
    """The usual size of a difference and the largest that is still usual."""
    sizes = [abs(point.value) for point in points]
    level = median(sizes)
    spread = median(abs(size - level) for size in sizes)
    return level, level + max(_WIDTH * spread, _FLOOR * level)


def _one_side_empty(detection: Detection) -> bool:
    sizes = {n.split(".")[0]: v for n, v in detection.metrics.items()}
    ours, theirs = sizes.get("rows_target"), sizes.get("rows_source")
    return ours is not None and theirs is not None and (ours > 0) != (theirs > 0)


def _nothing(_: str) -> Sequence[MetricPoint]:
    return ()
