"""How fast series are judged, in processor time, and how well.

Every point is judged as for the picture of a check, many series at once; the newest point through
the door of the check, which gets its history as records. Floors: one `numpy.sort` of the same
matrix for speed, the formula of Elementary's default test on the same series for quality. STL
(robust, of statsmodels) is timed beside it in a private environment. The quality lines are the
same in every run: all seeds are fixed. The limits were tuned on other seeds than `SEED`.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks import planted_faults as planted
from benchmarks import planted_mixes
from benchmarks.anomaly_bands import AT_ONCE, PLANTED, SCALE, SEED, START, moments_of, panel
from benchmarks.peers import SECONDS, PeerFailed, python_of
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Series
from dagster_agent.anomaly.engine import judge_series
from dagster_agent.anomaly.walk import glance, walk_through
from dagster_agent.model import MetricPoint

SERIES = max(500, int(10_000 * SCALE))
POINTS = 365
METRICS = 100
"""Of one table: what a check judges together."""
ROUNDS = 5
BEFORE = 130
"""Days before a fault begins."""


def run() -> Iterator[str]:
    """Markdown tables: time per series, then recall and precision by kind of fault."""
    yield from _speed()
    yield ""
    yield from _quality()


def _speed() -> Iterator[str]:
    source = np.random.default_rng(SEED)
    matrix = 1000 + 50 * source.normal(size=(SERIES, POINTS))
    table = _series(1000 + 50 * source.normal(size=(METRICS, POINTS)))
    young = _series(1000 + 50 * source.normal(size=(METRICS, 60)))
    config = AnomalyConfig()
    plans: list[tuple[str, Callable[[], object], int]] = [
        ("one `numpy.sort` of the matrix", lambda: np.sort(matrix, axis=1), SERIES),
        ("every point judged", lambda: _every_point(matrix, config), SERIES),
        (
            f"newest point of a table with {METRICS} metrics, learning and laying out included",
            lambda: judge_series(table, config),
            METRICS,
        ),
        ("the same, of 60 points", lambda: judge_series(young, config), METRICS),
    ]
    seconds: dict[str, list[float]] = {name: [] for name, *_ in plans}
    for _ in range(ROUNDS):
        for name, plan, series in plans:
            started = time.process_time()
            plan()
            seconds[name].append((time.process_time() - started) / series)
    floor = seconds[plans[0][0]]
    yield f"| {SERIES:,} series of {POINTS} points | CPU µs a series (median) | ratio |"
    yield "|---|---|---|"
    for name, took in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(took, floor, strict=True))
        yield f"| {name} | {statistics.median(took) * 1e6:.1f} | {ratio:.1f} |"
    yield from _stl(statistics.median(floor), statistics.median(seconds[plans[1][0]]))


def _every_point(matrix: planted.Floats, config: AnomalyConfig) -> None:
    """As `learn_bands` does it, but what has to be walked through is so in one go: that of a single
    table is few series, and costs as many calls."""
    moments = moments_of(matrix.shape[1] + 1)
    doubtful: list[planted.Floats] = []
    for first in range(0, len(matrix), AT_ONCE):
        rows = matrix[first : first + AT_ONCE]
        found, doubted = glance(panel(rows, moments), config)
        if found is not None:
            found.told(whole=False)
        doubtful.append(rows[doubted])
    walk_through(panel(np.concatenate(doubtful), moments), config).told(whole=False)


_STL = """
import json, sys, time
import numpy as np
from statsmodels.tsa.seasonal import STL
matrix = np.random.default_rng(int(sys.argv[1])).normal(1000, 50, size=(20, int(sys.argv[2])))
STL(matrix[0], period=7, robust=True).fit()
started = time.process_time()
for row in matrix:
    STL(row, period=7, robust=True).fit()
