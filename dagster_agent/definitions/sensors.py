"""The one sensor: it sees every run end, opens incidents, launches investigations and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterEventType

from dagster_agent.connectors.orchestrators.dagster import (
    KIND_TAG,
    RETRY_KIND,
    DagsterOrchestrator,
)
from dagster_agent.definitions import feed, retries
from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import Cursor, FinishedRun
from dagster_agent.definitions.follow_up import check_requests
from dagster_agent.definitions.jobs import Job
from dagster_agent.definitions.links import Place, investigation_config
from dagster_agent.definitions.names import ASSET_TAG, INCIDENT_TAG
from dagster_agent.definitions.own_location import watched_elsewhere
from dagster_agent.definitions.stations import investigation_id_of
from dagster_agent.definitions.symptoms import check_symptoms, news_of, symptoms_of_run
from dagster_agent.definitions.watching import watching_sensor
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.model import Finding, Incident, IncidentStatus, Symptom

if TYPE_CHECKING:
    from dagster_agent.response import Workspace

_ROOT_RUN_TAG = "dagster/root_run_id"
_GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_LOOKING = (None, RETRY_KIND, "checks", "accept-schema", "expected")
"""Kinds of runs after which an incident may be over."""
_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one tick has read."""

    customers: list[FinishedRun] = field(default_factory=lambda: list[FinishedRun]())
    """Runs that are not ours, oldest first."""
    broken: list[FinishedRun] = field(default_factory=lambda: list[FinishedRun]())
    """Investigations that failed or were terminated."""
    looked: bool = False
    """Whether something was measured or decided, by which an incident may be over."""
    retries: list[FinishedRun] = field(default_factory=lambda: list[FinishedRun]())
    """Retries of ours, which are among `customers` as well."""
    symptoms: list[Symptom] = field(default_factory=lambda: list[Symptom]())
    """In the order seen."""


def build_sensor(blueprint: Blueprint, jobs: Sequence[Job]) -> dg.SensorDefinition:
    """The sensor that watches runs.

    Args:
        blueprint: What is watched.
        jobs: The investigate job and the checks job, which it launches.
    """
    return watching_sensor(
        blueprint,
        blueprint.names.watch_sensor,
        _tick,
        description="Sees runs end: has checks measured, opens incidents, launches investigations.",
        jobs=jobs,
        interval_seconds=blueprint.settings.sensor.interval_seconds,
    )


