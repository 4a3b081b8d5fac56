"""Was it complete in time?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.errors import ConfigError
from dagster_agent.model import Severity, Symptom, SymptomKind
from dagster_agent.quality.freshness.promises import last_deadline, span

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TEXT = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)(?:\s+([A-Za-z_/+\-0-9]+?))?(?:\s+([A-Za-z,\-]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """By when a job or an asset must be complete."""

    name: str
    """Job name or asset key."""
    clock: str
    """`HH:MM`."""
    zone: ZoneInfo
    """Where the clock hangs."""
    weekdays: frozenset[int] = frozenset(range(7))
    """Days on which it counts, Monday is 0."""

    @classmethod
    def parse(cls, name: str, text: str) -> Deadline:
        """Read `07:00`, `07:00 Europe/Berlin` or `07:00 Europe/Berlin Mon-Fri`.

        Raises:
            ConfigError: It is none of these.
        """
        match = _TEXT.fullmatch(text.strip())
        hint = "write the time, the zone and the days: 07:00 Europe/Berlin Mon-Fri"
        if match is None:
            raise ConfigError(f"the deadline {text!r} of {name} cannot be read", hint=hint)
        clock, zone, days = match.groups()
        try:
            known = ZoneInfo(zone or "UTC")
        except (KeyError, OSError, ValueError):
            message = f"the deadline of {name} has an unknown time zone {zone!r}"
            raise ConfigError(message, hint=hint) from None
        return cls(name=name, clock=clock, zone=known, weekdays=_weekdays(days, name, hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """When something was complete last."""

    begun_at: datetime
    """When the run began that completed it, UTC."""
    ended_at: datetime
    """UTC."""


def missed(
    deadline: Deadline,
    completions: list[Completion],
    now: datetime,
    *,
    window: timedelta,
    going_on: str = "",
) -> Symptom | None:
    """The deadline that has passed without a completion that began in its window; None if kept.

    What is completed late ends the trouble.

    Args:
        deadline: What was promised.
        completions: Of that job or asset, in any order.
        now: UTC.
        window: How long before the deadline a run may have begun to count.
        going_on: What is going on instead, in words.
    """
    due = last_deadline(deadline.clock, deadline.zone, now, deadline.weekdays)
    if any(c.begun_at >= due - window and c.ended_at <= now for c in completions):
        return None
    last = max((c.ended_at for c in completions), default=None)
    before = f"complete last {last:%Y-%m-%d %H:%M} UTC" if last is not None else "never complete"
    local = f"{deadline.clock} {deadline.zone.key}"
    return Symptom(
        kind=SymptomKind.RUN_STUCK,
        headline=f"{deadline.name} missed its deadline {local} by {span(now - due)}; {before};"
        f" {going_on or 'no run of it is queued or going on'}",
        observed_at=now,
        check=f"silence/deadline {deadline.name}",
        severity=Severity.ERROR,
        metrics={"late_minutes": round((now - due).total_seconds() / 60, 1)},
    )


def _weekdays(text: str | None, name: str, hint: str) -> frozenset[int]:
    if not text:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        ends = [_DAYS.index(day) for day in part.title().split("-") if day in _DAYS]
        if not ends or len(ends) != len(part.split("-")) or len(ends) > 2:
            raise ConfigError(f"the deadline of {name} names unknown days {text!r}", hint=hint)
        first, last = ends[0], ends[-1]
        found.update(d % 7 for d in range(first, last + 1 + 7 * (last < first)))
    return frozenset(found)
