"""Medians and spreads of many series at once.

Rows are series; NaN is "no value". A sorted row has its NaN at the end, so that a median is two
look-ups: several times faster than `numpy.nanmedian`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

NORMAL = 1.4826
"""Standard deviations in one median absolute deviation of normal values."""
CLEANED_FROM = 8
"""With fewer points, an outlier cannot be told from the rest."""
_OFTEN, _OFTEN_NORMAL = 0.8, 1.2816
"""Where most values are one and the same, the rest are ordinary if they are at least a fifth: then
this quantile of the distances tells the deviation, in those of normal values."""
_WIDE = 100
"""Columns from which a row is parted faster than it is sorted."""


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
    measured: Floats
    """Share of the deviation that was measured: less than 1 where the floor is larger."""
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
    1987. Where the MAD is 0, a higher quantile takes its place.
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
    found = np.sqrt(np.maximum(variance, 0.0))
    deviation = np.maximum(found, floor)
    measured = np.divide(found, deviation, out=np.ones_like(found), where=deviation > found)
    return Spread(center=center, deviation=deviation, measured=measured, count=count, steady=steady)


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
        robust = _robust(np.sort(size, axis=1), count[rows])
        limit = allowance[rows] * np.fmax(robust, floor[rows])
        limit[count[rows] < CLEANED_FROM] = np.inf
        with np.errstate(invalid="ignore"):
            kept = size <= limit[:, None]
        away[rows] = choose(kept, some, 0.0)
        number[rows] = kept.sum(axis=1)
    return number


def _robust(size: Floats, count: Ints) -> Floats:
    """Robust deviation of each row.

    Args:
        size: Distances from the median, ascending.
        count: How many there are.
    """
    robust = NORMAL * _middle(size, count)
    rows = np.flatnonzero(robust == 0)
    if len(rows):
        place = np.ceil(_OFTEN * count[rows]).astype(np.intp) - 1
        robust[rows] = size[rows, np.maximum(place, 0)] / _OFTEN_NORMAL
    return robust


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
