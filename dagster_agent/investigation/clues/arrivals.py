"""Is a source late? Judged by its own history and by what dbt was told of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

from dagster_agent.investigation.accounts.loads import LoadAccount, LoadDay

MIN_DAYS = 7
"""Days with rows from which a cadence can be learned."""
_SLACK_FACTOR, _SLACK = 1.25, timedelta(hours=6)
"""A load may be a quarter of its usual pause late, and at least six hours."""
_ARCHIVE = timedelta(days=60)
"""What has been silent for longer, and nobody declared a freshness for, is kept, not loaded."""
_FEW = 0.1
"""A day with less than a tenth of its usual rows was not loaded properly."""
_MIN_USUAL = 20
"""Below so many rows a day, a quiet day says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing has arrived for longer than usual."""

    newest: datetime
    """The last arrival, UTC."""
    lasted: timedelta
    """Since then."""
    usual: timedelta | None
    """The longest usual pause between two loads; None where the history is too short."""
    limit: timedelta
    """Pause from which it counts as late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinDay:
    """The last whole day brought next to nothing."""

    day: date
    """Which day."""
    rows: int
    """Rows that it brought."""
    usual: float
    """Median of the same weekday, or of all days."""
    limit: int
    """Rows below which it counts as thin."""


def silence(account: LoadAccount, now: datetime) -> Silence | None:
    """How long the source has been silent, where that is too long."""
    if account.newest is None or account.off:
        return None
    usual = usual_pause(account.by_day)
    limit = _limit(account, usual)
    lasted = now - account.newest
    declared = account.error_after_hours or account.warn_after_hours
    if limit is None or lasted <= limit or (not declared and lasted > _ARCHIVE):
        return None
    return Silence(newest=account.newest, lasted=lasted, usual=usual, limit=limit)


def usual_pause(days: tuple[LoadDay, ...]) -> timedelta | None:
    """The longest pause between the last arrivals of two days with rows, one in twenty aside."""
    if len(days) < MIN_DAYS:
        return None
    pauses = sorted(later.newest - earlier.newest for earlier, later in pairwise(days))
    return pauses[math.ceil(0.95 * len(pauses)) - 1]


def _limit(account: LoadAccount, usual: timedelta | None) -> timedelta | None:
    """dbt's freshness bounds what is learned: never below `warn_after`, never above
    `error_after`."""
    learned = None if usual is None else max(usual * _SLACK_FACTOR, usual + _SLACK)
    warn, error = _hours(account.warn_after_hours), _hours(account.error_after_hours)
    if learned is None:
        return error or warn
    limit = max(learned, warn) if warn else learned
    return min(limit, error) if error else limit


def _hours(hours: float | None) -> timedelta | None:
    return None if hours is None else timedelta(hours=hours)


def thin_day(account: LoadAccount, now: datetime) -> ThinDay | None:
    """The last whole day, where it brought far fewer rows than such days do."""
    day = now.date() - timedelta(days=1)
    by_day = {date.fromisoformat(each.day): each.rows for each in account.by_day}
    if account.off or day not in by_day or len(by_day) <= MIN_DAYS:
        return None
    earlier = {d: rows for d, rows in by_day.items() if d < day}
    alike = [rows for d, rows in earlier.items() if d.weekday() == day.weekday()]
    usual = float(median(alike if len(alike) >= 3 else earlier.values()))
    limit = math.ceil(usual * _FEW)
    if usual < _MIN_USUAL or by_day[day] >= limit:
        return None
    return ThinDay(day=day, rows=by_day[day], usual=usual, limit=limit)
