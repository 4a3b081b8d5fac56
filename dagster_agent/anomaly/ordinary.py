"""The ordinary points of many series, each in the order in which they came."""

from __future__ import annotations

import numpy as np

from dagster_agent.anomaly.robust import Bools, Floats

_EARLY = 80
"""How many points are the early ones."""


def blocks_of(columns: int) -> list[slice]:
    """Columns that are judged by the same ordinary points: half as many as came before them, two
    weeks of a young history at most, four of a longer one, and the newest alone."""
    found: list[slice] = []
    start = 0
    while start < columns - 1:
        size = min(max(start // 2, 1), 14 if start < _EARLY else 28)
        found.append(slice(start, min(start + size, columns - 1)))
        start = found[-1].stop
    return [*found, slice(columns - 1, columns)]


class Ordinary:
    """Keeps them without gaps, so that the newest of all series lie side by side."""

    def __init__(self, rows: int, columns: int, most: int) -> None:
        """`most`: how many of the newest are looked at."""
        self._most = most
        self._values = np.full((rows, most + columns), np.nan)
        self._end = np.full(rows, most, dtype=np.intp)

    def newest(self, columns: int) -> Floats:
        """The newest of each series, oldest first, NaN before them.

        Args:
            columns: That have been kept so far: no series can have more points.
        """
        size = min(columns, self._most)
        first = self._end.min(initial=self._most)
        if first == self._end.max(initial=self._most):
            return self._values[:, first - size : first]
        width = self._values.shape[1]
        places = (np.arange(len(self._end)) * width + self._end - size)[:, None] + np.arange(size)
        return self._values.ravel().take(places)

    def keep(self, values: Floats, ordinary: Bools) -> None:
        """Add the newest columns, those that are not ordinary left out."""
        size = values.shape[1]
        whole = ordinary.all(axis=1)
        rows = np.flatnonzero(whole)
        self._values[rows[:, None], self._end[rows, None] + np.arange(size)] = values[rows]
        self._end[rows] += size
        rows = np.flatnonzero(~whole)
        if len(rows):
            kept = ordinary[rows]
            each, column = np.nonzero(kept)
            places = self._end[rows[each]] + np.cumsum(kept, axis=1)[each, column] - 1
            self._values[rows[each], places] = values[rows[each], column]
            self._end[rows] += kept.sum(axis=1)
