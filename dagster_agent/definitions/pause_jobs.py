"""The job in which a person pauses the agent, or lets it act again.

This module must not postpone its annotations: Dagster reads them to find the config class.
"""

from contextlib import closing
from datetime import UTC, datetime
from enum import Enum

import dagster as dg
from pydantic import Field

from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.redacting import redacted
from dagster_agent.definitions.signed import NOBODY
from dagster_agent.definitions.stations import speaking_plainly
from dagster_agent.definitions.workspaces import open_workspace, state_directory
from dagster_agent.errors import DagsterAgentError

_LONGEST = 300


class Switch(Enum):
    """What the pause job does."""

    PAUSE = "pause"
    RESUME = "resume"


class PauseConfig(dg.Config):
    """Pause or resume."""

    switch: Switch = Field(
        description="PAUSE stops every action at once, approved or not; RESUME lets the policy"
        " decide again. Detection and investigation always go on."
    )
    by: str = Field(
        default="", description="Who does it. Dagster has no users, so say it; it is recorded."
    )
    reason: str = Field(default="", description="Why; shown with every action that is refused.")


def build_pause_job(blueprint: Blueprint) -> dg.JobDefinition:
    """Pause every action of the agent, or resume."""

    @dg.op(name=blueprint.names.named("pause_op"), out=dg.Out(dg.Nothing))
    def pause_op(context: dg.OpExecutionContext, config: PauseConfig) -> None:
        """Turn the switch, and show it in the inbox."""
        with speaking_plainly():
            _switch(blueprint, context, config)
            _show(blueprint, context)

    return chain_job(
        blueprint.names.pause_job,
        description="Pause everything that the agent writes outside (pull requests, tickets,"
        " retries, baselines), or resume.",
        kind="pause",
        ops={"pause": pause_op},
    )


def _switch(blueprint: Blueprint, context: dg.OpExecutionContext, config: PauseConfig) -> None:
    """Needs the state only: it works while the project or the warehouse is broken."""
    from dagster_agent.autonomy import pause
    from dagster_agent.connectors.state_stores import open_store

    now = datetime.now(UTC)
    by = _said(config.by) or NOBODY
    reason = _said(config.reason) or "no reason given"
    folder = state_directory(blueprint.settings, context.instance)
    folder.mkdir(parents=True, exist_ok=True)
    with closing(open_store(blueprint.settings.state.url_in(folder))) as store:
        if config.switch is Switch.PAUSE:
            pause.pause(store, by=by, reason=reason, now=now)
            context.log.info(f"[human] {by} paused the agent: {reason}")
        else:
            pause.resume(store, by=by, now=now)
            context.log.info(f"[human] {by} lets the agent act again: {reason}")


def _show(blueprint: Blueprint, context: dg.OpExecutionContext) -> None:
    try:
        with open_workspace(blueprint, blueprint.projects[0], context.instance) as workspace:
            Publisher.in_run(blueprint, context).inbox(workspace, datetime.now(UTC))
    except DagsterAgentError as error:
        told = redacted(str(error))
        context.log.warning(f"[agent] it is done, but the inbox could not be refreshed: {told}")


def _said(text: str) -> str:
    """What a person typed, on one line, short and without secrets."""
    line = " ".join(redacted(text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
