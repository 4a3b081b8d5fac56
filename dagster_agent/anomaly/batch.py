"""Thousands of series at once: every point judged, and what to expect of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dagster_agent.anomaly.calendar import Moments
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.course import Course
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints
from dagster_agent.anomaly.walk import glance, walk_through

_AT_ONCE = 700
"""Series looked at together: enough to hide the cost of a call, few enough for the cache."""
_WALKED_AT_ONCE = 1000
"""Series walked through together: that makes several times as many calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What is said of the points of many series, and of the moment that is still to come.

    `score`, `unusual` and `trained` are series by moment; the last column is the coming moment,
    about which only `trained` says something.
    """

    level: Floats
    """By series: expected value of the coming moment."""
    low: Floats
    """By series: smallest ordinary value then."""
    high: Floats
    """By series: largest ordinary value then."""
    score: Floats
    """Distance in spreads; 0 where there is no point."""
    unusual: Bools
    """Alone or together with the points before."""
    trained: Bools
    """There were points enough."""
    hindsight: Bools
    """By moment: whether later points had a say too (scale, season, trend and tails), so that a
    check on that day may have said something else. False for the coming moment alone."""

    def put(self, rows: slice | Ints, found: Course) -> None:
        """Say what was found of some series."""
        level, low, high = found.band(slice(-1, None))
        self.level[rows], self.low[rows], self.high[rows] = level[:, 0], low[:, 0], high[:, 0]
        self.score[rows], self.trained[rows] = found.scores(), found.trained_at()
        self.unusual[rows] = found.flagged | found.shifted


def judge_many(
    matrix: Floats, times: Sequence[datetime], config: AnomalyConfig, *, coming: datetime
) -> Verdicts:
    """Judge every point of every series, looking back from the end.

    Level and spread, by which a point is judged, are those of the ordinary points before it. The
    scale, the season, the trend and the tails are learned once, from the whole of `times`, and so
    from later points too: of a past point this may say something else than a check did on its day,
    which knew nothing later (and than `dagster-agent anomalies` says, which judges each point as
    on its day); `Verdicts.hindsight` tells which. What it says of the coming moment is what a
    check will say then.

    Args:
        matrix: Series by moment; NaN or infinite where there is no point.
        times: The moments, UTC, ascending, no two alike.
        config: Limits.
        coming: The next moment, for which the expectation is told.
    """
    moments = Moments.of(np.array([at.timestamp() for at in (*times, coming)]))
    verdicts = _blank(len(matrix), len(moments.seconds))
    doubtful: list[Ints] = []
    for start in range(0, len(matrix), _AT_ONCE):
        rows = slice(start, min(start + _AT_ONCE, len(matrix)))
        found, doubted = glance(_panel(matrix[rows], moments), config)
        if found is not None:
            verdicts.put(rows, found)
        doubtful.append(start + doubted)
    walked = np.concatenate([*doubtful, np.zeros(0, dtype=np.intp)])
    for start in range(0, len(walked), _WALKED_AT_ONCE):
        rows = walked[start : start + _WALKED_AT_ONCE]
        verdicts.put(rows, walk_through(_panel(matrix[rows], moments), config))
    return verdicts


def _blank(rows: int, columns: int) -> Verdicts:
    level, low, high = np.empty((3, rows))
    unusual, trained = np.empty((2, rows, columns), dtype=np.bool_)
    return Verdicts(
        level=level,
        low=low,
        high=high,
        score=np.empty((rows, columns)),
        unusual=unusual,
        trained=trained,
        hindsight=np.arange(columns) < columns - 1,
    )


def judge_newest(values: Floats, learned: Verdicts) -> Bools:
    """Whether the values of the moment that was still to come are unusual, each by itself.

    Short of its history, a value is judged by its band alone: precedents and shifts, which need
    the history, are left to the next `judge_many`.
    """
    outside = (values < learned.low) | (values > learned.high)
    return outside & learned.trained[:, -1]


def _panel(rows: Floats, moments: Moments) -> Panel:
    known = np.isfinite(rows)
    values = np.full((len(rows), rows.shape[1] + 1), np.nan)
    np.copyto(values[:, :-1], rows, where=known)
    nothing = np.zeros(len(rows))
    return Panel(
        values=values,
        moments=moments,
        floors=nothing,
        bounded=nothing.astype(np.bool_),
        expected=np.zeros(values.shape, dtype=np.bool_),
        ignored=rows.shape[1] - np.count_nonzero(known, axis=1),
    )
