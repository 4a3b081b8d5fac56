"""Has a value that looks unusual been ordinary before, at such a time?

Three precedents: a point that a person called expected; a lonely unusual point at the same end of
a month; and, while the history is too short to learn a season, an ordinary point of the same
weekday (and hour). Where no point of that weekday is known yet, nobody can tell a quiet Sunday
from a broken load: such a point is not judged, and neither is a rise at the first end of a month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_agent.anomaly.calendar import DAY
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints
from dagster_agent.anomaly.seasonality import decidable

_ENDS = (1, 32)
"""First and last day of a month."""
_APART = 20 * DAY
"""Points nearer than this are of the same turn of the month."""
_WIDER = 1.5
"""A precedent is one value, as uncertain as the one it is compared with: about the square root
of 2 more room than beside a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known of some flagged points."""

    expected: Bools
    """There is a precedent that must not move the level."""
    same_time: Bools
    """A point of the same weekday was like this, and the history is short."""
    unseen: Bools
    """No point of the same weekday is known, and the history is short."""

    @property
    def excused(self) -> Bools:
        """Not to be called unusual."""
        return self.expected | self.same_time | self.unseen


class Precedents:
    """Looks for them in one panel.

    A precedent is itself far from the level of the moment that is judged: a point near the level
    says nothing about those far from it.
    """

    def __init__(self, panel: Panel, rest: Floats, effect: Floats) -> None:
        """`rest`: the points on their scale, trend and season taken off; `effect`: the season."""
        self._rest, self._effect = rest, effect
        self._expected = panel.expected if panel.expected.any() else None
        self._moments = moments = panel.moments
        self._short = not decidable(moments)
        self._time = moments.weekday * 24 + moments.hour * (moments.step <= DAY / 4)

    def of(self, rows: Ints, column: int, center: Floats, width: Floats, flagged: Bools) -> Found:
        """Precedents of the points of some series at one moment.

        Args:
            rows: The series.
            column: The moment.
            center: Their levels then, by row.
            width: How far from it is too far, by row.
            flagged: Which points so far are unusual.
        """
        expected, same_time, unseen = (np.zeros(len(rows), dtype=np.bool_) for _ in range(3))
        moments, before = self._moments, np.arange(column)
        if self._expected is not None:
            marked = self._expected[rows, :column]
            expected |= self._near(rows, before, column, center, width, but=~marked)
        if moments.month_day[column] in _ENDS:
            same = moments.month_day[:column] == moments.month_day[column]
            same &= moments.seconds[:column] < moments.seconds[column] - _APART
            places = before[same]
            stretch = flagged[np.ix_(rows, np.maximum(places - 1, 0))] & (places > 0)
            stretch |= flagged[np.ix_(rows, places + 1)]
            stretch &= flagged[np.ix_(rows, places)]  # many unusual points in a row set none
            expected |= self._near(rows, places, column, center, width, but=stretch)
            risen = self._rest[rows, column] > center  # closings add rows, they take none away
            risen &= ~flagged[rows, max(column - 1, 0)]
            unseen |= self._unknown(rows, places) & risen
        if self._short:
            places = before[self._time[:column] == self._time[column]]
            odd = flagged[np.ix_(rows, places)]
            same_time |= self._near(rows, places, column, center, width, but=odd)
            unseen |= self._unknown(rows, places)
        return Found(expected=expected, same_time=same_time, unseen=unseen)

    def _unknown(self, rows: Ints, places: Ints) -> Bools:
        return ~_any(np.isfinite(self._rest[np.ix_(rows, places)]))

    def _near(
        self,
        rows: Ints,
        places: Ints,
        column: int,
        center: Floats,
        width: Floats,
        *,
        but: Bools,
    ) -> Bools:
        """Which points are near one of the places that are far off, some left out."""
        rest = self._rest[np.ix_(rows, places)]
        far = np.abs(rest - center[:, None]) > width[:, None]
        value = self._rest[rows, column] + self._effect[rows, column]
        away = np.abs(rest + self._effect[np.ix_(rows, places)] - value[:, None])
        near = away <= _WIDER * width[:, None]
        return _any(near & far & ~but)


def _any(flags: Bools) -> Bools:
    return np.asarray(flags.any(axis=1), dtype=np.bool_)
