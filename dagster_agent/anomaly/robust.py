"""Medians, spreads and limits of many series at once.

Rows are series; NaN is "no value". A sorted row has its NaN at the end, so that a median is two
look-ups: several times faster than `numpy.nanmedian`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtr, stdtrit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

NORMAL = 1.4826
"""Standard deviations in one median absolute deviation of normal values."""
POWER = 0.8416
"""Standard normal quantile of 0.8: seen four times in five."""
CLEANED_FROM = 8
"""With fewer points, an outlier cannot be told from the rest."""
_DOUBTED = 8
"""Points that hardly tell a spread, or a skew."""
_DOUBT = 0.5
"""By how much limits are widened then; the doubt goes with the square of the points."""
_WIDE = 100
"""Columns from which a row is parted faster than it is sorted."""
_PRIOR = 4
"""Points that a constant history counts for in addition: its spread is not estimated."""
_FEWEST = 4
"""Fewest points that make a spread."""


def choose(condition: Bools, yes: Floats | float, no: Floats | float) -> Floats:
    """`numpy.where` of numbers, with a type."""
    return np.asarray(np.where(condition, yes, no), dtype=np.float64)


def medians(values: NDArray[Any]) -> Floats:
    """Median of each row, NaN ignored; NaN for a row without values."""
    columns = values.shape[1]
    if not columns:
        return np.full(len(values), np.nan)
    if columns < _WIDE:
        ordered = np.sort(values, axis=1)
        return _middle(ordered, _counted(ordered))
    lost = np.flatnonzero(np.isnan(values.sum(axis=1)))
    half = columns // 2
    parted = np.partition(values, half, axis=1)
    middle = parted[:, half].astype(np.float64)
    if not columns % 2:
        middle = (middle + parted[:, :half].max(axis=1)) / 2
    if len(lost):
        ordered = np.sort(values[lost], axis=1)
        middle[lost] = _middle(ordered, _counted(ordered))
    return middle


def _middle(ordered: NDArray[Any], count: Ints) -> Floats:
    columns = ordered.shape[1]
    if not columns:
        return np.full(len(ordered), np.nan)
    middle = (ordered[:, (columns - 1) // 2] + ordered[:, columns // 2]) / 2
    rows = np.flatnonzero(count < columns)
    if len(rows):
        some = count[rows]
        low, high = np.maximum(some - 1, 0) // 2, np.minimum(some // 2, columns - 1)
        middle[rows] = (ordered[rows, low] + ordered[rows, high]) / 2
    return middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where the values of each row usually are, and how much they vary."""

    center: Floats
    """Median; 0 for a row without values."""
    deviation: Floats
    """Standard deviation without the points that stand far out, never below the floor."""
    count: Ints
    """Values."""
    steady: Bools
    """All values are the same."""


def spreads(values: Floats, reach: float, floor: Floats, floor_share: Floats) -> Spread:
    """Median, and standard deviation of what lies within `reach` robust deviations of it.

    Args:
        values: Rows of series; used up: nothing sensible is in them afterwards.
        reach: In robust deviations.
        floor: Smallest deviation of each row.
        floor_share: The same as a share of the median.

    Source: Leys et al. 2013 for median and MAD; reweighted estimation as in Rousseeuw and Leroy
    1987.
    """
    values.sort(axis=1)
    count = _counted(values)
    center = _middle(values, count)
    center[count == 0] = 0.0
    if values.shape[1]:
        steady = (values[:, 0] == _last(values, count)) | (count == 0)
    else:
        steady = np.ones(len(values), dtype=np.bool_)
    away = np.subtract(values, center[:, None], out=values)
    floor = np.maximum(floor, floor_share * np.abs(center))
    number = _cleaned(away, count, reach, floor)
    variance = np.einsum("ij,ij->i", away, away)
    variance -= away.sum(axis=1) ** 2 / np.maximum(number, 1)
    variance /= np.maximum(number - 1, 1)
    deviation = np.maximum(np.sqrt(np.maximum(variance, 0.0)), floor)
    return Spread(center=center, deviation=deviation, count=count, steady=steady)


