"""The sensor that notices what goes wrong without anything failing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster import DagsterEventType

from dagster_agent.connectors.orchestrators.dagster import DagsterOrchestrator
from dagster_agent.definitions import feed
from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import Job
from dagster_agent.definitions.links import Place
from dagster_agent.definitions.own_location import watched_elsewhere
from dagster_agent.definitions.sensors import investigation_request, place_of
from dagster_agent.definitions.silence_automations import silent_automations
from dagster_agent.definitions.silence_builds import GoodRuns, judge_builds
from dagster_agent.definitions.silence_runs import (
    is_ignored,
    is_watched,
    missed_deadlines,
    runs_going_on,
    stuck_runs,
)
from dagster_agent.definitions.watching import watching_sensor
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Finding, Incident, Symptom
from dagster_agent.quality.silence import register

if TYPE_CHECKING:
    from dagster_agent.response import Workspace

_AWAKE_INTERVALS = 4
"""After so many of its own intervals without a tick the daemon counts as having been down."""


def build_silence_sensor(blueprint: Blueprint, investigate: Job) -> dg.SensorDefinition:
    """The sensor that watches for silence.

    Args:
        blueprint: What is watched.
        investigate: The investigate job, which it launches where code or rows may tell the cause.
    """
    return watching_sensor(
        blueprint,
        blueprint.names.silence_sensor,
        _tick,
        description="Notices stuck runs, missed deadlines, schedules that stopped, and runs that"
        " ended well and wrote nothing, the same again, or not all that they had planned.",
        jobs=[investigate],
        interval_seconds=blueprint.settings.silence.interval_seconds,
        wanted=blueprint.settings.silence.enabled,
    )


@dataclass(kw_only=True)
class _Memory:
    """What the sensor remembers from tick to tick."""

    runs: feed.Cursor | None = None
    """How far ends of runs were read; None before the first tick."""
    alive: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Troubles that are there: since when, by key."""
    ticked_at: datetime | None = None
    """When the tick before was, UTC."""
    awake_since: datetime | None = None
    """Since when there was no long pause between ticks, UTC."""

    @classmethod
    def parse(cls, text: str | None) -> _Memory:
        try:
            kept: object = json.loads(text or "{}")
        except ValueError:
            kept = None
        values: Mapping[str, Any] = (
            cast("Mapping[str, Any]", kept) if isinstance(kept, dict) else dict[str, Any]()
        )
        return cls(
            runs=feed.Cursor.parse(values.get("runs")),
            alive=values.get("alive") or {},
            ticked_at=_moment(values.get("ticked_at")),
            awake_since=_moment(values.get("awake_since")),
        )

    def text(self) -> str:
        kept = {
            "runs": self.runs.text() if self.runs is not None else None,
            "alive": self.alive,
            "ticked_at": self.ticked_at.isoformat() if self.ticked_at else None,
            "awake_since": self.awake_since.isoformat() if self.awake_since else None,
        }
        return json.dumps(kept)

    def wake(self, now: datetime, interval: timedelta) -> datetime:
        """Note this tick; since when the daemon has been up without a long pause."""
        paused = self.ticked_at is None or now - self.ticked_at > _AWAKE_INTERVALS * interval
        if paused or self.awake_since is None:
            self.awake_since = now
        self.ticked_at = now
        return self.awake_since


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one tick has seen."""

    symptoms: list[Symptom] = field(default_factory=lambda: list[Symptom]())
    """Everything that is wrong now."""
    good: GoodRuns = field(default_factory=GoodRuns)
    """What the good runs since the last tick have produced."""
    runs: int = 0
    """Runs that ended since the last tick and were read."""
    judged: set[str] = field(default_factory=lambda: set[str]())
    """Keys of troubles of single builds and jobs that were judged."""
    troubles: list[str] = field(default_factory=lambda: list[str]())
    """What could not be read, in words."""

    def was_judged(self, key: str) -> bool:
        """Whether the trouble would have been seen, were it still there."""
        if register.looked_at_always(key) or key in self.judged:
            return True
        return any(key == check or key.startswith(f"{check} ") for check in self.good.judged)


def _tick(
    blueprint: Blueprint, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    memory, now = _Memory.parse(context.cursor), datetime.now(UTC)
    config = blueprint.settings.silence
    awake = memory.wake(now, timedelta(seconds=config.interval_seconds))
    place = place_of(blueprint, context)
    seen = _look(blueprint, context, memory, place, now=now, awake_since=awake)
    if seen.good.built:
        _judge_builds(seen, blueprint, context.instance)
    change = register.register(memory.alive, seen.symptoms, now, judged=seen.was_judged)
    incidents = _tell(change, blueprint, context.instance, place, now)
    memory.alive = change.alive
    context.update_cursor(memory.text())
    if not incidents:
        return dg.SkipReason(_told(seen, change))
    requests = [investigation_request(i, blueprint, context.instance) for i in incidents]
    return dg.SensorResult(run_requests=requests)


def _judge_builds(seen: _Seen, blueprint: Blueprint, instance: dg.DagsterInstance) -> None:
    """Compare what was built since the last tick with the builds before."""
    for project in blueprint.projects:
        built = {
            uid: run for uid, run in seen.good.built.items() if blueprint.project_of(uid) == project
        }
        if not built:
            continue
        try:
            with open_workspace(blueprint, project, instance) as workspace:
                symptoms, judged = judge_builds(built, workspace, blueprint, instance)
        except DagsterAgentError as error:
            # what could not be read is neither silent nor over
            seen.troubles.append(error.message)
        else:
            seen.symptoms += symptoms
            seen.judged |= judged


def _look(
    blueprint: Blueprint,
    context: dg.SensorEvaluationContext,
    memory: _Memory,
    place: Place,
    *,
    now: datetime,
    awake_since: datetime,
) -> _Seen:
    """Read Dagster's records only; the warehouse is not asked."""
    seen, config, instance = _Seen(), blueprint.settings.silence, context.instance
    going_on = runs_going_on(instance, config, place.location)
    seen.symptoms += stuck_runs(going_on, instance, config, now)
    seen.symptoms += missed_deadlines(going_on, instance, config, now)
    if context.repository_def is not None:
        seen.symptoms += silent_automations(
            context.repository_def,
            instance,
            config,
            now,
            awake_since=awake_since,
            location=place.location,
            but=blueprint.names.silence_sensor,
        )
    if memory.runs is None:
        memory.runs = feed.Cursor.now(instance)
        return seen
    elsewhere = watched_elsewhere(blueprint, instance)
    for finished in feed.read(instance, memory.runs, location=place.location, elsewhere=elsewhere):
        seen.runs += 1
        good = finished.end is DagsterEventType.RUN_SUCCESS
        if (
            good
            and is_watched(finished.run, None)
            and not is_ignored(finished.run.job_name, config)
        ):
            seen.good.take(finished, blueprint, instance)
    seen.symptoms += seen.good.symptoms
    return seen


