"""How far from the usual level is too far, depending on what is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtr, stdtrit

from dagster_agent.anomaly.robust import Bools, Floats, Ints, Spread, choose
from dagster_agent.anomaly.tail import further_out, share_beyond, usual_tail

POWER = 0.8416
"""Standard normal quantile of 0.8: seen four times in five."""
_PRIOR = 4
"""Points that a constant history counts for in addition: its spread is not estimated."""
_LEAST = 1e-3
"""No spread is taken as smaller than this share of the floor."""
_FEWEST = 4
"""Fewest points that make a spread."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What depends on the number of points alone."""

    varying: Floats
    """Threshold of normal values."""
    steady: Floats
    """Threshold of a series that was constant so far."""
    further: Floats
    """By how much a limit for heavy tails is wider because the spread was estimated as well."""
    doubt: Floats
    """Largest factor by which a spread may be wider than it looks, with 99 % certainty."""


@cache
def _table(most: int, threshold: float, share: float) -> _Table:
    count = np.arange(most + 1)
    freedom = np.maximum(count - 1, 1).astype(float)
    normal = stdtrit(freedom, 1 - share / 2) * further(count)
    steady = stdtrit(freedom + _PRIOR, 1 - share / 2) * further(count)
    return _Table(
        varying=np.maximum(normal, threshold),
        steady=np.maximum(steady, threshold),
        further=further_out(np.maximum(count, 2), share),
        doubt=np.sqrt(freedom / chdtri(freedom, 0.99)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far is too far, depending on the number of points."""

    most: int
    """Largest number of points."""
    threshold: float
    """Never nearer than this."""
    share: float
    """Share of ordinary values beyond the limit while there are few points."""

    def threshold_of(self, spread: Spread, tail: Floats | None = None) -> Floats:
        """Distance in spreads beyond which a value is unusual. A floor is known, and needs none of
        the room that a spread needs because it was estimated.

        Args:
            spread: What was learned.
            tail: Of each series, see `tail.tails_of`; None where nothing is known of it.
        """
        table = self._table
        wanted = usual_tail(self.share) if tail is None else tail
        count = np.minimum(spread.count, self.most)
        if count.size and count.min() == count.max():
            same = slice(int(count.flat[0]), int(count.flat[0]) + 1)
        else:
            same = count
        varying = np.maximum(table.varying[same], wanted * table.further[same])
        varying = np.maximum(varying * spread.measured, self.threshold)
        return choose(spread.steady, table.steady[same], varying)

    @property
    def _table(self) -> _Table:
        return _table(self.most, self.threshold, self.share)

    @property
    def enough(self) -> int:
        """Points from which there are enough, whatever the spread."""
        return settled(self.share, self.threshold, self.most)

    def needed(self, deviation: Floats, wanted: Floats, count: Ints, steady: Bools) -> Ints:
        """Points with which a change by `wanted` is seen even if the spread is larger than it
        looks, or with which the threshold cannot fall any more."""
        table = self._table
        varying = np.maximum(table.varying, usual_tail(self.share) * table.further)
        sure = np.where(steady, 1.0, table.doubt[np.clip(count, 2, self.most)])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(deviation > 0, wanted / (deviation * sure), np.inf)
        first = _first(varying, _FEWEST, ratio)
        first[steady] = _first(table.steady, 2, ratio[steady])
        return np.minimum(first, self.enough)

    def probability(self, score: Floats, spread: Spread, tail: Floats | None = None) -> Floats:
        """Chance of an ordinary value at least as far away: where the tail sets the limit, that of
        a heavy one, and the allowed share at the limit itself. Arguments as of `threshold_of`."""
        count, steady = spread.count, spread.steady
        freedom = np.maximum(count - 1, 1) + np.where(steady, _PRIOR, 0)
        away = np.abs(score) / np.where(steady, 1.0, np.maximum(spread.measured, _LEAST))
        normal = 2 * stdtr(freedom, -away / further(count))
        wanted = usual_tail(self.share) if tail is None else tail
        apart = away / self._table.further[np.minimum(count, self.most)]
        heavy = self.share * share_beyond(apart) / share_beyond(wanted)
        found = np.where(steady, normal, np.maximum(normal, np.minimum(heavy, 1.0)))
        return choose(count < 2, 1.0, found)


def _first(thresholds: Floats, fewest: int, ratio: Floats) -> Ints:
    """Fewest points with which a distance of that many spreads is seen four times in five."""
    seen = visible_spreads(np.arange(len(thresholds)), thresholds)[fewest:]
    return fewest + np.searchsorted(-seen, -ratio, side="left")  # it falls with the points
