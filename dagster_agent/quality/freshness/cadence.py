"""How often rows come, learned from when they came; pure arithmetic over moments.

How old the newest row is at this hour of the week is compared with how old it was at the same hour
of earlier weeks (of earlier days, while there are fewer than four weeks). So a table that is loaded
on working days is not late on a Sunday, and a stream that stops on Monday morning is late at noon.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from dagster_agent.quality.freshness.arrivals import Hour

_ONE_BATCH = timedelta(hours=1)
"""Rows that follow each other within an hour are one batch."""
_NEAR = timedelta(hours=1)
"""The same hour of another week is this much wide on both sides: summer time, a late night."""
_WEEKS, _MIN_WEEKS, _DAYS = 8, 4, 28
_SPREAD = 1.5
"""How many times the distance between the usual age and the oldest one is allowed on top of it."""
_SLACK, _SLACK_SHARE = timedelta(minutes=15), 0.04
"""On top of that at least a quarter of an hour, or 4 % of the pause between two batches."""
_OUTAGE = 2.0
"""One earlier age more than twice the next one is an outage that is not learned."""
_MIN_FOR_OUTAGE = 6
_SAME_MOMENT_SHARE = 0.8
_FEW_BATCHES = 8
"""Where the hours make fewer batches than this, rows come all the time: then each hour is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """What is usual."""

    every: timedelta
    """Median pause between the ends of two batches."""
    longest: timedelta
    """The longest pause of the last weeks, one in twenty aside."""
    gaps: int
    """Pauses that were seen."""
    usual: timedelta | None = None
    """The greatest age of the newest row at this hour; None while too few weeks are known."""
    limit: timedelta | None = None
    """Age from which it is late at this hour; None while too few weeks are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How old the newest row was when somebody looked."""

    at: datetime
    """UTC."""
    age: timedelta
    """Then."""


def learn(hours: Sequence[Hour], now: datetime, zone: ZoneInfo) -> Cadence | None:
    """The cadence of load times, and the age from which they are late now.

    Args:
        hours: Hours with rows, oldest first.
        now: UTC.
        zone: In whose days and weeks the past repeats.

    Returns:
        None without two batches.
    """
    batches = _batches(hours)
    pauses = [later.last - earlier.last for earlier, later in pairwise(batches)]
    if not pauses:
        return None
    every = _median(pauses)
    ages = _earlier_ages(hours, now, zone)
    usual, limit = _limit(ages, every) if ages else (None, None)
    return Cadence(every=every, longest=_high(pauses), gaps=len(pauses), usual=usual, limit=limit)


def learn_from_looks(
    looks: Iterable[Look], now: datetime, zone: ZoneInfo, *, least: int
) -> tuple[timedelta, timedelta] | int:
    """Usual and latest allowed age by how old the newest row was at earlier looks.

    For rows that say when something happened: the table does not tell when they came.

    Args:
        looks: In any order.
        now: UTC.
        zone: In whose days the past repeats.
        least: Days with a look at about this time of day that are needed.

    Returns:
        Usual age and limit, or how many days with such a look there are, where these are too few.
    """
    by_day: dict[object, timedelta] = {}
    for look in looks:
        local = look.at.astimezone(zone)
        days = round((now - look.at) / timedelta(days=1))
        distance = abs(now - look.at - timedelta(days=days))
        if 0 < days <= _DAYS and distance <= 2 * _NEAR:
            by_day[local.date()] = max(look.age, by_day.get(local.date(), timedelta()))
    if len(by_day) < least:
        return len(by_day)
    return _limit(list(by_day.values()), timedelta(days=1))


def are_load_times(hours: Sequence[Hour]) -> bool:
    """Whether the rows came in batches of one moment each: nothing happens so by itself."""
    several = [hour for hour in hours if hour.rows > 1]
    alike = sum(hour.first == hour.last for hour in several)
    return len(several) >= 3 and alike >= _SAME_MOMENT_SHARE * len(several)


def _batches(hours: Sequence[Hour]) -> list[Hour]:
    """Neighbouring hours as one, where there are breaks between them."""
    found: list[Hour] = []
    for hour in hours:
        if found and hour.first - found[-1].last < _ONE_BATCH:
            before = found.pop()
            hour = Hour(first=before.first, last=hour.last, rows=before.rows + hour.rows)
        found.append(hour)
    return found if len(found) >= _FEW_BATCHES else list(hours)


def _earlier_ages(hours: Sequence[Hour], now: datetime, zone: ZoneInfo) -> list[timedelta]:
    """The greatest age around this hour, in each earlier week, or else on each earlier day."""
    weekly = _ages_every(timedelta(days=7), _WEEKS, hours, now, zone)
    if len(weekly) >= _MIN_WEEKS:
        return weekly
    daily = _ages_every(timedelta(days=1), _DAYS, hours, now, zone)
    return daily if len(daily) >= 7 else []


def _ages_every(
    step: timedelta, times: int, hours: Sequence[Hour], now: datetime, zone: ZoneInfo
) -> list[timedelta]:
    """Ages at the same wall-clock time before the newest row: a long silence excuses nothing."""
    newest, local = hours[-1].last, now.astimezone(zone)
    found: list[timedelta] = []
    back = 0
    while len(found) < times:
        back += 1
        moment = (local - back * step).astimezone(UTC)
        if moment - _NEAR < hours[0].first:
            break
        if moment <= newest:
            found.append(_greatest_age(hours, moment - _NEAR, min(moment + _NEAR, newest)))
    return found


def _greatest_age(hours: Sequence[Hour], since: datetime, until: datetime) -> timedelta:
    """The greatest age between two moments: at their ends, or right before rows came."""
    start = bisect_right(hours, since, key=lambda hour: hour.first)
    end = bisect_right(hours, until, key=lambda hour: hour.first)
    ages = [hours[n].first - hours[n - 1].last for n in range(start, end)]
    return max(since - hours[start - 1].last, until - hours[end - 1].last, timedelta(), *ages)


def _limit(ages: Sequence[timedelta], every: timedelta) -> tuple[timedelta, timedelta]:
    ordered = sorted(ages)
    if len(ordered) >= _MIN_FOR_OUTAGE and ordered[-1] > _OUTAGE * ordered[-2] + _ONE_BATCH:
        ordered.pop()
    usual = ordered[-1]
    slack = max(_SLACK, every * _SLACK_SHARE)
    return usual, usual + _SPREAD * (usual - _median(ordered)) + slack


def _high(pauses: Sequence[timedelta]) -> timedelta:
    ordered = sorted(pauses)
    return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]


def _median(spans: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(each.total_seconds() for each in spans))
