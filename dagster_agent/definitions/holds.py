"""What is not built while a schema has changed under it: both holds are opt-in.

The drift sensor can cancel queued runs, and a team can cut the selection of its own dbt assets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import discover_in
from dagster_agent.definitions.looks import Look, look_at
from dagster_agent.definitions.redacting import redacted
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import ApprovalRequired, DagsterAgentError, LeaseHeld
from dagster_agent.settings import Settings

if TYPE_CHECKING:
    from dagster._core.remote_origin import CodeLocationOrigin

    from dagster_agent.response import Workspace
    from dagster_agent.response.schema_detection import Hold

HELD_TAG = "dagster_agent/held"
"""Tag of a run that a drift held back, or a part of it: unique id of the asset that drifted."""
WHY_TAG = "dagster_agent/held_because"
"""Tag beside it: what changed there."""
_TAG_CHARS = 250


def keep_holds(workspace: Workspace, look: Look, changed: Sequence[str]) -> None:
    """Judge changed schemas at once, and remember what they hold back.

    The checks that the sensor asks for come to the same verdict, some seconds later.
    """
    from dagster_agent.dbt.manifest import Manifest
    from dagster_agent.response.schema_detection import examine_schema, keep_hold

    uids = [uid for uid in changed if uid in look.tables]
    if not uids:
        return
    manifest = Manifest.load(look.manifest)
    for uid in uids:
        try:
            found = examine_schema(
                workspace,
                manifest.asset(uid),
                look.schemas.get(look.tables[uid]),
                manifest=manifest,
                schema_of=look.schemas.get,
                now=datetime.now(UTC),
            )
        except DagsterAgentError:
            # a wrong setting of one asset: its own check tells it, and the others are still held
            continue
        keep_hold(workspace.store, found)


def cancel_queued(
    blueprint: Blueprint, context: dg.SensorEvaluationContext, workspace: Workspace
) -> list[str]:
    """Cancel the queued runs of this location that would build what a drift reaches.

    A run that has left the queue is never touched, and none is while the agent is paused.

    Returns:
        Ids of the cancelled runs.
    """
    from dagster_agent.response.schema_detection import holds

    held = holds(workspace.store)
    if not held:
        return []
    queued = context.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    cancelled: list[str] = []
    for run in queued:
        if KIND_TAG in run.tags or not of_location(run, context.code_location_origin):
            continue
        hold = _held_by(run, held, blueprint, context.instance)
        if hold is not None and _cancel(run, hold, context.instance, workspace):
            context.log.warning(f"cancelled queued run {run.run_id}: {_why(hold)}")
            cancelled.append(run.run_id)
    return cancelled


def guarded_selection(
    context: dg.AssetExecutionContext, *, settings: Settings | Mapping[str, Any] | None = None
) -> list[str]:
    """Arguments for dbt that leave out what a schema drift of severity ERROR would break.

        @dbt_assets(manifest=project.manifest_path, project=project)
        def shop(context, dbt: DbtCliResource):
            args = ["build", *guarded_selection(context)]
            yield from dbt.cli(args, context=context).stream()

    The schemas of the sources are read now, in one query, and compared with the accepted ones.
    What is left out, and why, stands in the run's log and in its tags.

    Args:
        context: Of the asset function.
        settings: The agent's settings, where they are not the default.

    Returns:
        `["--exclude", "stg_orders+ ..."]`; nothing where all is well, and nothing (with a warning
        in the log) where that cannot be told: it never fails the run.
    """
    try:
        return _guarded(context, settings)
    except Exception as error:
        # the run is the customer's: no trouble of the agent's may stop it
        told = redacted(f"{type(error).__name__}: {error}")
        context.log.warning(f"[agent] nothing is left out, the schemas could not be judged: {told}")
        return []


def _guarded(
    context: dg.AssetExecutionContext, settings: Settings | Mapping[str, Any] | None
) -> list[str]:
    from dagster_agent.response.schema_detection import holds

    blueprint = Blueprint.of(discover_in([context.assets_def]), Settings.parse(settings))
    held: dict[str, Hold] = {}
    for project in blueprint.projects:
        refs = [r for r in blueprint.refs if r.project == project and r.resource_type == "source"]
        with open_workspace(blueprint, project, context.instance) as workspace:
            look = look_at(workspace, refs)
            keep_holds(workspace, look, _differing(workspace, look))
            held |= {hold.asset: hold for hold in holds(workspace.store)}
    chosen = {
        blueprint.by_key[k].unique_id for k in context.selected_asset_keys & blueprint.by_key.keys()
    }
    excluded: dict[str, None] = {}
    for hold in held.values():
        out = [uid for uid in hold.affected if uid in chosen]
        if out:
            excluded |= dict.fromkeys([*_roots(hold.affected, blueprint), *hold.tests])
            _tell(context, hold, out)
    return ["--exclude", " ".join(excluded)] if excluded else []


def _differing(workspace: Workspace, look: Look) -> list[str]:
    """Sources that are not as accepted, or were not when they were last judged."""
    from dagster_agent.response.schema_detection import holds
    from dagster_agent.schema_drift.snapshot import changed_tables

    baselines = {uid: workspace.store.baseline(uid) for uid in look.tables}
    accepted = {uid: known.schema for uid, known in baselines.items() if known is not None}
    there = {
        uid: schema
        for uid, relation in look.tables.items()
        if uid in accepted and (schema := look.schemas.get(relation)) is not None
    }
    held = {hold.asset for hold in holds(workspace.store)} & look.tables.keys()
    return sorted(held.union(changed_tables(accepted, there)))


def _roots(affected: Sequence[str], blueprint: Blueprint) -> list[str]:
    """dbt selectors for the models that no other affected one leads to, with their children."""
    every = set(affected)
    roots = [
        uid
        for uid in affected
        if uid not in blueprint.by_uid or not every & set(blueprint.by_uid[uid].parents)
    ]
    return [f"{uid.split('.', 2)[2]}+" for uid in roots]


def _tell(context: dg.AssetExecutionContext, hold: Hold, out: Sequence[str]) -> None:
    told = _why(hold)
    names = ", ".join(uid.split(".", 2)[2] for uid in out)
    context.log.warning(f"[agent] left out of this run: {names}. {told}")
    context.instance.add_run_tags(context.run_id, _tags(hold))


def _tags(hold: Hold) -> dict[str, str]:
    return {HELD_TAG: hold.asset, WHY_TAG: _why(hold)[:_TAG_CHARS]}


def _why(hold: Hold) -> str:
    return redacted(f"schema drift: {hold.headline}")


def of_location(run: dg.DagsterRun, here: CodeLocationOrigin | None) -> bool:
    """Whether a run is of a code location, as far as both say where they are."""
    origin = run.remote_job_origin
    return origin is None or here is None or origin.location_name == here.location_name


def _held_by(
    run: dg.DagsterRun,
    held: Sequence[Hold],
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
) -> Hold | None:
    chosen = run.asset_selection or event_log.planned_assets(instance, run.run_id)
    uids = {blueprint.by_key[key].unique_id for key in chosen if key in blueprint.by_key}
    return next((hold for hold in held if uids & set(hold.affected)), None)


def _cancel(
    run: dg.DagsterRun, hold: Hold, instance: dg.DagsterInstance, workspace: Workspace
) -> bool:
    """Whether it was still queued, and policy allows it."""
    now = instance.get_run_by_id(run.run_id)
    if now is None or now.status is not dg.DagsterRunStatus.QUEUED:
        return False
    why = f"{_why(hold)}. It was queued, and would have built what that reaches."

    def work() -> bool:
        instance.add_run_tags(run.run_id, _tags(hold))
        instance.report_run_canceling(now, message=why)
        instance.report_run_canceled(now, message=why)
        return True

    try:
        return workspace.guard("drift-sensor").perform(
            "cancel-queued-run",
            run.run_id,
            now=datetime.now(UTC),
            work=work,
            detail={"asset": hold.asset, "why": why},
        )
    except (ApprovalRequired, LeaseHeld):
        return False
