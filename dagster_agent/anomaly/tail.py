"""How heavy the tails of a series are: by how much its limits are wider than normal ones.

Far values are rare, so that a history of some weeks says little about how far ordinary ones may
be. What it says is therefore weighed against what is usual of such series: tails like those of
Student's t with 5 degrees of freedom. With years of points the series speaks for itself.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dagster_agent.anomaly.robust import NORMAL, Floats

_USUAL = 1.2
"""Tail of Student's t with 5 degrees of freedom, measured as here; that of a normal one is 1."""
_WEIGHT = 60
"""Points that this knowledge counts for."""
_MOST = 1.6
"""No tail counts as heavier."""
_FROM, _TO = 0.88, 0.98
"""Shares of the distances, in order, between which the tail is looked at: beyond are faults."""
_FEWEST = 14
"""Points before a tail can be looked at; before that it says what a normal one would."""


def tail_of(rest: Floats) -> Floats:
    """By how much the limits of each series are widened.

    The mean of the far distances from the median, but for the furthest fiftieth, in units of the
    median distance, and that as a multiple of what it is for normal values.

    Args:
        rest: Series by moment, trend and season taken off; the newest column is judged and
            teaches nothing.
    """
    past = rest[:, :-1].astype(np.float32)  # no spread is a thousandth of the level: see floors
    past.sort(axis=1)
    count = past.shape[1] - np.isnan(past).sum(axis=1)
    heavy = np.ones(len(rest))
    for known in np.unique(count[count >= _FEWEST]).tolist():
        rows = np.flatnonzero(count == known)
        ordered = past[:, :known] if len(rows) == len(past) else past[rows, :known]
        heavy[rows] = _ratio(ordered)
    heavy = (count * heavy + _WEIGHT * _USUAL) / (count + _WEIGHT)
    return np.asarray(np.clip(heavy, 1.0, _MOST) ** 2, dtype=np.float64)


def _ratio(ordered: NDArray[np.float32]) -> Floats:
    """Of ascending rows without gaps.

    The values nearest to the median lie side by side, and the furthest at the ends: distances need
    not be sorted again.
    """
    count = ordered.shape[1]
    first, last = _stretch(count)
    away = ordered - (ordered[:, (count - 1) // 2, None] + ordered[:, count // 2, None]) / 2
    half = count // 2 + 1
    near = np.maximum(-away[:, : count - half + 1], away[:, half - 1 :]).min(axis=1)
    most = count - first
    ends = np.concatenate([-away[:, :most], away[:, -most:]], axis=1)
    ends.sort(axis=1)
    beyond = count - last
    far = ends[:, most : 2 * most - beyond].mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = far / (near * NORMAL * _normal(count))
    return np.nan_to_num(ratio, nan=1.0, posinf=1.0)


def _stretch(count: int) -> tuple[int, int]:
    """First of the far distances, and the one after the last."""
    first = int(_FROM * count)
    return first, max(int(_TO * count), first + 1)


@cache
def _normal(count: int) -> float:
    """Mean of the far distances of that many normal values; Blom's approximation."""
    first, last = _stretch(count)
    place = (np.arange(first, last, dtype=np.float64) + 1 - 0.375) / (count + 0.25)
    return float(np.mean(ndtri((1 + place) / 2)))
