"""Thousands of series at once: every point judged, and what to expect of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.calendar import Moments
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints
from dagster_agent.anomaly.walk import glance, walk_through

_AT_ONCE = 500
"""Series looked at together: enough to hide the cost of a call, few enough for the cache."""
_WALKED_AT_ONCE = 1000
"""Series walked through together: that makes several times as many calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Arrays of series by moment; the last column is the moment that is still to come."""

    level: Floats
    """Expected value."""
    low: Floats
    """Smallest ordinary value."""
    high: Floats
    """Largest ordinary value."""
    score: Floats
    """Distance in spreads; 0 where there is no point."""
    unusual: Bools
    """Alone or together with the points before."""
    trained: Bools
    """There were points enough."""

    def put(self, rows: slice | Ints, bands: Bands) -> None:
        """Say what was found of some series."""
        self.level[rows], self.low[rows], self.high[rows] = bands.level, bands.low, bands.high
        self.score[rows], self.trained[rows] = bands.score, bands.trained
        self.unusual[rows] = bands.flagged | bands.shifted


def judge_many(
    matrix: Floats, times: Sequence[datetime], config: AnomalyConfig, *, coming: datetime
) -> Verdicts:
    """Judge every point of every series by the points before it.

    Args:
        matrix: Series by moment; NaN or infinite where there is no point.
        times: The moments, UTC, ascending, no two alike.
        config: Limits.
        coming: The next moment, for which the expectation is told as well.
    """
    moments = Moments.of(np.array([at.timestamp() for at in (*times, coming)]))
    verdicts = _blank(len(matrix), len(moments.seconds))
    doubtful: list[Ints] = []
    for start in range(0, len(matrix), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(matrix)))
        bands, doubted = glance(_panel(matrix[rows], moments), config)
        if bands is not None:
            verdicts.put(slice(start, start + len(rows)), bands)
        doubtful.append(rows[doubted])
    walked = np.concatenate([*doubtful, np.zeros(0, dtype=np.intp)])
    for start in range(0, len(walked), _WALKED_AT_ONCE):
        rows = walked[start : start + _WALKED_AT_ONCE]
        verdicts.put(rows, walk_through(_panel(matrix[rows], moments), config))
    return verdicts


def _blank(rows: int, columns: int) -> Verdicts:
    level, low, high, score = (np.empty((rows, columns)) for _ in range(4))
    unusual, trained = (np.empty((rows, columns), dtype=np.bool_) for _ in range(2))
    return Verdicts(level=level, low=low, high=high, score=score, unusual=unusual, trained=trained)


def judge_newest(values: Floats, learned: Verdicts) -> Bools:
    """Whether the values of the moment that was still to come are unusual, each by itself.

    Short of its history, a value is judged by its band alone: precedents and shifts, which need
    the history, are left to the next `judge_many`.
    """
    outside = (values < learned.low[:, -1]) | (values > learned.high[:, -1])
    return outside & learned.trained[:, -1]


def _panel(rows: Floats, moments: Moments) -> Panel:
    values = np.full((len(rows), rows.shape[1] + 1), np.nan)
    np.copyto(values[:, :-1], rows, where=np.isfinite(rows))
    nothing = np.zeros(len(rows))
    return Panel(
        values=values,
        moments=moments,
        floors=nothing,
        bounded=nothing.astype(np.bool_),
        expected=np.zeros(values.shape, dtype=np.bool_),
        ignored=(~np.isfinite(rows)).sum(axis=1),
    )
