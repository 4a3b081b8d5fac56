"""Series of known kinds with faults of known sizes, and Elementary's formula beside ours.

A series is a flow per day: a mean that may have a season, a trend and month ends, with noise of a
known size. A fault changes the flow. `growing` tables hold the sum of all flows so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

START = np.datetime64("2025-01-01")
WEEK = np.array([1.0, 1.05, 1.02, 0.98, 1.1, 0.4, 0.3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of clean series."""

    mean: Callable[[NDArray[np.intp]], Floats]
    """Of each day, by days since `START`."""
    noise: float
    """Standard deviation, as a share of the mean (`relative`) or of 1,000."""
    relative: bool = False
    """Noise is log-normal and grows with the mean."""
    heavy: bool = False
    """Noise is of Student's t with 5 degrees of freedom instead of normal."""
    counted: bool = False
    """Rows come at random: a Poisson number of them, whatever `noise` says."""
    growing: bool = False
    """The table keeps all rows."""


def _weekly(day: NDArray[np.intp]) -> Floats:
    return WEEK[(day + 2) % 7]


def _month_end(day: NDArray[np.intp]) -> Floats:
    dates = START + day
    last = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
    return np.where(last, 2.5, 1.0)


KINDS: Mapping[str, Kind] = {
    "flat, 2 % noise": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.02),
    "flat, 10 % noise": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.1),
    "flat, heavy tails": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.04, heavy=True),
    "weekly, even noise": Kind(mean=lambda d: 1000 * _weekly(d), noise=0.03),
    "weekly, noise by level": Kind(mean=lambda d: 1000 * _weekly(d), noise=0.06, relative=True),
    "trend": Kind(mean=lambda d: 1000 * (1 + 0.003 * d), noise=0.03),
    "weekly with trend": Kind(
        mean=lambda d: 1000 * _weekly(d) * np.exp(0.002 * d), noise=0.06, relative=True
    ),
    "month ends": Kind(mean=lambda d: 1000 * _month_end(d), noise=0.04),
    "growing": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.06, growing=True),
    "growing, weekly": Kind(
        mean=lambda d: 1000 * _weekly(d), noise=0.06, relative=True, growing=True
    ),
}

CLEAN: Mapping[str, Kind] = {
    **KINDS,
    "counted, 10 a day": Kind(mean=lambda d: 10.0 + 0 * d, noise=0, counted=True),
    "counted, 66 a day": Kind(mean=lambda d: 66.0 + 0 * d, noise=0, counted=True),
    "counted, weekly": Kind(mean=lambda d: 100 * _weekly(d), noise=0, counted=True),
    "skewed a little": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.2, relative=True),
    "skewed": Kind(mean=lambda d: 1000.0 + 0 * d, noise=0.5, relative=True),
}
"""Those, and kinds of which a fault of so many deviations may be none."""

FAULTS: Mapping[str, tuple[int, ...]] = {
    "spike": (0,),
    "level shift": (0, 1, 2),
    "slow drift": (6, 10, 14, 18, 22, 26, 30),
    "missing day": (0,),
    "stale value": (1, 2, 3, 4),
}
"""Days after its beginning on which a fault is looked for; found on one of them is found."""


def clean(kind: Kind, series: int, days: int, source: np.random.Generator) -> tuple[Floats, Floats]:
    """Flows and the size of their noise, series by day."""
    mean = np.broadcast_to(kind.mean(np.arange(days)), (series, days))
    if kind.counted:
        return source.poisson(mean).astype(np.float64), np.sqrt(mean)
    if kind.relative:
        return mean * np.exp(kind.noise * source.normal(size=mean.shape)), kind.noise * mean
    size = np.full_like(mean, 1000 * kind.noise)
    draw = source.standard_t(5, mean.shape) / (5 / 3) ** 0.5 if kind.heavy else None
    draw = source.normal(size=mean.shape) if draw is None else draw
    return mean + size * draw, size


def broken(
    flows: Floats, noise: Floats, fault: str, day: int, source: np.random.Generator
) -> Floats:
    """The flows with one fault in each series, from `day` on.

    Spikes of 8 to 15 standard deviations of the noise either way, shifts of 6 to 10, drifts of
    0.3 a day; down only as far as to nothing.
    """
    bad = flows.copy()
    count = len(bad)
    side = source.choice([-1.0, 1.0], count)
    if fault == "spike":
        bad[:, day] += side * source.uniform(8, 15, count) * noise[:, day]
    elif fault == "level shift":
        bad[:, day:] += (side * source.uniform(6, 10, count))[:, None] * noise[:, day:]
    elif fault == "slow drift":
        length = np.arange(1, bad.shape[1] - day + 1)
        bad[:, day:] += side[:, None] * 0.3 * length * noise[:, day:]
    elif fault == "missing day":
        bad[:, day] = 0
    elif fault == "stale value":
        bad[:, day:] = bad[:, day - 1 : day]
    return np.maximum(bad, 0)


def observed(kind: Kind, flows: Floats, fault: str = "") -> Floats:
    """What is measured: whole rows, of the day or of all days so far."""
    rows = np.round(flows)
    if not kind.growing:
        return rows
    if fault == "stale value":  # the table is not appended to any more
        same = np.concatenate([np.zeros((len(rows), 1), bool), np.diff(rows) == 0], axis=1)
        rows = np.where(np.logical_and.accumulate(same[:, ::-1], axis=1)[:, ::-1], 0, rows)
    return 100_000 + np.cumsum(rows, axis=1)


def elementary(values: Floats) -> NDArray[np.bool_]:
    """Elementary's defaults on the newest column: 14 days, the judged point among them, three
    standard deviations from their mean."""
    window = values[:, -14:]
    spread = window.std(axis=1, ddof=1)
    away = np.abs(values[:, -1] - window.mean(axis=1))
    return (spread > 0) & (away > 3 * spread)
