"""In which terms a series varies: by so much, by such a share, or by how much it grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_agent.anomaly.calendar import WEEK, Moments
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints, choose

_FEWEST = 14
"""Points before a scale other than the plain one can be chosen."""
_POSITIVE = 0.95
"""Share of values above zero that a logarithm needs."""
_MARGINS = ((56, 0.5), (35, 0.25), (0, 0.1))
"""From so many points on, the gain in log-likelihood per point, times the root of their number,
before the logarithm is taken. With few points less is enough: a skewed series on the plain scale
raises false alarms, an even one on the logarithmic scale has only a wider band."""
_KEPT = 0.94
"""Share of differences that the choice of scale looks at."""
_STEPS = 13
"""Steps before a series can be called growing."""
_EARLY, _DIFFERENT = 20, 4
"""Points at the beginning that may be the same by chance, and different values of a series that is
not constant but for faults."""
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
    step: Floats
    """Between the few different values of a series that counts something, in the metric's own unit;
    0 of others. The first points may be the same by chance: that is no constant, and no reason to
    call the next value unusual."""


def scaled(panel: Panel) -> Scaled:
    """Choose the scale of each series from its history and apply it."""
    growing = _growing(panel.values[:, :-1])
    values = panel.values.copy()
    if growing.any():
        values[growing] = _growth(values[growing], panel.moments)
    logarithmic = _logarithmic(values[:, :-1], panel.moments) & ~panel.bounded
    step = choose(growing, 0.0, _steps(panel.values[:, :-1]))
    if logarithmic.any():
        values[logarithmic] = logarithms(values[logarithmic], step[logarithmic])
    return Scaled(values=values, logarithmic=logarithmic, growing=growing, step=step)


def _steps(past: Floats) -> Floats:
    found = np.zeros(len(past))
    early = past[:, :_EARLY]
    for row in np.flatnonzero((early[:, 1:] == early[:, :-1]).any(axis=1)):
        values, times = np.unique(past[row][np.isfinite(past[row])], return_counts=True)
        if len(values) >= _DIFFERENT and 2 * times.max() <= times.sum():
            found[row] = np.diff(values).min()
    return found


def _growing(past: Floats) -> Bools:
    growing = np.zeros(len(past), dtype=np.bool_)
    if past.shape[1] <= _STEPS:
        return growing
    falls = np.count_nonzero(past[:, 1:] < past[:, :-1], axis=1)  # those without gaps
    rows = np.flatnonzero(falls <= _FALLS * (past.shape[1] - 1))
    count = np.isfinite(past[rows]).sum(axis=1) - 1
    steps = np.diff(_carried(past[rows]), axis=1)
    falls, rises = (steps < 0).sum(axis=1), (steps > 0).sum(axis=1)
    growing[rows] = (count >= _STEPS) & (falls <= _FALLS * count) & (rises >= 0.5 * count)
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
    week = max(1, round(WEEK / moments.step))
    lag = week if past.shape[1] > 3 * week else 1
    if not len(past) or past.shape[1] < _FEWEST:
        return np.zeros(len(past), dtype=np.bool_)
    margin = next(gain for points, gain in _MARGINS if past.shape[1] >= points)
    least = past.min(axis=1)
    fit = np.asarray(least > 0, dtype=np.bool_)
    if fit.all():
        return _gain(past, lag) * np.sqrt(past.shape[1]) > margin
    fit[fit] = _gain(past[fit], lag) * np.sqrt(past.shape[1]) > margin
    rows = np.flatnonzero(~(least > 0))  # also those with gaps
    known = np.isfinite(past[rows]).sum(axis=1)
    positive = (past[rows] > 0).sum(axis=1)
    able = (known >= _FEWEST) & (positive >= _POSITIVE * known)
    fit[rows[able]] = _gain(past[rows[able]], lag) * np.sqrt(known[able]) > margin
    return fit


def _gain(past: Floats, lag: int) -> Floats:
    """By how much a point is likelier on the logarithmic scale; -inf where that says nothing."""
    small = (past / np.fmax.reduce(past, axis=1)[:, None]).astype(np.float32)  # faster logarithms
    small[small <= 0] = np.nan
    logs = np.log(small)
    spread = _typical(small[:, lag:] - small[:, :-lag])
    share = _typical(logs[:, lag:] - logs[:, :-lag])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = logs.mean(axis=1, dtype=np.float64)
        rows = np.flatnonzero(np.isnan(mean))
        mean[rows] = np.nanmean(logs[rows], axis=1, dtype=np.float64) if len(rows) else 0.0
        return np.nan_to_num(np.log(spread) - np.log(share) - mean, nan=-np.inf, posinf=-np.inf)


def _typical(differences: NDArray[np.float32]) -> Floats:
    """Root of the mean square without the furthest few: neither faults nor ties decide."""
    size = np.abs(differences, out=differences)
    columns = size.shape[1]
    most = math.ceil(_KEPT * columns)
    if 0 < most < columns:
        size.partition(most, axis=1)  # NaN is at the end
    square = np.einsum("ij,ij->i", size[:, :most], size[:, :most])
    mean = square.astype(np.float64) / max(most, 1)
    rows = np.flatnonzero(np.isnan(size[:, most:].sum(axis=1) + square))
    if len(rows):
        some = np.sort(size[rows], axis=1)
        kept = np.ceil(_KEPT * np.isfinite(some).sum(axis=1))
        some[np.arange(columns) >= kept[:, None]] = 0.0
        mean[rows] = np.einsum("ij,ij->i", some, some) / np.maximum(kept, 1)
    return np.sqrt(mean)


def logarithms(values: Floats, step: Floats) -> Floats:
    """Zero and less stand half a step above nothing; without a step far below the smallest value,
    where exactly does not matter."""
    smallest = np.nanmin(np.where(values > 0, values, np.nan), axis=1)
    least = choose(step > 0, step / 2, smallest * 1e-6)
    return np.log(np.maximum(values, least[:, None]))


def _growth(values: Floats, moments: Moments) -> Floats:
    before = _latest(values)[:, :-1]
    gap = moments.seconds[1:] - moments.seconds[before]
    grown = values[:, 1:] - np.take_along_axis(values, before, axis=1)
    growth = np.full_like(values, np.nan)
    growth[:, 1:] = grown / np.maximum(gap / moments.step, 1.0)
    return growth
