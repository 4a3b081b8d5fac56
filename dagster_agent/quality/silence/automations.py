"""Schedules and sensors that no longer tick, or tick in vain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dagster_agent.model import Severity, Symptom, SymptomKind
from dagster_agent.quality.freshness.promises import span
from dagster_agent.quality.silence.config import SilenceConfig

_GRACE, _GRACE_INTERVALS = timedelta(minutes=5), 3
"""A tick may come three intervals late, and at least five minutes."""
_HANGS = timedelta(minutes=15)
"""A tick that has gone on for longer hangs; Dagster stops one after 60 s by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One evaluation."""

    at: datetime
    """UTC."""
    status: Literal["started", "skipped", "success", "failure"]
    """How it ended; `started` while it goes on."""
    error: str = ""
    """First line of the error, redacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """A schedule or a sensor."""

    name: str
    """Its name."""
    kind: Literal["schedule", "sensor"]
    """Which."""
    running: bool
    """Whether it is switched on."""
    every: timedelta | None = None
    """Interval of a sensor."""
    due_at: datetime | None = None
    """When the tick after the newest one was due, UTC; None where that is not known."""
    ticks: tuple[Tick, ...] = ()
    """The newest ones, newest first."""


def silent(
    automation: Automation, config: SilenceConfig, now: datetime, *, awake_since: datetime
) -> Symptom | None:
    """What is wrong with it; None while it ticks.

    Args:
        automation: As it stands.
        config: Limits.
        now: UTC.
        awake_since: Since when the daemon has been up without a pause: while it was down nothing
            could tick.
    """
    told = _stopped(automation, config, now) if not automation.running else None
    if automation.running:
        told = _failing(automation, config) or _late(automation, now, awake_since)
    if told is None:
        return None
    return Symptom(
        kind=SymptomKind.AUTOMATION_SILENT,
        headline=f"{automation.kind} {automation.name} {told}",
        observed_at=now,
        check=f"silence/{automation.kind} {automation.name}",
        severity=Severity.ERROR if automation.running else Severity.WARN,
    )


def _stopped(automation: Automation, config: SilenceConfig, now: datetime) -> str | None:
    if not automation.ticks:
        return None
    last = automation.ticks[0].at
    if now - last > timedelta(days=config.stopped_lookback_days):
        return None
    return f"is switched off; it ticked last {last:%Y-%m-%d %H:%M} UTC ({span(now - last)} ago)"


def _failing(automation: Automation, config: SilenceConfig) -> str | None:
    ended = [tick for tick in automation.ticks if tick.status != "started"]
    failed = 0
    for tick in ended:
        if tick.status != "failure":
            break
        failed += 1
    if failed < config.failed_ticks:
        return None
    since = ended[failed - 1].at
    error = ended[0].error or "no message"
    return (
        f"has failed in each of its last {failed} ticks, since {since:%Y-%m-%d %H:%M} UTC: {error}"
    )


def _late(automation: Automation, now: datetime, awake_since: datetime) -> str | None:
    newest = automation.ticks[0] if automation.ticks else None
    if newest is not None and newest.status == "started" and now - newest.at > _HANGS:
        return f"hangs in a tick since {newest.at:%Y-%m-%d %H:%M} UTC ({span(now - newest.at)})"
    due = automation.due_at
    if due is None:
        return None
    grace = max(_GRACE, (automation.every or timedelta()) * _GRACE_INTERVALS)
    if now - max(due, awake_since) <= grace:
        return None
    last = f"its last tick was {newest.at:%Y-%m-%d %H:%M} UTC" if newest else "it never ticked"
    rhythm = f", it should every {span(automation.every)}" if automation.every else ""
    return f"has stopped ticking: a tick was due {due:%Y-%m-%d %H:%M} UTC, {last}{rhythm}"
