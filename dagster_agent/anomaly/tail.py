"""How heavy the tails of a series are: how far its ordinary values may be.

Far values are rare, so that a history of some weeks hardly tells a normal series from one with
tails like those of Student's t with 5 degrees of freedom, and one must not be bought with false
alarms of the other. What the points say for the one or the other are odds: the likelier the
series is normal, the more of the values of a heavy tail may lie beyond its limit, as much as keeps
the false alarms of all heavy-tailed series together within bounds. With a year of points the
series speaks for itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from dagster_agent.anomaly.robust import NORMAL, Bools, Floats, medians

_HEAVY = 5.0
"""Degrees of freedom of what counts as a heavy tail."""
_UNIT = 0.83
"""Its unit in standard deviations, estimated without the points that stand far out."""
_SURE = 0.7
"""Part of the allowed share of false alarms that a series gets whose tail is heavy for sure; one
that is as likely normal gets twice as much."""
_FEWEST = 14
"""Points before a tail can be looked at."""
_LOOKED_AT = 4.0
"""Standard deviations beyond which a point may be a fault, which says nothing about tails."""
_FAULT = 7.0
"""The same in robust deviations, which faults do not move: points further away are left out."""
_DOUBTED, _DOUBT = 8, 0.15
"""Points that hardly tell a spread, and by how much limits are widened then; the doubt goes with
the square of the points."""


def share_beyond(tail: Floats | float) -> Floats:
    """Share of the values of a heavy-tailed series that lie further than so many spreads."""
    return np.asarray(2 * stdtr(_HEAVY, -np.asarray(tail) / _UNIT), dtype=np.float64)


def usual_tail(share: float) -> float:
    """The tail of a series of which nothing is known; arguments and result as of `tails_of`."""
    return float(_reach(np.array([2 * _SURE * share]))[0])


def further_out(count: NDArray[Any], share: float) -> Floats:
    """By how much the limits of a heavy tail are wider because level and spread were estimated from
    that many points: so many that few degrees of freedom are left. Fitted to simulated series."""
    freedom = 1 / (1 / _HEAVY + 2.5 / (count - 1) ** 2)
    unit = (1 + 1.5 / count) * np.sqrt(1 + np.pi / 2 / count)
    wider = 1 + _DOUBT * (_DOUBTED / np.maximum(count, _DOUBTED)) ** 2
    limit = unit * wider * stdtrit(freedom, 1 - _SURE * share)
    return np.asarray(limit / stdtrit(_HEAVY, 1 - _SURE * share), dtype=np.float64)


def tails_of(rest: Floats, share: float) -> Floats:
    """How many spreads ordinary values of each series may be away, were its spread known.

    Args:
        rest: Series by moment, trend and season taken off; the newest column is judged and
            teaches nothing.
        share: Allowed share of false alarms.
    """
    past = rest[:, :-1]
    count, moment = _moments(past)
    odds = np.ones(len(rest))
    told = np.flatnonzero((count >= _FEWEST) & (moment > 0))
    odds[told] = _odds(count[told], np.log(moment[told]))
    return _reach(np.minimum(_SURE * share * (1 + odds), 0.5))


def _reach(share: Floats) -> Floats:
    """Of what lies beyond it; from a table, as the exact function costs more than all the rest."""
    logs, reach = _inverse()
    return np.interp(np.log(share), logs, reach)


@cache
def _inverse() -> tuple[Floats, Floats]:
    share: Floats = np.geomspace(1e-6, 0.5, 400, dtype=np.float64)
    return np.log(share), np.asarray(_UNIT * stdtrit(_HEAVY, 1 - share / 2), dtype=np.float64)


def _moments(past: Floats) -> tuple[Floats, Floats]:
    """Points of each series, and their fourth moment in units of the squared second: 3 of normal
    values. Faults are left out."""
    known = np.isfinite(past)
    count = known.sum(axis=1).astype(np.float64)
    whole = bool(known.all())
    divisor = np.maximum(count, 1)[:, None]
    filled = past if whole else np.where(known, past, 0.0)
    away = filled - filled.sum(axis=1, keepdims=True) / divisor
    if not whole:
        away *= known
    square = np.square(away, out=away)
    second = square.sum(axis=1)
    rows = np.flatnonzero(square.max(axis=1, initial=0.0) > _LOOKED_AT**2 * second / divisor[:, 0])
    fourth = np.einsum("ij,ij->i", square, square)
    if len(rows):
        count[rows], second[rows], fourth[rows] = _without_faults(past[rows], known[rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        return count, np.nan_to_num(count * fourth / second**2, nan=0.0, posinf=0.0)


def _without_faults(past: Floats, known: Bools) -> tuple[Floats, Floats, Floats]:
    """Points, sum of their squared distances from the median, and of the fourth powers."""
    away = past - medians(past)[:, None]
    reach = _FAULT * (1 + 10 / np.maximum(known.sum(axis=1), 1))
    limit = reach * NORMAL * medians(np.abs(away))
    with np.errstate(invalid="ignore"):
        kept = np.abs(away) <= limit[:, None]
    square = np.where(kept, away, 0.0) ** 2
    return kept.sum(axis=1), square.sum(axis=1), np.einsum("ij,ij->i", square, square)


def _odds(count: Floats, moment: Floats) -> Floats:
    """How much likelier the logarithm of the fourth moment is of normal values than of heavy-tailed
    ones. About normal itself; its means and deviations are fitted to simulated series."""
    normal, spread = np.log(3) - 1.3 / count, 1.63 / np.sqrt(count + 20)
    heavy = 1.66 - 16.7 / (count + 23)
    wide = np.minimum(0.375, 3.9 / np.sqrt(count + 50))
    moment = np.maximum(moment, normal - spread)  # flat tops are no reason for heavy tails
    apart = ((moment - heavy) / wide) ** 2 - ((moment - normal) / spread) ** 2
    return np.asarray(np.exp(np.minimum(apart / 2, 50.0)) * wide / spread, dtype=np.float64)
