"""Is yesterday there, and as large as the days like it? Pure arithmetic over rows per day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from dagster_agent.quality.freshness.arrivals import Hour

_WEEKS_ALIKE, _DAYS = 4, 14
_FEW = 20
"""Below so many rows a day, a small day says nothing."""
_COMPLETE = 0.9
"""A day is complete when nine tenths of its rows are there."""
_NEAR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDay:
    """Yesterday, measured by the days like it."""

    day: date
    """Which day."""
    rows: int
    """Its rows so far."""
    smallest: int
    """Rows of the smallest day like it."""
    usual: float
    """Median of the days like it."""
    limit: float
    """Rows below which it counts as incomplete."""
    alike: int
    """How many days like it were looked at."""

    @property
    def late(self) -> bool:
        """It is missing, or much smaller than any day like it."""
        return self.rows < self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLook:
    """How many rows of the day before were there when somebody looked."""

    at: datetime
    """UTC."""
    rows: int
    """Then."""


def yesterday(
    hours: Sequence[Hour], now: datetime, zone: ZoneInfo, *, dates: bool, share: float
) -> LateDay | None:
    """Compare yesterday with the same weekday of earlier weeks, else with the days before.

    Days without a row count as such, so that a table without Sundays misses none.

    Args:
        hours: Hours with rows, oldest first.
        now: UTC.
        zone: Where days begin.
        dates: Whether the hours are whole days.
        share: Of the smallest day alike, below which it is incomplete.

    Returns:
        None where there are too few days to compare with, or too few rows in them to tell.
    """
    by_day = rows_by_day(hours, zone, dates=dates)
    if not by_day:
        return None
    day = now.astimezone(zone).date() - timedelta(days=1)
    first = min(by_day) + timedelta(days=1)  # the first day was looked at in part
    weeks = [day - timedelta(days=7 * n) for n in range(1, 9)]
    alike = [d for d in weeks if d >= first]
    if len(alike) < _WEEKS_ALIKE:
        alike = [d for n in range(1, 29) if (d := day - timedelta(days=n)) >= first]
        if len(alike) < _DAYS:
            return None
    counts = [by_day.get(d, 0) for d in alike]
    smallest, usual = min(counts), float(median(counts))
    if usual < _FEW:
        return None
    return LateDay(
        day=day,
        rows=by_day.get(day, 0),
        smallest=smallest,
        usual=usual,
        limit=smallest * share,
        alike=len(counts),
    )


def rows_by_day(hours: Iterable[Hour], zone: ZoneInfo, *, dates: bool) -> Mapping[date, int]:
    """Rows of each day that has any."""
    found: Counter[date] = Counter()
    for hour in hours:
        # the moment of a date is the end of its day
        inside = hour.first - timedelta(seconds=1) if dates else hour.first
        found[inside.astimezone(zone).date()] += hour.rows
    return found


def usually_complete(
    looks: Iterable[DayLook],
    by_day: Mapping[date, int],
    now: datetime,
    zone: ZoneInfo,
    *,
    least: int,
) -> bool | int:
    """Whether at this time of day the day before is usually complete, by earlier looks.

    Args:
        looks: In any order.
        by_day: Rows of each day, as they are now.
        now: UTC.
        zone: Where days begin.
        least: Days with a look at this time of day or before that are needed.

    Returns:
        Yes or no, or how many such days there are, where these are too few.
    """
    clock = _since_midnight(now, zone) + _NEAR
    latest: dict[date, DayLook] = {}
    for look in sorted(looks, key=lambda each: each.at):
        day = look.at.astimezone(zone).date() - timedelta(days=1)
        if look.at < now - timedelta(hours=12) and _since_midnight(look.at, zone) <= clock:
            latest[day] = look
    judged = [look.rows >= _COMPLETE * by_day[day] for day, look in latest.items() if day in by_day]
    if len(judged) < least:
        return len(judged)
    return sum(judged) >= _COMPLETE * len(judged)


def _since_midnight(moment: datetime, zone: ZoneInfo) -> timedelta:
    local = moment.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), tzinfo=zone)
    return local.astimezone(UTC) - midnight.astimezone(UTC)
