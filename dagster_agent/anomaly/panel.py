"""Many series on one axis of time, ready to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from dagster_agent.anomaly.axis import Axis, Points
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
    kept = list(_kept_of(series, config))
    seconds = _newest(kept, at, config)
    values = np.full((len(series), len(seconds)), np.nan)
    expected = np.zeros(values.shape, dtype=np.bool_)
    for row, (each, points) in enumerate(zip(series, kept, strict=True)):
        place = np.searchsorted(seconds, points.seconds)
        known = seconds[place] == points.seconds
        values[row, place[known]] = points.values[known]
        values[row, -1] = each.value
        if each.expected:
            said = [moment.timestamp() for moment in each.expected]
            expected[row, place[known]] = np.isin(points.seconds[known], said)
    return Panel(
        values=values,
        moments=Moments.of(seconds),
        floors=np.array([each.floor for each in series], dtype=np.float64),
        bounded=np.array([each.bounded for each in series], dtype=np.bool_),
        expected=expected,
        ignored=np.array([points.ignored for points in kept], dtype=np.intp),
    )


def _newest(kept: Sequence[Points], at: datetime, config: AnomalyConfig) -> Floats:
    """The columns: all moments, or the newest of many, and the judged one."""
    distinct = {id(points.seconds): points.seconds for points in kept}
    seconds = np.unique(np.concatenate(list(distinct.values())))
    within = int((seconds >= (at - _LEAST).timestamp()).sum())
    seconds = seconds[-max(config.history_points, min(within, _MOST)) :]
    return np.append(seconds, at.timestamp())


def _kept_of(series: Sequence[Series], config: AnomalyConfig) -> Iterator[Points]:
    """The metrics of one table were measured together: their moments are looked at once."""
    axis: Axis | None = None
    for each in series:
        moments = [point.at for point in each.history]
        if axis is None or axis.moments != moments:
            axis = Axis.of(moments, each.at, config)
        yield axis.points([point.value for point in each.history])
