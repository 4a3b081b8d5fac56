"""What was declared of the age of a table, and whether it is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.model import Freshness, Severity
from dagster_agent.quality.freshness.config import FreshnessConfig

_DEFAULT_TARGET, _DEFAULT_ALERT = 1.0, 2.0
"""Hours, where freshness is declared and no number is."""
_LATE_FACTOR = 1.25
"""What is expected every so often may come a quarter later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How old the newest row may be."""

    what: str
    """In words: `at most 3 h old (dbt warn_after)`."""
    limit: timedelta
    """Greatest age that keeps it."""
    severity: Severity
    """Where it is broken."""


def promises(
    config: FreshnessConfig, declared: Freshness | None, now: datetime, *, asked: bool
) -> list[Promise]:
    """Everything that is promised, the gravest first.

    Args:
        config: The asset's settings.
        declared: What dbt was told.
        now: UTC.
        asked: Whether the asset's own meta asks for freshness: then there are default numbers.
    """
    dbt = declared or Freshness()
    error = _hours(config.alert_hours, "alert_hours", dbt.error_after_hours, "dbt error_after")
    warn = _hours(config.target_hours, "target_hours", dbt.warn_after_hours, "dbt warn_after")
    none = error is None and warn is None and not _otherwise(config)
    if none and asked and not dbt.off:
        error, warn = (_DEFAULT_ALERT, "default alert"), (_DEFAULT_TARGET, "default target")
    found = [
        Promise(what=f"{span(hours)} ({said})", limit=hours, severity=severity)
        for given, severity in ((error, Severity.ERROR), (warn, Severity.WARN))
        if given is not None
        for hours, said in [(timedelta(hours=given[0]), given[1])]
    ]
    if config.expected_every_hours:
        limit = timedelta(hours=config.expected_every_hours) * _LATE_FACTOR
        said = f"{span(limit)} (expected every {config.expected_every_hours:g} h)"
        found.append(Promise(what=said, limit=limit, severity=Severity.WARN))
    if config.deadline:
        found.append(_deadline(config, config.deadline, now))
    return sorted(found, key=lambda p: (p.severity is not Severity.ERROR, p.limit))


def last_deadline(
    clock: str, zone: ZoneInfo, now: datetime, weekdays: Collection[int] = range(7)
) -> datetime:
    """The last time before `now`, in UTC, that the clock in that zone showed `07:00`.

    Args:
        clock: `HH:MM`.
        zone: Where the clock hangs.
        now: UTC.
        weekdays: Days on which it counts, Monday is 0.

    On the day on which the clocks are put forward a time that does not exist is taken an hour
    later.
    """
    hour, minute = (int(part) for part in clock.split(":"))
    today = now.astimezone(zone).date()
    days = (today - timedelta(days=back) for back in range(9))
    moments = (
        datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)
        for day in days
        if day.weekday() in weekdays
    )
    return next(moment for moment in moments if moment <= now)


def span(pause: timedelta) -> str:
    """A length of time as people say it: `40 min`, `3.2 h`, `4 days`."""
    minutes = pause.total_seconds() / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    if hours < 72:
        return f"{hours:.1f}".removesuffix(".0") + " h"
    return f"{hours / 24:.1f}".removesuffix(".0") + " days"


def _deadline(config: FreshnessConfig, clock: str, now: datetime) -> Promise:
    moment = last_deadline(clock, ZoneInfo(config.timezone), now)
    since = moment - timedelta(hours=config.deadline_window_hours)
    what = f"rows since {since:%Y-%m-%d %H:%M} UTC by the deadline {clock} {config.timezone}"
    return Promise(what=what, limit=now - since, severity=Severity.ERROR)


def _hours(
    own: float | None, own_name: str, dbt: float | None, dbt_name: str
) -> tuple[float, str] | None:
    if own is not None:
        return own, own_name
    return (dbt, dbt_name) if dbt is not None else None


def _otherwise(config: FreshnessConfig) -> bool:
    return bool(config.deadline or config.expected_every_hours)