def _tell(
    change: register.Change,
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
    place: Place,
    now: datetime,
) -> list[Incident]:
    """Open incidents for what is new, close those that are over, show both.

    A tick that changes nothing opens no workspace and imports nothing.

    Returns:
        Incidents of which an investigation may find the cause.
    """
    if not (change.new or change.over):
        return []
    from dagster_agent.response import asking

    found: list[Incident] = []
    publisher = Publisher.without_run(blueprint, instance, place)
    for project in blueprint.projects:
        mine = [s for s in change.new if blueprint.project_of(s.asset) == project]
        with open_workspace(blueprint, project, instance) as workspace:
            workspace.store.put(register.ALIVE, dict(change.alive))
            opened, closed = _take_in(mine, blueprint, workspace, instance, now)
            found += opened
            for finding in asking.unpublished(workspace):
                publisher.finding(finding, workspace, observe=True)
            for finding in closed:
                publisher.finding(finding, workspace, observe=False)
            publisher.inbox(workspace, now)
    return found


def _take_in(
    symptoms: Sequence[Symptom],
    blueprint: Blueprint,
    workspace: Workspace,
    instance: dg.DagsterInstance,
    now: datetime,
) -> tuple[list[Incident], Sequence[Finding]]:
    """Incidents to investigate, and findings that are over."""
    from dagster_agent.response import take_in
    from dagster_agent.response.closing import close_recovered

    orchestrator = DagsterOrchestrator(instance, blueprint.keys)
    waiting = take_in(workspace, symptoms, now=now) if symptoms else []
    # the others are the watching sensor's to launch
    mine = [i for i in waiting if any(s in i.symptoms for s in symptoms)]
    return mine, close_recovered(workspace, orchestrator=orchestrator, now=now)


def _told(seen: _Seen, change: register.Change) -> str:
    parts = [f"{seen.runs} runs ended"]
    parts += [s.headline for s in change.new]
    if change.over:
        parts.append(f"over: {', '.join(change.over)}")
    known = len(change.alive) - len(change.new)
    if known:
        parts.append(f"{known} known troubles go on")
    parts += [f"not read: {trouble}" for trouble in seen.troubles]
    return "; ".join(parts) if len(parts) > 1 else f"{parts[0]}, all is well."


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