def _cleaned(away: Floats, count: Ints, reach: float, floor: Floats) -> Ints:
    """Put 0 for what is further than the limit and for gaps, and count the rest; rows ascend.

    The median distance is at least that to the nearer quartile. Most rows are known to lie within
    the limit by that alone, and only the others need their median distance.
    """
    columns = away.shape[1]
    number = count.copy()
    if columns < CLEANED_FROM:
        away[np.isnan(away)] = 0.0
        return number
    allowance = reach * (1 + 10 / np.maximum(count, 1))
    ends = np.maximum(away[:, -1], -away[:, 0])
    quartile = np.minimum(-away[:, columns // 4], away[:, columns - 1 - columns // 4])
    with np.errstate(invalid="ignore"):
        inside = ends <= allowance * np.fmax(NORMAL * quartile, floor)
    rows = np.flatnonzero(~inside)  # also those with a gap: NaN is at the end
    if len(rows):
        some, size = away[rows], np.abs(away[rows])
        robust = NORMAL * _middle(np.sort(size, axis=1), count[rows])
        limit = allowance[rows] * np.fmax(robust, floor[rows])
        limit[count[rows] < CLEANED_FROM] = np.inf
        with np.errstate(invalid="ignore"):
            kept = size <= limit[:, None]
        away[rows] = choose(kept, some, 0.0)
        number[rows] = kept.sum(axis=1)
    return number


def _counted(ordered: NDArray[Any]) -> Ints:
    """How many numbers each sorted row begins with."""
    columns = ordered.shape[1]
    count = np.full(len(ordered), columns, dtype=np.intp)
    if columns:
        rows = np.flatnonzero(np.isnan(ordered[:, -1]))
        count[rows] -= np.isnan(ordered[rows]).sum(axis=1)
    return count


def _last(ordered: Floats, count: Ints) -> Floats:
    return ordered[np.arange(len(ordered)), np.maximum(count - 1, 0)]


def further(count: NDArray[Any]) -> Floats:
    """Standard deviations between a further value and the median of that many points, in those of
    one value: the median of n points varies by about pi / 2n."""
    return np.sqrt(1 + np.pi / 2 / np.maximum(count, 1))


def visible_spreads(count: NDArray[Any], threshold: Floats) -> Floats:
    """Distance in spreads that is called unusual four times in five."""
    return threshold + POWER * further(count)


@cache
def settled(share: float, threshold: float, most: int) -> int:
    """Points from which Student's t asks for no more than the threshold."""
    count = np.arange(_FEWEST, most)
    enough = stdtrit(count - 1.0, 1 - share / 2) * further(count) <= threshold
    return int(count[enough][0]) if enough.any() else most


@cache
def _table(most: int, threshold: float, share: float) -> tuple[Floats, Floats, Floats]:
    """Thresholds by number of points, for varying and for steady series, and the largest factor
    by which a spread may be wider than it looks, with 99 % certainty."""
    count = np.arange(most + 1)
    freedom = np.maximum(count - 1, 1).astype(float)
    varying = stdtrit(freedom, 1 - share / 2) * further(count)
    steady = stdtrit(freedom + _PRIOR, 1 - share / 2) * further(count)
    doubt = np.sqrt(freedom / chdtri(freedom, 0.99))
    known = np.maximum(count, _DOUBTED)
    wider = 1 + 2 / known + _DOUBT * (_DOUBTED / known) ** 2
    return np.maximum(varying, threshold) * wider, np.maximum(steady, threshold), doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far is too far, depending on the number of points."""

    most: int
    """Largest number of points."""
    threshold: float
    """Never nearer than this."""
    share: float
    """Share of ordinary values beyond the limit while there are few points."""

    def threshold_of(self, count: Ints, steady: Bools) -> Floats:
        """Distance in spreads beyond which a value is unusual."""
        varying, constant, _ = _table(self.most, self.threshold, self.share)
        count = np.minimum(count, self.most)
        if count.size and count.min() == count.max():
            same = int(count.flat[0])
            return choose(steady, float(constant[same]), float(varying[same]))
        return choose(steady, constant[count], varying[count])

    @property
    def enough(self) -> int:
        """Points from which there are enough, whatever the spread."""
        return settled(self.share, self.threshold, self.most)

    def needed(self, deviation: Floats, wanted: Floats, count: Ints, steady: Bools) -> Ints:
        """Points with which a change by `wanted` is seen even if the spread is larger than it
        looks, or with which the threshold cannot fall any more."""
        varying, constant, doubt = _table(self.most, self.threshold, self.share)
        sure = np.where(steady, 1.0, doubt[np.clip(count, 2, self.most)])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(deviation > 0, wanted / (deviation * sure), np.inf)
        first = _first(varying, _FEWEST, ratio)
        first[steady] = _first(constant, 2, ratio[steady])
        return np.minimum(first, self.enough)

    def probability(self, score: Floats, count: Ints, steady: Bools) -> Floats:
        """Chance of an ordinary value at least as far away."""
        freedom = np.maximum(count - 1, 1) + np.where(steady, _PRIOR, 0)
        return np.where(count < 2, 1.0, 2 * stdtr(freedom, -np.abs(score) / further(count)))


def _first(thresholds: Floats, fewest: int, ratio: Floats) -> Ints:
    """Fewest points with which a distance of that many spreads is seen four times in five."""
    seen = visible_spreads(np.arange(len(thresholds)), thresholds)[fewest:]
    return fewest + np.searchsorted(-seen, -ratio, side="left")  # it falls with the points
