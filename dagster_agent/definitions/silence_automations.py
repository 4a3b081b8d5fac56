"""Dagster's schedules and sensors as the silence judgements read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import dagster as dg

from dagster_agent.definitions.redacting import redacted
from dagster_agent.definitions.silence_runs import is_ignored
from dagster_agent.model import Symptom
from dagster_agent.quality.silence.automations import Automation, Tick, silent
from dagster_agent.quality.silence.config import SilenceConfig

if TYPE_CHECKING:
    # these have no public name; they are only read
    from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick

_TICKS = 10
_LINE = 200


def silent_automations(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    config: SilenceConfig,
    now: datetime,
    *,
    awake_since: datetime,
    location: str | None,
    but: str,
) -> Iterator[Symptom]:
    """Schedules and sensors of the code location that no longer tick, or tick in vain.

    One that was never switched on, and has no state, is none of them.

    Args:
        repository: The code location's definitions: intervals and time zones.
        instance: Where states and ticks are recorded.
        config: Limits.
        now: UTC.
        awake_since: Since when the daemon has been up without a pause.
        location: Name of the code location; None: any.
        but: Name of the sensor that looks.
    """
    states = {
        state.instigator_name: state
        for state in instance.all_instigator_state()
        if state.instigator_name != but and _is_here(state, location)
    }
    ticks = _ticks(list(states.values()), instance)
    definitions: list[dg.ScheduleDefinition | dg.SensorDefinition] = [
        *repository.schedule_defs,
        *repository.sensor_defs,
    ]
    for definition in sorted(definitions, key=lambda each: each.name):
        state = states.get(definition.name)
        if state is None or is_ignored(definition.name, config):
            continue
        automation = _automation(definition, state, ticks.get(state.selector_id, ()))
        found = silent(automation, config, now, awake_since=awake_since)
        if found is not None:
            yield found


def _ticks(
    states: Sequence[InstigatorState], instance: dg.DagsterInstance
) -> dict[str, Sequence[InstigatorTick]]:
    """The newest ticks by selector id; in one query where the storage can."""
    storage = instance.schedule_storage
    if storage is not None and storage.supports_batch_queries and states:
        selectors = [state.selector_id for state in states]
        return dict(storage.get_batch_ticks(selectors, limit=_TICKS))
    return {
        state.selector_id: instance.get_ticks(
            state.instigator_origin_id, state.selector_id, limit=_TICKS
        )
        for state in states
    }


def _automation(
    definition: dg.ScheduleDefinition | dg.SensorDefinition,
    state: InstigatorState,
    ticks: Iterable[InstigatorTick],
) -> Automation:
    known = tuple(_tick(tick) for tick in ticks)
    kind: Literal["schedule", "sensor"] = "sensor"
    if isinstance(definition, dg.ScheduleDefinition):
        kind, every, due = "schedule", None, _next_tick(definition, known)
    else:
        every = timedelta(seconds=definition.minimum_interval_seconds or 30)
        due = known[0].at + every if known else None
    return Automation(
        name=definition.name,
        kind=kind,
        running=_runs(definition, state),
        every=every,
        due_at=due,
        ticks=known,
    )


def _runs(definition: dg.ScheduleDefinition | dg.SensorDefinition, state: InstigatorState) -> bool:
    """Whether it is switched on: by a person, else as the code declares it."""
    name = state.status.name
    if name in ("RUNNING", "STOPPED"):
        return name == "RUNNING"
    return definition.default_status.name == "RUNNING"


def _next_tick(schedule: dg.ScheduleDefinition, ticks: Sequence[Tick]) -> datetime | None:
    """When the tick after the newest one is due."""
    if not ticks:
        return None
    # dagster's own reading of cron strings, so that both agree
    from dagster._utils.schedules import cron_string_iterator

    crons = schedule.cron_schedule
    zone = schedule.execution_timezone
    after = ticks[0].at.timestamp() + 1
    moments = [
        next(cron_string_iterator(after, cron, zone))
        for cron in ([crons] if isinstance(crons, str) else crons)
    ]
    return min(moments).astimezone(UTC)


def _tick(tick: InstigatorTick) -> Tick:
    statuses: dict[str, Literal["started", "skipped", "success", "failure"]] = {
        "STARTED": "started",
        "SKIPPED": "skipped",
        "SUCCESS": "success",
        "FAILURE": "failure",
    }
    lines = (tick.error.message if tick.error is not None else "").strip().splitlines()
    return Tick(
        at=datetime.fromtimestamp(tick.timestamp, UTC),
        status=statuses[tick.status.name],
        error=redacted(lines[0][:_LINE]) if lines else "",
    )


def _is_here(state: InstigatorState, location: str | None) -> bool:
    return location is None or state.repository_selector.location_name == location
