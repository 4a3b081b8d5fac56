"""The job in which a person says something to an investigation that is running.

This module must not postpone its annotations: Dagster reads them to find the config class.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.names import INCIDENT_TAG
from dagster_agent.definitions.signed import NOBODY
from dagster_agent.definitions.stations import investigation_id_of, speaking_plainly
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.response.steering import RunningInvestigation

_GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
_NAMED = 5
_SHORTEST_ID = 6


class SteerConfig(dg.Config):
    """What to say, and to which investigation."""

    run_id: str = Field(
        description="Run of the investigation, as its page shows it; its incident (I-...) does too."
    )
    message: str = Field(
        description="What it should know: 'look at the ERP load'. `stop` alone stops it."
    )
    by: str = Field(
        default="", description="Who says so. Dagster has no users, so say it; it is recorded."
    )


def build_steer_job(blueprint: Blueprint) -> dg.JobDefinition:
    """Say something to a running investigation; it hears it before its next step."""

    @dg.op(name=blueprint.names.named("steer_op"), out=dg.Out(dg.Nothing))
    def steer_op(context: dg.OpExecutionContext, config: SteerConfig) -> None:
        """Leave the message where the investigation looks."""
        with speaking_plainly():
            _steer(blueprint, context, config)

    return chain_job(
        blueprint.names.steer_job,
        description="Tell a running investigation what you know, or stop it. The first line of its"
        " log and the inbox link here, form filled in.",
        kind="steer",
        ops={"steer": steer_op},
    )


def _steer(blueprint: Blueprint, context: dg.OpExecutionContext, config: SteerConfig) -> None:
    from dagster_agent.response import steering

    now = datetime.now(UTC)
    by = config.by.strip() or NOBODY
    with open_workspace(blueprint, blueprint.projects[0], context.instance) as workspace:
        working = steering.running(workspace.store, now=now)
        investigation = _target(config.run_id.strip(), working, blueprint, context.instance)
        steering.steer(
            workspace.store,
            investigation,
            message=config.message,
            by=by,
            at=now,
            secrets=workspace.secrets,
        )
    context.log.info(f"[agent] left for investigation {investigation}; its log repeats it there")


def _target(
    asked: str,
    working: Sequence["RunningInvestigation"],
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
) -> str:
    """The id under which the investigation that is meant listens.

    Raises:
        ConfigError: No investigation of that run or incident is going on.
    """
    going_on = _runs(blueprint, instance)
    live = {investigation_id_of(run) for run in going_on}
    # a run that was killed holds its lease for a while; one from the command line is no run
    working = [
        each
        for each in working
        if each.investigation_id in live or instance.get_run_by_id(each.investigation_id) is None
    ]
    ids = {each.incident_id: each.investigation_id for each in working}
    ids |= {each.investigation_id: each.investigation_id for each in working}
    for run in going_on:
        ids[run.run_id] = investigation_id_of(run)
        if INCIDENT_TAG in run.tags:
            ids.setdefault(run.tags[INCIDENT_TAG], investigation_id_of(run))
    # people copy the eight signs that the UI shows of a run
    meant = {ids[each] for each in ids if len(asked) >= _SHORTEST_ID and each.startswith(asked)}
    if len(meant) == 1:
        return meant.pop()
    raise ConfigError(_why_not(asked, instance), hint=_alternatives(going_on, working, blueprint))


def _runs(blueprint: Blueprint, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Investigations that are queued or running, newest first."""
    filters = dg.RunsFilter(
        job_name=blueprint.names.investigate_job,
        tags={KIND_TAG: "investigate"},
        statuses=_GOING_ON,
    )
    return [record.dagster_run for record in instance.get_run_records(filters)]


def _why_not(asked: str, instance: dg.DagsterInstance) -> str:
    if not asked:
        return "run_id is empty"
    run = instance.get_run_by_id(asked)
    if run is None:
        return f"no investigation of {asked!r} is running"
    if run.tags.get(KIND_TAG) != "investigate":
        return f"run {asked!r} is no investigation but {run.job_name}"
    return f"run {asked!r} has ended ({run.status.value})"


def _alternatives(
    going_on: Sequence[dg.DagsterRun],
    working: Sequence["RunningInvestigation"],
    blueprint: Blueprint,
) -> str:
    if not going_on and not working:
        return (
            "no investigation is running; to ask again with a hint, launch"
            f" {blueprint.names.investigate_job} with incident_id and hint"
        )
    incidents = {each.investigation_id: f" ({each.incident_id})" for each in working}
    ids = dict.fromkeys([*(investigation_id_of(run) for run in going_on), *incidents])
    told = [f"{each}{incidents.get(each, '')}" for each in list(ids)[:_NAMED]]
    return f"running now: {', '.join(told)}"
