"""The job that investigates: five ops that hand over through the agent's own state.

This module must not postpone its annotations: Dagster reads them to find the config class.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import dagster as dg
from pydantic import Field

from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtProjectRef
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.links import steer_address
from dagster_agent.definitions.stations import (
    Station,
    investigation_id_of,
    speaking_plainly,
    station,
)
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import ConfigError, InvestigationStopped

Work = Callable[[Station], None]

_OUT = dg.Out(dg.Nothing, is_required=False)
"""Not given when a person stops the investigation: what follows is skipped, and nothing failed."""


class InvestigateConfig(dg.Config):
    """What to look at. Fill at least one of asset, run_id, question and incident_id."""

    asset: str = Field(
        default="",
        description="Asset key (a/b), dbt name or unique id of what looks wrong.",
    )
    run_id: str = Field(default="", description="Id of a run that failed, from its page.")
    question: str = Field(
        default="",
        description="In your words: 'why did revenue fall on Tuesday?'. Names of models help.",
    )
    incident_id: str = Field(
        default="", description="Id of an incident that is known already (I-...), as in the inbox."
    )
    hint: str = Field(
        default="",
        description="What you know and the data does not say; kept with the incident.",
    )


def build_job(blueprint: Blueprint) -> dg.JobDefinition:
    """The op graph collect, diagnose, prove, report, act."""
    return chain_job(
        blueprint.names.investigate_job,
        description="Find the cause of an incident, prove it, and propose what mends it. Launch it"
        " by hand with an asset, a run, or just a question.",
        kind="investigate",
        ops={
            "collect": _collect_op(blueprint),
            "diagnose": _op(
                blueprint, "diagnose", "Form hypotheses, each with what would refute it.", _diagnose
            ),
            "prove": _op(
                blueprint, "prove", "Try the hypotheses in a sandbox: red, change, green.", _prove
            ),
            "report": _op(
                blueprint, "report", "Write the finding, each claim with its evidence.", _report
            ),
            "act": _op(
                blueprint, "act", "Propose the proved change, as far as the policy allows.", _act
            ),
        },
    )


def _collect_op(blueprint: Blueprint) -> dg.OpDefinition:
    @dg.op(
        name=blueprint.names.named("collect"),
        description="Open the incident and collect lineage, rows, history and detector results.",
        out=_OUT,
    )
    def collect(
        context: dg.OpExecutionContext, config: InvestigateConfig
    ) -> Iterator[dg.Output[None]]:
        with speaking_plainly():
            project = _project_asked_about(blueprint, context, config)
        with suppress(InvestigationStopped):
            with station(blueprint, context, project) as opened:
                _listen(opened, blueprint)
                _remember_project(opened, blueprint.projects.index(project))
                _collect(opened, blueprint, config)
            yield dg.Output(None)

    return collect


def _op(blueprint: Blueprint, name: str, description: str, work: Work) -> dg.OpDefinition:
    @dg.op(
        name=blueprint.names.named(name),
        description=description,
        ins={"start": dg.In(dg.Nothing)},
        out=_OUT,
    )
    def run(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        with speaking_plainly():
            project = _project_remembered(blueprint, context)
        with suppress(InvestigationStopped):
            with station(blueprint, context, project) as opened:
                work(opened)
            yield dg.Output(None)

    return run


def _listen(opened: Station, blueprint: Blueprint) -> None:
    """The first line of the log: where a person can say something."""
    where = steer_address(opened.run_id, opened.publisher.place, blueprint.names)
    opened.narrator.step(
        "listen to you", why="you may know what the data does not say", result=f"say it at {where}"
    )


def _collect(opened: Station, blueprint: Blueprint, config: InvestigateConfig) -> None:
    from dagster_agent.response import InvestigationRequest, stages

    ref = blueprint.find(config.asset) if config.asset else None
    stages.collect(
        opened.workspace,
        opened.investigation_id,
        InvestigationRequest(
            incident_id=config.incident_id.strip() or None,
            asset=(ref.unique_id if ref else config.asset.strip()) or None,
            run_id=config.run_id.strip() or None,
            question=config.question.strip() or None,
            hint=config.hint.strip() or None,
        ),
        narrator=opened.narrator,
        now=opened.now,
        orchestrator=opened.orchestrator,
    )
    # it is going on now, and the inbox says how to steer it
    opened.publisher.inbox(opened.workspace, opened.now)


def _diagnose(opened: Station) -> None:
    from dagster_agent.response import stages

    stages.diagnose(
        opened.workspace, opened.investigation_id, narrator=opened.narrator, now=opened.now
    )


def _prove(opened: Station) -> None:
    from dagster_agent.response import stages

    stages.prove(
        opened.workspace, opened.investigation_id, narrator=opened.narrator, now=opened.now
    )


def _report(opened: Station) -> None:
    from dagster_agent.response import stages

    stages.report(
        opened.workspace,
        opened.investigation_id,
        narrator=opened.narrator,
        now=opened.now,
        run_id=opened.run_id,
    )


def _act(opened: Station) -> None:
    from dagster_agent.response import stages

    finding = stages.act(
        opened.workspace, opened.investigation_id, narrator=opened.narrator, now=opened.now
    )
    opened.publisher.finding(finding, opened.workspace, observe=True)
    opened.publisher.inbox(opened.workspace, opened.now)


def _project_asked_about(
    blueprint: Blueprint, context: dg.OpExecutionContext, config: InvestigateConfig
) -> DbtProjectRef:
    """The dbt project of what is asked about; the first one where that is not to be told."""
    asked = (config.asset, config.run_id, config.question, config.incident_id)
    if not any(text.strip() for text in asked):
        raise ConfigError(
            "nothing to investigate: asset, run_id, question and incident_id are all empty",
            hint="fill one of them in the Launchpad under ops, collect, config",
        )
    if len(blueprint.projects) == 1:
        return blueprint.projects[0]
    ref = blueprint.find(config.asset.strip())
    if ref is None and config.incident_id:
        with open_workspace(blueprint, blueprint.projects[0], context.instance) as workspace:
            incident = workspace.store.incident(config.incident_id.strip())
        return blueprint.project_of(incident.asset if incident else None)
    return ref.project if ref else blueprint.projects[0]


def _remember_project(opened: Station, index: int) -> None:
    opened.workspace.store.put(f"investigation/{opened.investigation_id}/project", index)


def _project_remembered(blueprint: Blueprint, context: dg.OpExecutionContext) -> DbtProjectRef:
    if len(blueprint.projects) == 1:
        return blueprint.projects[0]
    key = f"investigation/{investigation_id_of(context.run)}/project"
    with open_workspace(blueprint, blueprint.projects[0], context.instance) as workspace:
        return blueprint.projects[workspace.store.get(key) or 0]
