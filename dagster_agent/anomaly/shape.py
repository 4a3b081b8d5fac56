"""What is taken from the whole history of a series at once: trend, memory, floors."""

from __future__ import annotations

import itertools

import numpy as np

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import NORMAL, Bools, Floats, Ints, choose, medians
from dagster_agent.anomaly.scale import Scaled

_TREND_POINTS = 28
"""Points that a trend needs."""
_TREND_PARTS = 5
"""Parts of the history whose medians are compared."""
_TREND_EVEN = 0.25
"""Slopes of which the flattest is at least this share of the steepest are one and the same."""
_TREND_ERRORS = 1.5
"""What a trend does in half of the history must be this many times the uncertainty of a part."""
_TREND_CLEAR = 2.7
"""The slope of all points must be this many times larger than its own uncertainty."""
_TREND_NEAR = 4.5
"""Robust deviations from the line beyond which a point does not count."""
_GROWTH_FLOOR = 0.02
"""Growth is never taken to vary by less than this share of it."""


def trend_of(rest: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Slope of each series, and how much steeper or flatter it may be.

    Four slopes lead from the median of each of its five parts to the next: all together where
    they are alike, otherwise the second flattest, 0 where they disagree. A step bends two of the
    four, a drift that began lately one or two: neither is taken for a trend. Noise often has parts
    that agree; so the line through all points near this one must be clear as well, and where it is
    nearer to them it is the better one.

    Source: after the resistant line of Tukey 1977, medians of three groups.
    """
    past, at = rest[:, :-1], seconds[:-1]
    if past.shape[1] < _TREND_POINTS:
        return np.zeros(len(rest)), np.zeros(len(rest))
    edges = np.linspace(0, len(at), _TREND_PARTS + 1).astype(int)
    parts = [slice(first, last) for first, last in itertools.pairwise(edges)]
    middle = np.column_stack([medians(past[:, part]) for part in parts])
    time = np.array([np.median(at[part]) for part in parts])
    slopes = np.diff(middle, axis=1) / np.diff(time)
    order = np.argsort(np.abs(slopes), axis=1)
    slope = np.nan_to_num(slopes[np.arange(len(slopes)), order[:, 1]])
    sizes = np.abs(slopes)
    even = (sizes.min(axis=1) >= _TREND_EVEN * sizes.max(axis=1)) & (
        np.abs(np.sign(slopes).sum(axis=1)) == _TREND_PARTS - 1
    )
    slope = choose(even, (middle[:, -1] - middle[:, 0]) / (time[-1] - time[0]), slope)
    agree = (np.sign(slopes) == np.sign(slope)[:, None]).sum(axis=1) >= _TREND_PARTS - 2
    noise = NORMAL * medians(np.abs(past[:, parts[2]] - middle[:, 2:3])) * 1.25
    noise /= np.sqrt(len(at) / _TREND_PARTS)
    noise = np.nan_to_num(noise)
    clear = np.abs(slope) * (time[-1] - time[0]) / 2 > _TREND_ERRORS * noise
    slope[~(agree & clear)] = 0.0
    rows = np.flatnonzero(slope)
    slope[rows] = _clear_slope(past[rows], at, slope[rows])
    return slope, noise * np.sqrt(2) / (time[-1] - time[0])


def _clear_slope(past: Floats, at: Floats, slope: Floats) -> Floats:
    """The better of a resistant slope and that of least squares near it; 0 where that is not clear,
    neighbours that are alike allowed for."""
    when = (at - at.mean())[None, :]
    rest = past - slope[:, None] * when
    rest -= medians(rest)[:, None]
    with np.errstate(invalid="ignore"):
        near = np.abs(rest) <= _TREND_NEAR * NORMAL * medians(np.abs(rest))[:, None]
    count = np.maximum(near.sum(axis=1), 3)[:, None]
    when = np.where(near, when - (near * when).sum(axis=1, keepdims=True) / count, 0.0)
    rest = np.where(near, rest - np.where(near, rest, 0.0).sum(axis=1, keepdims=True) / count, 0.0)
    width = np.einsum("ij,ij->i", when, when)
    more = np.divide(np.einsum("ij,ij->i", when, rest), width, where=width > 0, out=0 * width)
    least = rest - more[:, None] * when
    variance = np.einsum("ij,ij->i", least, least) / (count[:, 0] - 2) * memory_of(least)
    better = np.abs(least).sum(axis=1) <= np.abs(rest).sum(axis=1)
    clear = np.abs(slope + more) * np.sqrt(width) > _TREND_CLEAR * np.sqrt(variance)
    return choose(clear, slope + better * more, 0.0)


def floors_of(panel: Panel, terms: Scaled, config: AnomalyConfig) -> tuple[Floats, Floats]:
    """Smallest spread of each series on its scale: a number, and a share of the level."""
    relative = np.zeros(len(panel.floors))
    known = np.maximum(panel.floors, terms.step / np.sqrt(12))
    rows = np.flatnonzero(terms.logarithmic & (known > 0))
    if len(rows):
        typical = np.abs(medians(panel.values[rows, :-1]))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative[rows] = np.nan_to_num(known[rows] / typical)
    floor = np.where(terms.logarithmic, np.maximum(np.log1p(config.floor_share), relative), known)
    share = np.where(terms.growing, _GROWTH_FLOOR, config.floor_share)
    return floor, np.where(terms.logarithmic | panel.bounded, 0.0, share)


def rounded_of(panel: Panel, terms: Scaled, config: AnomalyConfig) -> Bools:
    """Series whose smallest spread comes of rounding: larger than any that was to be expected."""
    rounding = terms.step / np.sqrt(12)
    if not rounding.any():
        return rounding > 0
    usual = config.floor_share * np.abs(np.nan_to_num(medians(panel.values[:, :-1])))
    return rounding > np.maximum(panel.floors, usual)


def season_sum_of(effect: Floats, terms: Scaled) -> Floats:
    """Season of growth summed up to each column; on the scale of the growth itself."""
    total = np.zeros((len(effect), effect.shape[1] + 1))
    if terms.growing.any():
        each = np.where(terms.logarithmic[:, None], np.exp(effect), effect)
        total[:, 1:] = np.cumsum(each, axis=1)
    return total


def change_of(share: float, center: Floats, logarithmic: Bools) -> Floats:
    """A change by a share of the level, on the scale of the series."""
    return np.where(logarithmic, np.log1p(share), share * np.abs(center))


def days_of(panel: Panel) -> tuple[Ints, Ints]:
    """Different days with points before the newest column, and the column of the first point of
    the second such day (beyond the last one if there is none)."""
    known, day = np.isfinite(panel.values[:, :-1]), panel.moments.day[:-1]
    nothing = np.zeros(len(known), dtype=np.intp)
    if not len(day):
        return nothing, nothing + 1
    starts = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    if known.all():
        second = int(starts[1]) if len(starts) > 1 else len(day) + 1
        return nothing + len(starts), nothing + second
    days = np.logical_or.reduceat(known, starts, axis=1).sum(axis=1)
    first = day[known.argmax(axis=1)]
    later = known & (day > first[:, None])
    return days, np.where(days > 1, later.argmax(axis=1), len(day) + 1)


def memory_of(ring: Floats) -> Floats:
    """By how much neighbours that are alike widen the variance of a mean (first-order)."""
    known = choose(np.isnan(ring), 0.0, ring)
    square = np.einsum("ij,ij->i", known, known)
    product = np.einsum("ij,ij->i", known[:, 1:], known[:, :-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(product / square) + 1 / np.sqrt(max(ring.shape[1], 1))
    alike = np.clip(alike, 0.0, 0.9)
    return (1 + alike) / (1 - alike)
