"""What a person said of points: "that was expected"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from dagster_agent.anomaly.detector import Series

_NEAR = timedelta(days=1)
"""A word about a moment is about the last point up to then, if it is no older than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One point that was expected: its level is ordinary from then on, beside the usual one."""

    metric: str
    """Shell pattern of metric names, letter case ignored."""
    at: datetime
    """When the point was judged, UTC."""
    said_by: str = ""
    """Who said so."""


def with_feedback(series: Series, feedback: Sequence[Feedback]) -> Series:
    """The series with the points marked that were called expected."""
    if not feedback:
        return series
    marked = expected_moments(series.metric, [point.at for point in series.history], feedback)
    return replace(series, expected=series.expected | marked)


def expected_moments(
    metric: str, moments: Sequence[datetime], feedback: Sequence[Feedback]
) -> frozenset[datetime]:
    """Which of a metric's moments were called expected."""
    name = metric.casefold()
    words = [word for word in feedback if fnmatchcase(name, word.metric.casefold())]
    near = ([at for at in moments if word.at - _NEAR <= at <= word.at] for word in words)
    return frozenset(max(found) for found in near if found)