print((time.process_time() - started) / len(matrix))
"""


def _stl(floor: float, own: float) -> Iterator[str]:
    """`floor` and `own`: seconds a series."""
    name = "STL, robust (statsmodels), of 20"
    try:
        python = python_of("statsmodels", ("statsmodels==0.14.6",))
        done = subprocess.run(
            [str(python), "-c", _STL, str(SEED), str(POINTS)],
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
    except (PeerFailed, subprocess.SubprocessError) as problem:
        yield f"| {name} | did not run: {problem} | |"
        return
    took = float(done.stdout)
    yield f"| {name} | {took * 1e6:.0f} | {took / floor:.0f} |"
    yield f"| {name}, in units of every point judged | | {took / own:.0f} |"


@dataclass(slots=True)
class Score:
    """What was found of one kind of fault."""

    faults: int = 0
    found: int = 0
    clean: int = 0
    """Evaluations without a fault."""
    false: int = 0
    """Alarms among them."""

    def cells(self) -> str:
        """Recall, precision, false alarms per 1,000 evaluations."""
        recall = f"{self.found / self.faults:.3f}" if self.faults else "-"
        told = self.found + self.false
        precision = f"{self.found / told:.3f}" if self.faults and told else "-"
        return f"{recall} | {precision} | {1000 * self.false / max(self.clean, 1):.2f}"


Judge = Callable[[planted.Floats], Sequence[bool]]


def ours(values: planted.Floats) -> list[bool]:
    """Whether the newest column is called unusual, as a check would."""
    return [j.trained and j.unusual for j in judge_series(_series(values), AnomalyConfig())]


def _series(values: planted.Floats) -> list[Series]:
    """Row counts of as many tables, the newest column judged."""
    at = [START + timedelta(day) for day in range(values.shape[1])]
    return [
        Series(
            metric=f"row_count{{series={number}}}",
            value=float(row[-1]),
            at=at[-1],
            history=[
                MetricPoint(asset="a", metric="m", value=float(value), at=moment)
                for value, moment in zip(row[:-1], at[:-1], strict=True)
            ],
            floor=1.0,
        )
        for number, row in enumerate(values)
    ]


JUDGES: dict[str, Judge] = {
    "ours": ours,
    "Elementary's formula": lambda values: planted.elementary(values).tolist(),
}


def _quality() -> Iterator[str]:
    kinds = list(planted.KINDS)
    yield f"{PLANTED} series of each of {len(kinds)} kinds; faults begin after {BEFORE} days."
    yield ""
    yield "| fault | judge | recall | precision | false alarms per 1,000 |"
    yield "|---|---|---|---|---|"
    for (fault, judge), score in quality(SEED, PLANTED, kinds).items():
        yield f"| {fault} | {judge} | {score.cells()} |"
    for kind in planted_mixes.KINDS:
        score = Score(*planted_mixes.counted(kind, PLANTED, SEED))
        yield f"| changed mix, {kind} | ours | {score.cells()} |"


def quality(seed: int, count: int, kinds: Sequence[str]) -> dict[tuple[str, str], Score]:
    """Scores by fault and judge; `no fault` are clean series, `by kind` their false alarms."""
    scores: dict[tuple[str, str], Score] = {}
    for name in kinds:
        kind = planted.KINDS[name]
        for fault in (*planted.FAULTS, "none"):
            source = np.random.default_rng([seed, *name.encode(), *fault.encode()])
            _one(kind, fault, count, source, scores, name)
    return scores


def _one(
    kind: planted.Kind,
    fault: str,
    count: int,
    source: np.random.Generator,
    scores: dict[tuple[str, str], Score],
    name: str,
) -> None:
    day = BEFORE + int(source.integers(0, 28))
    flows, noise = planted.clean(kind, count, day + 35, source)
    if fault == "none":
        values = planted.observed(kind, np.maximum(flows, 0))
        for judge, decide in JUDGES.items():
            score = scores.setdefault((f"no fault: {name}", judge), Score())
            for last in range(40, day + 35, 5):
                score.clean += count
                score.false += sum(decide(values[:, :last]))
        return
    bad = planted.broken(flows, noise, fault, day, source)
    values = planted.observed(kind, bad, fault)
    for judge, decide in JUDGES.items():
        score = scores.setdefault((fault, judge), Score())
        found = np.zeros(count, dtype=bool)
        for after in planted.FAULTS[fault]:
            found |= np.array(decide(values[:, : day + after + 1]))
        score.faults += count
        score.found += int(found.sum())
        score.clean += count
        score.false += sum(decide(values[:, :day]))
