"""What each phase of a cycle adds to the level, believed as far as the weeks agree about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_agent.anomaly.robust import NORMAL, Bools, Floats, Ints, choose, medians

_NEAR = 4.5
"""Robust deviations from its phase beyond which a point teaches nothing."""
_ROUNDING = 1e-9
"""Share of the largest distance that is none: logarithms in other units differ by so little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a cycle does to some series."""

    effect: Floats
    """By series and moment: to be taken off; 0 where the phase was never seen."""
    error: Floats
    """Distance that is left where every week is told by the others, as a share of the distance to
    the level."""
    weeks: Floats
    """Weeks behind the effect of the rarest phase."""
    kept: Floats
    """Share of the differences between the phases that is believed."""


def learn_effects(flat: Floats, rest: Floats, phase: Ints, week: Ints) -> Effects:
    """Mean of each phase, drawn towards the level by as much as chance explains.

    All phases share one spread, so that a few weeks are enough to tell chance from season. The
    means of one phase and week count once: hours of a day are alike for other reasons.

    Args:
        flat: Series by moment, their level taken off; NaN where nothing is known.
        rest: The same with the median of the phase taken off: tells what stands far out.
        phase: Of each moment.
        week: Of each moment.

    Source: shrinkage of James and Stein 1961, positive part.
    """
    phases, phase = np.unique(phase, return_inverse=True)
    weeks, week = np.unique(week, return_inverse=True)
    size = np.abs(rest)
    count = np.isfinite(size).sum(axis=1)
    nothing = _ROUNDING * np.max(size, axis=1, initial=0.0, where=np.isfinite(size))
    # of few points, one is the median itself
    apart = choose(size > nothing[:, None], size, np.nan)
    limit = _NEAR * (1 + 10 / np.maximum(count, 1)) * NORMAL * np.nan_to_num(medians(apart))
    with np.errstate(invalid="ignore"):
        near = size <= limit[:, None]
    mean, seen = _means(
        choose(near, flat, np.nan), phase, week, (len(flat), len(phases), len(weeks))
    )
    level = mean.sum(axis=(1, 2)) / np.maximum(seen.sum(axis=(1, 2)), 1)
    mean = np.where(seen, mean - level[:, None, None], 0.0)
    told, known = mean.sum(axis=2), seen.sum(axis=2)
    kept = _kept(mean, seen)
    effect = kept[:, None] * told / np.maximum(known, 1)
    others = (told[:, :, None] - mean) / np.maximum(known[:, :, None] - seen, 1)
    left = flat - level[:, None] - kept[:, None] * others[:, phase, week]
    plain = np.where(near, np.abs(flat), 0.0).sum(axis=1)
    error = np.where(near, np.abs(left), 0.0).sum(axis=1)
    return Effects(
        effect=effect[:, phase],
        error=np.divide(error, plain, out=np.ones(len(flat)), where=plain > 0),
        weeks=np.where(known > 0, known, np.inf).min(axis=1),
        kept=kept,
    )


def _means(
    values: Floats, phase: Ints, week: Ints, shape: tuple[int, int, int]
) -> tuple[Floats, Bools]:
    """By series, phase and week: mean, 0 where there is none; and where there is one."""
    number, total = np.zeros(shape), np.zeros(shape)
    known = np.isfinite(values)
    for column in np.flatnonzero(known.any(axis=0)).tolist():
        place = slice(None), phase[column], week[column]
        number[place] += known[:, column]
        total[place] += choose(known[:, column], values[:, column], 0.0)
    seen = number > 0
    return np.divide(total, number, out=np.zeros(shape), where=seen), seen


def _kept(mean: Floats, seen: Bools) -> Floats:
    """By series: share of the differences between phases that chance does not explain.

    Args:
        mean: By series, phase and week; 0 where there is none.
        seen: Where there is one.
    """
    known = seen.sum(axis=2)
    center = mean.sum(axis=2) / np.maximum(known, 1)
    between = (known * center**2).sum(axis=1)
    within = (np.where(seen, mean - center[:, :, None], 0.0) ** 2).sum(axis=(1, 2))
    phases = (known > 0).sum(axis=1)
    free = np.maximum(known.sum(axis=1) - phases, 1)
    chance = within / free * np.maximum(phases - 3, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.maximum(1 - chance / between, 0.0)
    return np.nan_to_num(kept, nan=0.0)
