"""What the calendar does to a series: chosen from the data, never assumed.

A season is believed if it explains values that it was not learned from: what the other weeks teach
must bring each week closer to its level. Noise cannot do that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dagster_agent.anomaly.calendar import DAY, WEEK, Moments
from dagster_agent.anomaly.effects import learn_effects
from dagster_agent.anomaly.robust import NORMAL, Bools, Floats, Ints, medians

NAMES = ("none", "weekday", "hour of day", "hour of week")
"""Of the cycles, by number."""
_BETTER = 0.9
"""A cycle must leave at most this share of the distance to the level."""
_BELIEVED = 0.8
"""Share of the differences between its phases that must be more than chance."""
_MONTH_BETTER = 0.6
"""The same for one day of the month, of which there are few observations."""
_MONTH_SPREADS = 3.0
"""A day of the month must stand out by this many spreads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """The part of each value that the calendar explains."""

    effect: Floats
    """What to take off each value."""
    cycle: Ints
    """Chosen cycle of each series, an index of `NAMES`."""
    monthly: Bools
    """Whether days of the month stand out as well."""
    weeks: Floats
    """Weeks behind each effect of the cycle; infinite without a cycle."""
    kept: Floats
    """Share of the differences between the phases that was believed; 1 without a cycle."""


def decidable(moments: Moments) -> bool:
    """Whether there are weeks enough to tell a season from chance."""
    return moments.step > 1.5 * DAY or moments.span >= 3 * WEEK - DAY / 2


def learn_season(values: Floats, moments: Moments) -> Season:
    """Choose the cycle of each series and learn its effects.

    Args:
        values: Series by moment; the newest column is judged and teaches nothing.
        moments: The columns.
    """
    known = values.copy()
    known[:, -1] = np.nan
    flat = known - _weekly_level(known, moments)
    season = Season(
        effect=np.zeros_like(values),
        cycle=np.zeros(len(values), dtype=np.intp),
        monthly=np.zeros(len(values), dtype=np.bool_),
        weeks=np.full(len(values), np.inf),
        kept=np.ones(len(values)),
    )
    if decidable(moments):
        season = _with_cycle(season, flat, moments)
    if moments.step <= 1.5 * DAY and len(np.unique(moments.month)) > 3:
        season = _with_month_days(season, flat, moments)
    return season


def _weekly_level(values: Floats, moments: Moments) -> Floats:
    """Medians of weeks, joined by straight lines from the middle of one to that of the next: a
    trend must not look like a season."""
    week = moments.week
    numbers = np.unique(week)[::-1]
    weeks = [np.flatnonzero(week == number) for number in numbers]
    middle = _group_medians(values, weeks)
    unknown = ~np.isfinite(middle)
    if unknown.any():
        middle = np.where(unknown, np.nan_to_num(medians(values))[:, None], middle)
    if len(weeks) == 1:
        return np.broadcast_to(middle, values.shape)
    time = np.array([moments.seconds[columns].mean() for columns in weeks])
    right = np.clip(np.searchsorted(time, moments.seconds), 1, len(time) - 1)
    share = (moments.seconds - time[right - 1]) / (time[right] - time[right - 1])
    level = np.take(np.diff(middle, axis=1), right - 1, axis=1)
    level *= np.clip(share, 0.0, 1.0)
    level += np.take(middle, right - 1, axis=1)
    return level


def _cycles(moments: Moments) -> list[tuple[int, Ints]]:
    """Possible cycles with the phase of each column."""
    if moments.step > 1.5 * DAY:
        return []
    found = [(1, moments.weekday)]
    if moments.step <= DAY / 4:
        found += [(2, moments.hour), (3, moments.weekday * 24 + moments.hour)]
    return found


def _with_cycle(season: Season, flat: Floats, moments: Moments) -> Season:
    known = np.maximum(np.isfinite(flat).sum(axis=1), 1)
    plain = _total(np.abs(flat)) / known
    best = plain * _BETTER
    for number, phase in _cycles(moments):
        rest = _within(flat, phase)
        rows = np.flatnonzero((_total(np.abs(rest)) / known < best) & (plain > 0))
        if not len(rows):
            continue  # no season does better on other weeks than on its own
        found = learn_effects(flat[rows], rest[rows], phase, moments.week)
        error = found.error * plain[rows]
        chosen = np.flatnonzero((error < best[rows]) & (found.kept > _BELIEVED))
        rows = rows[chosen]
        season.effect[rows] = found.effect[chosen]
        season.cycle[rows] = number
        season.weeks[rows], season.kept[rows] = found.weeks[chosen], found.kept[chosen]
        best[rows] = error[chosen] * _BETTER
    return season


