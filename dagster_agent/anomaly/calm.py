"""Series in which nothing stands out, judged in one go.

Most series are ordinary at every point, and then what is ordinary before each block of columns is
known from the start: simply the points before it. So all blocks of all series are judged at once
as if nothing were odd. Whatever then looks odd, or might, is no verdict: that series is walked
through block by block.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from dagster_agent.anomaly.robust import CLEANED_FROM, Bools, Floats, Ints

_NEAR = 0.99
"""Share of a limit from which a sum that was made in another order is not trusted."""
_FEW = 10
"""Series of which gaps are looked at faster than their blocks one after the other."""
_ROUNDING = 1e-12
"""Largest error of a sum, as a share of the largest value times their number."""


def windows_of(
    rest: Floats, blocks: Sequence[slice], most: int
) -> Iterator[tuple[slice, Floats, Ints]]:
    """The points before each block, the newest `most`; blocks with as many at once, and those with
    hardly any.

    Yields:
        The blocks by number; their points, block within series by point, NaN before the first;
        and how many columns lie before each block.
    """
    starts = np.array([block.start for block in blocks], dtype=np.intp)
    sizes = np.minimum(starts, most)
    fewest = CLEANED_FROM - 1 if len(rest) > _FEW else most
    alike = np.maximum(sizes, fewest)
    edges = [0, *(np.flatnonzero(np.diff(alike)) + 1).tolist(), len(blocks)]
    for first, after in itertools.pairwise(edges):
        here, width = starts[first:after], int(sizes[after - 1])
        laid = np.full((len(rest), len(here), width), np.nan)
        for place, start in enumerate(here.tolist()):
            size = min(start, width)
            laid[:, place, width - size :] = rest[:, start - size : start]
        yield slice(first, after), laid.reshape(len(rest) * len(here), width), here


def may_have_shifted(
    rest: Floats,
    before: Ints,
    stop: Ints,
    *,
    center: Floats,
    spread: Floats,
    limit: float,
    reach: float,
) -> Bools:
    """By series and stretch: whether the mean from `before` to `stop` may be far off.

    Neighbours that are alike, the uncertainty of a trend and of the center only make a shift less
    certain, so none of them is needed to rule one out. Where a point is cut, the mean moves: by no
    more than the furthest of all is cut for each point, and if that does not rule a shift out, by
    no more than each is cut itself.

    Args:
        rest: Series by moment, without gaps.
        before: First column of each stretch.
        stop: The column after its last.
        center: Level known before each stretch, series by stretch.
        spread: The same of the spread.
        limit: Standard errors of the mean from which it is far off.
        reach: Spreads at which a point's distance is cut.
    """
    stretches = _Stretches(before, stop)
    size, reached = stop - before, reach * spread
    highest, lowest = rest.max(axis=1)[:, None], rest.min(axis=1)[:, None]
    far = _NEAR * limit * spread * np.sqrt(size)
    far -= _ROUNDING * rest.shape[1] * np.maximum(np.abs(highest), np.abs(lowest))
    cut = np.maximum(highest - center, center - lowest) - reached
    away = np.abs(stretches.sums(rest) - size * center) + size * np.maximum(cut, 0.0)
    found = np.asarray(away >= far, dtype=np.bool_)
    rows = np.flatnonzero(found.any(axis=1))
    if len(rows):
        away = _at_most(rest[rows], center[rows], reached[rows], stretches, size)
        found[rows] = away >= far[rows]
    return found


def _at_most(
    rest: Floats, center: Floats, reached: Floats, stretches: _Stretches, size: Ints
) -> Floats:
    """How far the sums of points that are cut at `reached` from the center may be from it.

    A stretch has a center and a reach of its own; all points are cut at the furthest of these, and
    by how much more the nearest would cut each is added.
    """
    middle = center[:, -1:]
    level = center - middle
    least = (reached - np.abs(level)).min(axis=1)[:, None]
    most = (reached + np.abs(level)).max(axis=1)[:, None]
    some = np.clip(rest - middle, -most, most)
    more = stretches.sums(np.maximum(np.abs(some) - least, 0.0))
    return np.abs(stretches.sums(some) - size * level) + more


class _Stretches:
    """Columns from one to another, many times."""

    def __init__(self, before: Ints, stop: Ints) -> None:
        self._edges = np.unique(np.concatenate([before, stop]))
        self._first = np.searchsorted(self._edges, before)
        self._last = np.searchsorted(self._edges, stop)

    def sums(self, values: Floats) -> Floats:
        """Sum of each, series by stretch."""
        edges = self._edges
        total = np.zeros((len(values), len(edges)))
        parts = np.add.reduceat(values[:, : edges[-1]], edges[:-1], axis=1)
        np.cumsum(parts, axis=1, out=total[:, 1:])
        return np.take(total, self._last, axis=1) - np.take(total, self._first, axis=1)
