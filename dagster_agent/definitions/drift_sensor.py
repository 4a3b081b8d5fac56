"""The sensor that looks at schemas on its own interval: a change is known before a model runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import dagster as dg

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import Job
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import DagsterAgentError

if TYPE_CHECKING:
    from dagster_agent.definitions.discovery import DbtProjectRef
    from dagster_agent.model import TableSchema

_GONE = "gone"


def build_drift_sensor(blueprint: Blueprint, checks: Job) -> dg.SensorDefinition:
    """The sensor that watches the sources' schemas.

    Args:
        blueprint: What is watched.
        checks: The checks job, which it launches for the sources that changed.
    """
    status = dg.DefaultSensorStatus
    running = blueprint.settings.sensor.running_by_default

    # dagster annotates a metadata parameter, which is not used here, with a bare PathLike.
    @dg.sensor(  # pyright: ignore[reportUnknownMemberType] # see above
        name=blueprint.names.drift_sensor,
        jobs=[checks],
        minimum_interval_seconds=blueprint.settings.schema_drift.poll_seconds,
        default_status=status.RUNNING if running else status.STOPPED,
        description="Reads the schemas of all sources in one query per database, apart from runs.",
        tags={KIND_TAG: "watch"},
    )
    def drift(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _tick(blueprint, context)

    return drift


def _tick(
    blueprint: Blueprint, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    before = _parse(context.cursor)
    seen: dict[str, str] = {}
    troubles: list[str] = []
    for project in blueprint.projects:
        try:
            seen |= _digests(blueprint, project, context.instance)
        except DagsterAgentError as error:
            # a failed look is no drift: what was known stays known
            troubles.append(error.message)
    changed = [uid for uid, digest in sorted(seen.items()) if before.get(uid) != digest]
    context.update_cursor(json.dumps({**before, **seen}, sort_keys=True))
    if not changed:
        told = f"{len(seen)} sources as they were" + "".join(f"; {t}" for t in troubles)
        return dg.SkipReason(told)
    return dg.SensorResult(run_requests=[_request(blueprint, changed)])


def _digests(
    blueprint: Blueprint, project: DbtProjectRef, instance: dg.DagsterInstance
) -> dict[str, str]:
    """A digest of each source's schema as it is now, by dbt unique id."""
    with open_workspace(blueprint, project, instance) as workspace:
        assets = workspace.lineage.assets
        relations = {
            ref.unique_id: relation
            for ref in blueprint.refs
            if ref.resource_type == "source"
            and ref.project == project
            and ref.unique_id in assets
            and (relation := assets[ref.unique_id].relation) is not None
        }
        schemas = workspace.warehouse.schemas(list(relations.values()))
    return {uid: _digest(schemas.get(relation)) for uid, relation in relations.items()}


def _digest(schema: TableSchema | None) -> str:
    if schema is None:
        return _GONE
    told = [schema.kind, *(f"{c.name}|{c.type}|{c.nullable}" for c in schema.columns)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _parse(cursor: str | None) -> Mapping[str, str]:
    try:
        kept = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return cast("Mapping[str, str]", kept) if isinstance(kept, dict) else {}


def _request(blueprint: Blueprint, changed: list[str]) -> dg.RunRequest:
    keys = [
        key
        for uid in changed
        for key in blueprint.check_keys(blueprint.by_uid[uid], ["schema-drift"])
    ]
    return dg.RunRequest(
        run_key=f"drift:{datetime.now(UTC):%Y%m%dT%H%M%S%f}",
        job_name=blueprint.names.checks_job,
        asset_check_keys=keys,
        tags={KIND_TAG: "checks"},
    )
