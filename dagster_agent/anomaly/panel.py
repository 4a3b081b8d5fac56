"""Many series on one axis of time, ready to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite

import numpy as np

from dagster_agent.anomaly.calendar import Moments
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Series
from dagster_agent.anomaly.robust import Bools, Floats, Ints

_LEAST = timedelta(weeks=5)
"""Points as new as this are looked at in any case: hours of the week need some weeks."""
_MOST = 1000
"""Points that are looked at even so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Series by moment. The newest column is the one that is judged."""

    values: Floats
    """NaN where a series has no point."""
    moments: Moments
    """The columns."""
    floors: Floats
    """Smallest spread of each series that means anything, in its own unit."""
    bounded: Bools
    """Series of shares: 0 to 1, and their spread is never a share of the level."""
    expected: Bools
    """Points that a person called expected."""
    ignored: Ints
    """Points of each series that were left out because they are no finite number."""

    def of(self, rows: Ints) -> Panel:
        """Some of the series."""
        return replace(
            self,
            values=self.values[rows],
            floors=self.floors[rows],
            bounded=self.bounded[rows],
            expected=self.expected[rows],
            ignored=self.ignored[rows],
        )


def panel_of(series: Sequence[Series], config: AnomalyConfig) -> Panel:
    """Lay series that are judged at the same moment side by side.

    Points may come in any order; of two at the same moment the later in the list counts. Points
    that are not finite, not before the judged moment, before `since` or in an excluded window are
    left out, and so are values that repeat within a day: running a check twice teaches nothing.
    """
    at = series[0].at
    kept = [_kept(each, config) for each in series]
    axis = sorted({moment for points, _ in kept for moment in points})
    within = sum(moment >= at - _LEAST for moment in axis)
    axis = [*axis[-max(config.history_points, min(within, _MOST)) :], at]
    place = {moment: column for column, moment in enumerate(axis)}
    values = np.full((len(series), len(axis)), np.nan)
    expected = np.zeros(values.shape, dtype=np.bool_)
    for row, (each, (points, _)) in enumerate(zip(series, kept, strict=True)):
        for moment, value in points.items():
            if moment in place:
                values[row, place[moment]] = value
                expected[row, place[moment]] = moment in each.expected
        values[row, -1] = each.value
    return Panel(
        values=values,
        moments=Moments.of(np.array([moment.timestamp() for moment in axis])),
        floors=np.array([each.floor for each in series], dtype=np.float64),
        bounded=np.array([each.bounded for each in series], dtype=np.bool_),
        expected=expected,
        ignored=np.array([ignored for _, ignored in kept], dtype=np.intp),
    )


def _kept(series: Series, config: AnomalyConfig) -> tuple[Mapping[datetime, float], int]:
    ignored = 0
    usable: dict[datetime, float] = {}
    for point in series.history:
        if point.at >= series.at or (config.since and point.at < config.since):
            continue
        if any(window.since <= point.at < window.until for window in config.exclude_windows):
            continue
        if isfinite(point.value):
            usable[point.at] = point.value
        else:
            ignored += 1
    kept: dict[datetime, float] = {}
    before: tuple[object, float] | None = None
    for moment in sorted(usable):
        this = moment.date(), usable[moment]
        if this != before:
            kept[moment] = usable[moment]
        before = this
    return kept, ignored