def _tick(
    blueprint: Blueprint, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    cursor = Cursor.parse(context.cursor)
    if cursor is None:
        started = Cursor.now(context.instance)
        context.update_cursor(started.text())
        return dg.SkipReason("Watches from now on; what happened before is not news.")
    place = place_of(blueprint, context)
    seen = _read(blueprint, context, cursor, place)
    answer = _take_in(blueprint, context.instance, place, seen, waiting=cursor.waiting)
    cursor.waiting = bool(answer.incidents) or answer.retries_wait
    requests = [
        *answer.retries,
        *(investigation_request(i, blueprint, context.instance) for i in answer.incidents),
        *check_requests(seen.customers, blueprint, context.instance),
    ]
    context.update_cursor(cursor.text())
    if not requests:
        return dg.SkipReason(f"{len(seen.customers)} runs ended, nothing to do.")
    return dg.SensorResult(run_requests=requests)


def _read(
    blueprint: Blueprint, context: dg.SensorEvaluationContext, cursor: Cursor, place: Place
) -> _Seen:
    seen = _Seen()
    instance = context.instance
    elsewhere = watched_elsewhere(blueprint, instance)
    for finished in feed.read(instance, cursor, location=place.location, elsewhere=elsewhere):
        kind = finished.run.tags.get(KIND_TAG)
        seen.looked = seen.looked or kind in _LOOKING
        if kind == "checks":
            seen.symptoms += check_symptoms(finished, blueprint, instance)
            seen.symptoms += news_of(finished, blueprint, instance)
        elif kind == "investigate" and finished.end is not DagsterEventType.RUN_SUCCESS:
            seen.broken.append(finished)
        elif kind in (None, RETRY_KIND):
            seen.customers.append(finished)
            if kind == RETRY_KIND:
                seen.retries.append(finished)
            seen.symptoms += symptoms_of_run(finished, blueprint, instance)
    return seen


@dataclass(slots=True, kw_only=True)
class _Answer:
    """What is to be done about it."""

    incidents: list[Incident] = field(default_factory=lambda: list[Incident]())
    """To investigate now."""
    retries: list[dg.RunRequest] = field(default_factory=lambda: list[dg.RunRequest]())
    """Failed runs to make again now."""
    retries_wait: bool = False
    """Whether more retries are planned or going on."""


def _take_in(
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
    place: Place,
    seen: _Seen,
    *,
    waiting: bool,
) -> _Answer:
    """What to investigate and what to retry. A quiet tick opens nothing and imports nothing."""
    answer = _Answer()
    if not (seen.symptoms or seen.broken or seen.retries or seen.looked or waiting):
        return answer
    from dagster_agent.response.upkeep import tend

    now = datetime.now(UTC)
    publisher = Publisher.without_run(blueprint, instance, place)
    for project in blueprint.projects:
        with open_workspace(blueprint, project, instance) as workspace:
            tend(workspace, now=now)
            _settle(seen, workspace, publisher, now)
            mine = [s for s in seen.symptoms if blueprint.project_of(s.asset) == project]
            closed = _answer(answer, mine, blueprint, workspace, instance, now)
            for finding in closed:
                publisher.finding(finding, workspace, observe=False)
            if mine or closed or seen.broken or seen.retries:
                publisher.inbox(workspace, now)
    return answer


def _settle(seen: _Seen, workspace: Workspace, publisher: Publisher, now: datetime) -> None:
    for finished in seen.broken:
        _give_up(workspace, finished, publisher.instance, now)
    for finished in seen.retries:
        retries.settle_retry(finished, workspace, publisher, now)


def _answer(
    answer: _Answer,
    symptoms: Sequence[Symptom],
    blueprint: Blueprint,
    workspace: Workspace,
    instance: dg.DagsterInstance,
    now: datetime,
) -> Sequence[Finding]:
    """Fill in the answer; findings that are over, or that only ask a person."""
    from dagster_agent.response import asking, retrying, take_in
    from dagster_agent.response.closing import close_recovered

    orchestrator = DagsterOrchestrator(instance, blueprint.keys)
    known = {incident.id for incident in answer.incidents}
    opened = take_in(workspace, symptoms, orchestrator=orchestrator, now=now)
    answer.incidents += [i for i in opened if i.id not in known]
    answer.retries += retries.due_requests(workspace, blueprint, instance, now)
    answer.retries_wait = answer.retries_wait or retrying.retries_wait(workspace)
    closed = close_recovered(workspace, orchestrator=orchestrator, now=now)
    return (*closed, *asking.unpublished(workspace))


def _give_up(
    workspace: Workspace, finished: FinishedRun, instance: dg.DagsterInstance, now: datetime
) -> None:
    """Free what a broken investigation holds, for one that could not do it itself.

    Its incident waits for a person. It is not launched again: what broke once would break for ever.
    """
    from dagster_agent.incidents.lifecycle import move
    from dagster_agent.response.stages import abandon

    investigation = investigation_id_of(finished.run)
    if _is_repeated_now(investigation, instance):
        return
    abandon(workspace, investigation, now=now)
    incident = workspace.store.incident(finished.run.tags.get(INCIDENT_TAG, ""))
    if incident is not None and incident.status is IncidentStatus.OPEN:
        workspace.store.save_incident(move(incident, IncidentStatus.WAITING, now=now))


def _is_repeated_now(investigation: str, instance: dg.DagsterInstance) -> bool:
    """Whether a person has had it executed again and that run goes on."""
    again = dg.RunsFilter(tags={_ROOT_RUN_TAG: investigation}, statuses=_GOING_ON)
    return bool(instance.get_run_records(again, limit=1))


def investigation_request(
    incident: Incident, blueprint: Blueprint, instance: dg.DagsterInstance
) -> dg.RunRequest:
    """Launched once, and once more when it is open again after an investigation has ended."""
    ended = dg.RunsFilter(tags={INCIDENT_TAG: incident.id}, statuses=_ENDED)
    times = instance.get_runs_count(ended)
    tags = {KIND_TAG: "investigate", INCIDENT_TAG: incident.id}
    if incident.asset is not None:
        tags[ASSET_TAG] = incident.asset
    return dg.RunRequest(
        run_key=f"investigate:{incident.id}:{times}",
        job_name=blueprint.names.investigate_job,
        run_config=investigation_config(incident_id=incident.id),
        tags=tags,
    )


def place_of(blueprint: Blueprint, context: dg.SensorEvaluationContext) -> Place:
    """Where links lead from a sensor's tick."""
    origin = context.code_location_origin
    if origin is None:
        return Place(location=blueprint.settings.ui.location_name)
    repository = context.repository_name
    if repository is None:
        return Place(location=origin.location_name)
    return Place(location=origin.location_name, repository=repository)
