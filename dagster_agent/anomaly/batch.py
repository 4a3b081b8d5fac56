"""Thousands of series at once: every point judged, and what to expect of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dagster_agent.anomaly.calendar import Moments
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats
from dagster_agent.anomaly.walk import learn_bands

_AT_ONCE = 1000
"""Series at once: enough to hide the cost of a call, few enough for the memory of a laptop."""


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
    found = [
        learn_bands(_panel(matrix[start : start + _AT_ONCE], moments), config)
        for start in range(0, len(matrix), _AT_ONCE)
    ]
    return Verdicts(
        level=np.concatenate([bands.level for bands in found]),
        low=np.concatenate([bands.low for bands in found]),
        high=np.concatenate([bands.high for bands in found]),
        score=np.concatenate([bands.score for bands in found]),
        unusual=np.concatenate([bands.flagged | bands.shifted for bands in found]),
        trained=np.concatenate([bands.trained for bands in found]),
    )


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
