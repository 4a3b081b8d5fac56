"""One station of an investigation inside an op: opens, narrates, and cleans up however it ends."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from dagster_agent.connectors.orchestrators.dagster import DagsterOrchestrator
from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtProjectRef
from dagster_agent.definitions.narrator import RunNarrator
from dagster_agent.definitions.redacting import redacted
from dagster_agent.definitions.workspaces import asset_loader, open_workspace
from dagster_agent.errors import DagsterAgentError, InvestigationStopped

if TYPE_CHECKING:
    from dagster_agent.response import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a station works with."""

    workspace: Workspace
    """Opened for this op."""
    investigation_id: str
    """The run's id; of a re-execution that of the first run, whose stages it continues."""
    run_id: str
    """The run that is executing."""
    narrator: RunNarrator
    """Writes into the run's log."""
    orchestrator: DagsterOrchestrator
    """Knows about runs."""
    publisher: Publisher
    """Writes into the asset catalogue."""
    now: datetime
    """UTC, when the op began."""


@contextmanager
def station(
    blueprint: Blueprint, context: dg.OpExecutionContext, project: DbtProjectRef
) -> Generator[Station]:
    """Open a station; give back what the investigation holds when it fails or is terminated.

    Terminating a run raises a BaseException at the next bytecode, so everything is undone in the
    same place as for errors: the lease is free again and the incident waits in the inbox.
    """
    now = datetime.now(UTC)
    with (
        speaking_plainly(),
        open_workspace(
            blueprint, project, context.instance, load_asset=asset_loader(context)
        ) as workspace,
    ):
        opened = Station(
            workspace=workspace,
            investigation_id=investigation_id_of(context.run),
            run_id=context.run_id,
            narrator=RunNarrator(context.log.info, workspace.secrets),
            orchestrator=DagsterOrchestrator(context.instance, blueprint.keys),
            publisher=Publisher.in_run(blueprint, context),
            now=now,
        )
        try:
            yield opened
        except BaseException as error:
            give_up(opened, context, error)
            raise


def give_up(opened: Station, context: dg.OpExecutionContext, error: BaseException) -> None:
    """Leave nothing held and nothing lost, and note why."""
    from dagster_agent.response.stages import abandon

    abandon(opened.workspace, opened.investigation_id, now=datetime.now(UTC))
    told = "the run was terminated"
    if isinstance(error, Exception):
        told = redacted(str(error) or type(error).__name__, opened.workspace.secrets)
    opened.workspace.store.append_audit(
        at=datetime.now(UTC),
        actor="agent",
        action="give-up-investigation",
        subject=opened.investigation_id,
        allowed=True,
        detail={"run": context.run_id, "reason": told},
    )
    opened.narrator.step(
        "stop the investigation", why=told, result="the lease is free, the incident is in the inbox"
    )
    # Events of a failed op are lost, so this one stands alone.
    alone = replace(opened.publisher, emit=context.instance.report_runless_asset_event)
    alone.inbox(opened.workspace, datetime.now(UTC))


@contextmanager
def speaking_plainly() -> Generator[None]:
    """Errors raised on purpose fail the op with their message and hint, without our stack."""
    try:
        yield
    except InvestigationStopped:
        raise
    except DagsterAgentError as error:
        raise dg.Failure(
            description=error.message, metadata={"next_step": error.hint}, allow_retries=False
        ) from None


def investigation_id_of(run: dg.DagsterRun) -> str:
    """Id under which an investigation keeps its stages."""
    return run.root_run_id or run.run_id
