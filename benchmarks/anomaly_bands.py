"""How wide the bands of clean series are, and how often they are left by chance.

The lines are the same in every run: all seeds are fixed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks import planted_faults as planted
from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.calendar import Moments
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.walk import learn_bands

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
PLANTED = max(20, int(200 * SCALE))
"""Series of each kind and fault; of clean ones twenty times as many."""
DRAWS = 10
"""Next days of each clean series, so that rare alarms are counted well enough."""
SEED = 20_261_121
"""Of the series that are reported."""
START = datetime(2025, 1, 1, 6, tzinfo=UTC)
AT_ONCE = 700
"""Series looked at together: enough to hide the cost of a call, few enough for the cache."""


def run() -> Iterator[str]:
    """Markdown tables: false alarms, then widths, by kind of series and days known."""
    yield from _quiet()
    yield ""
    yield from _width()


def _quiet() -> Iterator[str]:
    """False alarms of the bands by kind of clean series and length of history."""
    count, lengths = 20 * PLANTED, (28, 42, 60, 90, 200)
    yield f"{count:,} clean series of each kind, each with {DRAWS} next days; false alarms per"
    yield "1,000 points, by days known."
    yield ""
    yield "| kind | " + " | ".join(f"{each} days" for each in lengths) + " |"
    yield "|---" * (len(lengths) + 1) + "|"
    for name, kind in planted.CLEAN.items():
        source = np.random.default_rng([SEED, *name.encode()])
        flows = [
            np.maximum(planted.clean(kind, count, lengths[-1] + 1, source)[0], 0)
            for _ in range(DRAWS)
        ]
        values = planted.observed(kind, flows[0])
        cells: list[str] = []
        for known in lengths:
            found = list(learned(values[:, :known], AnomalyConfig()))
            ends = [np.concatenate([e.low[:, -1] for e in found])]
            ends += [np.concatenate([e.high[:, -1] for e in found])]
            trained = np.concatenate([e.trained[:, -1] for e in found])
            before = values[:, known - 1] * kind.growing
            coming = np.array([before + np.round(flow[:, known]) for flow in flows])
            alarms = ((coming < ends[0]) | (coming > ends[1])) & trained
            cells.append(f"{1000 * alarms.mean():.2f}" if trained.any() else "untrained")
        yield f"| {name} | " + " | ".join(cells) + " |"


def _width() -> Iterator[str]:
    """How wide the bands are: what a fault must exceed to be seen."""
    lengths = (14, 21, 28, 42, 60, 90)
    yield "Half of the newest band in deviations of the noise, mean of those trained, by days."
    yield ""
    yield "| kind | " + " | ".join(f"{each} days" for each in lengths) + " |"
    yield "|---" * (len(lengths) + 1) + "|"
    for name in ("flat, 2 % noise", "flat, 10 % noise", "weekly, even noise", "counted, 66 a day"):
        source = np.random.default_rng([SEED, *name.encode()])
        flows, size = planted.clean(planted.CLEAN[name], 20 * PLANTED, lengths[-1] + 1, source)
        cells: list[str] = []
        for known in lengths:
            found = list(learned(flows[:, :known], AnomalyConfig()))
            half = np.concatenate([(e.high[:, -1] - e.low[:, -1]) / 2 for e in found])
            trained = np.concatenate([e.trained[:, -1] for e in found])
            told = (half / size[:, known])[trained]
            cells.append(f"{told.mean():.1f}" if len(told) else "untrained")
        yield f"| {name} | " + " | ".join(cells) + " |"


def learned(matrix: planted.Floats, config: AnomalyConfig) -> Iterator[Bands]:
    """What is said of some series at a time; each with a next day whose value is not known."""
    moments = moments_of(matrix.shape[1] + 1)
    for first in range(0, len(matrix), AT_ONCE):
        yield learn_bands(panel(matrix[first : first + AT_ONCE], moments), config)


def moments_of(days: int) -> Moments:
    """One a day."""
    return Moments.of(np.array([(START + timedelta(day)).timestamp() for day in range(days)]))


def panel(rows: planted.Floats, moments: Moments) -> Panel:
    """The rows, and a next moment whose value is not known."""
    nothing = np.zeros(len(rows))
    return Panel(
        values=np.column_stack([rows, np.full(len(rows), np.nan)]),
        moments=moments,
        floors=nothing + 1.0,
        bounded=nothing > 0,
        expected=np.zeros((len(rows), rows.shape[1] + 1), dtype=np.bool_),
        ignored=nothing.astype(np.intp),
    )
