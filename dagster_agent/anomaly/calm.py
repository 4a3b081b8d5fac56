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

from dagster_agent.anomaly.robust import Bools, Floats, Ints

_NEAR = 0.99
"""Share of a limit from which a sum that was made in another order is not trusted."""
_ROUNDING = 1e-12
"""Largest error of a running sum, as a share of its largest value."""


def windows_of(
    rest: Floats, blocks: Sequence[slice], most: int
) -> Iterator[tuple[slice, Floats, Ints]]:
    """The points before each block, the newest `most`; blocks with about as many at once.

    Yields:
        The blocks by number; their points, block within series by point, NaN before the first;
        and how many columns lie before each block.
    """
    starts = np.array([block.start for block in blocks], dtype=np.intp)
    sizes = np.minimum(starts, most)
    alike = np.where(sizes < most, np.ceil(np.log2(sizes + 2)), 0.0)
    edges = [0, *(np.flatnonzero(np.diff(alike)) + 1).tolist(), len(blocks)]
    for first, after in itertools.pairwise(edges):
        here, width = starts[first:after], max(int(sizes[after - 1]), 1)
        places = here[:, None] - width + np.arange(width)
        laid = np.take(rest, np.maximum(places, 0).ravel(), axis=1).reshape(
            len(rest), *places.shape
        )
        if (places < 0).any():
            laid[:, places < 0] = np.nan
        yield slice(first, after), laid.reshape(-1, width), here


def may_have_shifted(
    rest: Floats,
    blocks: Sequence[slice],
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
    certain, so none of them is needed to rule one out.

    Args:
        rest: Series by moment, without gaps.
        blocks: Of the columns.
        before: First column of each stretch.
        stop: The column after its last.
        center: Level known before each stretch, series by stretch.
        spread: The same of the spread.
        limit: Standard errors of the mean from which it is far off.
        reach: Spreads at which a point's distance is cut: a stretch with such a point is doubtful.
    """
    starts = [block.start for block in blocks]
    number = np.searchsorted(starts, before, side="right") - 1
    final = np.searchsorted(starts, stop, side="left") - 1
    highest, lowest = np.maximum.reduceat(rest, starts, 1), np.minimum.reduceat(rest, starts, 1)
    cut = np.zeros(center.shape, dtype=np.bool_)
    for back in range(int((final - number).max(initial=0)) + 1):
        block = np.maximum(final - back, number)
        cut |= highest[:, block] - center > reach * spread
        cut |= center - lowest[:, block] > reach * spread
    middle = center[:, -1:]
    total = np.zeros((len(rest), rest.shape[1] + 1))
    np.cumsum(rest - middle, axis=1, out=total[:, 1:])
    size = stop - before
    away = np.abs(total[:, stop] - total[:, before] - size * (center - middle))
    away += _ROUNDING * np.abs(total).max(axis=1, initial=0.0)[:, None]
    away += _ROUNDING * size * np.abs(center - middle)
    return cut | (away >= _NEAR * limit * spread * np.sqrt(size))