def _within(flat: Floats, phase: Ints) -> Floats:
    """Each value without the median of its phase."""
    numbers, place = np.unique(phase, return_inverse=True)
    groups = [np.flatnonzero(phase == each) for each in numbers]
    return flat - np.take(np.nan_to_num(_group_medians(flat, groups)), place, axis=1)


def _total(sizes: Floats) -> Floats:
    """Sum of each row, NaN ignored; where there are NaN, they become 0."""
    total = sizes.sum(axis=1)
    rows = np.flatnonzero(np.isnan(total))
    if len(rows) == len(total):
        sizes[np.isnan(sizes)] = 0.0
        return np.asarray(sizes.sum(axis=1), dtype=np.float64)
    total[rows] = np.nansum(sizes[rows], axis=1)
    return np.asarray(total, dtype=np.float64)


def _with_month_days(season: Season, flat: Floats, moments: Moments) -> Season:
    """Days of the month, and the last day of each, that stand out after the cycle."""
    rest = flat - season.effect if season.cycle.any() else flat
    size = np.abs(rest).astype(np.float32)  # only compared with what is several times larger
    limit = _MONTH_SPREADS * NORMAL * np.nan_to_num(medians(size[:, :-1]))
    odd = moments.month % 2 == 1
    monthly = np.zeros(len(flat), dtype=np.bool_)
    days = [np.flatnonzero(moments.month_day == each) for each in range(1, 33)]
    days = [here for here in days if len(np.unique(moments.month[here])) >= 3]
    some = _may_stand_out(size, limit, days)
    effects = np.nan_to_num(_group_medians(rest[some], days))
    standing = np.abs(effects) > limit[some, None]
    for place in np.flatnonzero(standing.any(axis=0)):
        here = days[place]
        chosen = np.flatnonzero(standing[:, place])
        chosen = chosen[_crossed_month(rest[np.ix_(some[chosen], here)], odd[here])]
        season.effect[np.ix_(some[chosen], here)] += effects[chosen, place][:, None]
        monthly[some[chosen]] = True
    return replace(season, monthly=monthly)


def _may_stand_out(size: NDArray[np.float32], limit: Floats, days: Sequence[Ints]) -> Ints:
    """Series of which at least half of the known points of some day are beyond the limit: no
    median can be beyond it otherwise."""
    if not days:
        return np.zeros(0, dtype=np.intp)
    last = size.shape[1] - 1  # it is unknown in any case
    known = np.array([np.count_nonzero(here < last) for here in days])
    beyond = size > limit[:, None]
    far = np.zeros((len(size), len(days)), dtype=np.intp)
    rows = np.flatnonzero(np.count_nonzero(beyond, axis=1) >= (known.min() + 1) // 2)
    columns, starts = np.concatenate(days), np.cumsum([0, *(len(here) for here in days[:-1])])
    laid = np.take(beyond[rows], columns, axis=1).astype(np.int32)
    far[rows] = np.add.reduceat(laid, starts, axis=1)
    gaps = np.isnan(size[:, :last].sum(axis=1))
    return np.flatnonzero(gaps | ((2 * far >= known) & (far > 0)).any(axis=1))


def _group_medians(values: Floats, groups: Sequence[Ints]) -> Floats:
    """Median of each group of columns, groups of one length in one sort."""
    found = np.empty((len(values), len(groups)))
    for length in sorted({len(group) for group in groups}):
        alike = [place for place, group in enumerate(groups) if len(group) == length]
        columns = np.concatenate([groups[place] for place in alike])
        laid = np.take(values, columns, axis=1).reshape(-1, length)
        found[:, alike] = medians(laid).reshape(len(values), len(alike))
    return found


def _crossed_month(values: Floats, odd: Bools) -> Bools:
    """Whether each half of the months is closer to what the other half says than to the level."""
    plain, error = np.zeros(len(values)), np.zeros(len(values))
    for half in (odd, ~odd):
        if not half.any() or half.all():
            return np.zeros(len(values), dtype=np.bool_)
        told = np.nan_to_num(medians(values[:, ~half]))
        plain += np.nansum(np.abs(values[:, half]), axis=1)
        error += np.nansum(np.abs(values[:, half] - told[:, None]), axis=1)
    return error < _MONTH_BETTER * plain
