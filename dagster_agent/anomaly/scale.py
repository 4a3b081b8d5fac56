"""In which terms a series varies: by so much, by such a share, or by how much it grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_agent.anomaly.calendar import WEEK, Moments
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints

_FEWEST = 21
"""Points before a scale other than the plain one can be chosen."""
_POSITIVE = 0.95
"""Share of values above zero that a logarithm needs."""
_MARGIN = 0.5
"""Gain in log-likelihood per point, times the root of their number, before the logarithm is
taken."""
_KEPT = 0.94
"""Share of differences that the choice of scale looks at."""
_STEPS = 13
"""Steps before a series can be called growing."""
_FALLS = 0.03
"""Largest share of steps back of a growing series: corrections happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """The series in the terms in which they vary evenly."""

    values: Floats
    """Plain values, logarithms, or growth per usual step."""
    logarithmic: Bools
    """Series that vary by shares of their level, or of their growth."""
    growing: Bools
    """Series that only ever grow: judged by how much."""


def scaled(panel: Panel) -> Scaled:
    """Choose the scale of each series from its history and apply it."""
    growing = _growing(panel.values[:, :-1])
    values = panel.values.copy()
    if growing.any():
        values[growing] = _growth(values[growing], panel.moments)
    logarithmic = _logarithmic(values[:, :-1], panel.moments) & ~panel.bounded
    if logarithmic.any():
        values[logarithmic] = logarithms(values[logarithmic])
    return Scaled(values=values, logarithmic=logarithmic, growing=growing)


def _growing(past: Floats) -> Bools:
    growing = np.zeros(len(past), dtype=np.bool_)
    if past.shape[1] <= _STEPS:
        return growing
    count = np.isfinite(past).sum(axis=1) - 1
    falls = np.less(past[:, 1:], past[:, :-1]).sum(axis=1)  # those without gaps
    rows = np.flatnonzero((count >= _STEPS) & (falls <= _FALLS * count))
    steps = np.diff(_carried(past[rows]), axis=1)
    falls, rises = (steps < 0).sum(axis=1), (steps > 0).sum(axis=1)
    growing[rows] = (falls <= _FALLS * count[rows]) & (rises >= 0.5 * count[rows])
    return growing


def _carried(values: Floats) -> Floats:
    """Gaps filled with the value before."""
    return np.take_along_axis(values, _latest(values), axis=1)


def _latest(values: Floats) -> Ints:
    """Column of the last known value up to each column."""
    columns: Ints = np.arange(values.shape[1], dtype=np.intp)
    return np.maximum.accumulate(np.isfinite(values) * columns, axis=1)


def _logarithmic(past: Floats, moments: Moments) -> Bools:
    """Box and Cox 1964 with two candidates: on which scale are changes from week to week, the
    change of units allowed for, more likely? Differences need no level, trend or season."""
    known = np.isfinite(past).sum(axis=1)
    positive = past > 0
    fit = (known >= _FEWEST) & (positive.sum(axis=1) >= _POSITIVE * known)
    if not fit.any():
        return fit
    rows = np.flatnonzero(fit)
    week = max(1, round(WEEK / moments.step))
    lag = week if past.shape[1] > 3 * week else 1
    plain = past[rows]
    plain /= np.nanmax(plain, axis=1)[:, None]
    small = plain.astype(np.float32)  # its logarithm is several times faster
    small[small <= 0] = np.nan
    logs = np.log(small)
    spread = _typical(plain[:, lag:] - plain[:, :-lag])
    share = _typical(logs[:, lag:] - logs[:, :-lag])
    mean = np.nansum(logs, axis=1, dtype=np.float64)
    mean /= np.maximum(np.isfinite(logs).sum(axis=1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.log(spread) - np.log(share) - mean
    fit[rows] = np.isfinite(gain) & (gain * np.sqrt(known[rows]) > _MARGIN)
    return fit


def _typical(differences: NDArray[Any]) -> Floats:
    """Root of the mean square without the furthest few: neither faults nor ties decide."""
    size = np.abs(differences)
    count = np.isfinite(size).sum(axis=1)
    most = np.ceil(_KEPT * count).astype(np.intp)
    if len(most) and most.min() == most.max() > 0:
        size.partition(int(most[0]) - 1, axis=1)
        size = size[:, : most[0]]
    else:
        size.sort(axis=1)
        size[np.arange(size.shape[1]) >= most[:, None]] = 0.0
    square = np.einsum("ij,ij->i", size, size, dtype=np.float64)
    return np.sqrt(square / np.maximum(most, 1))


def logarithms(values: Floats) -> Floats:
    """Zero and less stand far below the smallest value; where exactly does not matter."""
    smallest = np.nanmin(np.where(values > 0, values, np.nan), axis=1)
    return np.log(np.maximum(values, smallest[:, None] * 1e-6))


def _growth(values: Floats, moments: Moments) -> Floats:
    before = _latest(values)[:, :-1]
    gap = moments.seconds[1:] - moments.seconds[before]
    grown = values[:, 1:] - np.take_along_axis(values, before, axis=1)
    growth = np.full_like(values, np.nan)
    growth[:, 1:] = grown / np.maximum(gap / moments.step, 1.0)
    return growth
