"""Has a schema changed? Collects what the judgement needs, and keeps what follows from it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.model import (
    Asset,
    Baseline,
    ColumnSchema,
    Detection,
    DetectionStatus,
    Relation,
    TableSchema,
)
from dagster_agent.ports import StateStore
from dagster_agent.response.json_documents import contents_of
from dagster_agent.response.observing import observed_schema
from dagster_agent.response.workspace import Workspace
from dagster_agent.schema_drift.engine import Examination, Surroundings, baseline_after, examine
from dagster_agent.schema_drift.fingerprints import Sketches, take_sketches
from dagster_agent.schema_drift.json_contents import (
    Contents,
    contents_seen,
    keep_contents,
)
from dagster_agent.schema_drift.neighbours import new_tables

_HOLDS = "schema-drift/hold"
_SKETCHES = "schema-drift/sketches"
_SALT = "schema-drift/salt"

SchemaOf = Callable[[Relation], TableSchema | None]
"""The schema of a relation as it is now; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A drift of severity ERROR, and what had better not be built before it is dealt with."""

    asset: str
    """Unique id of the asset whose schema changed."""
    headline: str
    """What changed."""
    affected: tuple[str, ...]
    """Unique ids of the models that it reaches, nearest first."""
    tests: tuple[str, ...] = ()
    """Names of the dbt tests that read what has changed."""


def schema_detections(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    """Compare an asset's schema with the accepted one, and move that on where nothing fails.

    Args:
        workspace: The opened project.
        asset: A source, model, seed or snapshot.
        now: UTC.

    Raises:
        ConfigError: It has no table by its nature.
    """
    if asset.relation is None:
        what = "an external location" if asset.resource_type == "source" else "ephemeral"
        raise ConfigError(f"{asset.name} is {what}: it has no table", hint="exclude it")
    baseline = accepted_baseline(workspace.store, asset.unique_id)
    observed = observed_schema(workspace, asset, asset.relation, baseline)
    schema = observed if isinstance(observed, TableSchema) else None
    contents = contents_of(workspace, asset, schema, now) if schema else Contents()
    found = examine_schema(
        workspace,
        asset,
        observed,
        manifest=workspace.manifest,
        schema_of=workspace.schema,
        new_tables=_new_tables(workspace, asset, schema) if schema else (),
        contents=contents,
        now=now,
    )
    detection = found.detection
    right = detection.status in (DetectionStatus.PASSED, DetectionStatus.UNTRAINED)
    keep_contents(workspace.store, asset.unique_id, contents, right=right, now=now)
    if right and schema:
        sketches = _sketches_kept(workspace, asset, schema, baseline, now=now)
        following = baseline_after(detection, observed=observed, baseline=baseline, now=now)
        if following is not None:
            workspace.store.save_baseline(replace(following, fingerprints=sketches))
    keep_hold(workspace.store, found)
    return [detection]


def examine_schema(
    workspace: Workspace,
    asset: Asset,
    observed: TableSchema | DagsterAgentError | None,
    *,
    manifest: Manifest,
    schema_of: SchemaOf,
    now: datetime,
    new_tables: Sequence[str] = (),
    contents: Contents | None = None,
) -> Examination:
    """Judge a schema that was read already; keeps nothing.

    Args:
        workspace: The opened project.
        asset: Whose schema it is.
        observed: The schema, None for no table, or the error that the warehouse answered with.
        manifest: The compiled one in a run, whatever is at hand in a sensor's tick.
        schema_of: Schemas of other tables, for lineage.
        now: UTC.
        new_tables: Tables that are new beside it.
        contents: A look into its JSON columns; by default as the last one found them.
    """

    def columns_of(other: Asset) -> Sequence[str] | None:
        try:
            schema = schema_of(other.relation) if other.relation else None
        except ConnectorError:
            return None
        return tuple(column.name for column in schema.columns) if schema else None

    sketch: Callable[[Sequence[ColumnSchema]], Sketches] = lambda _: {}  # noqa: E731 - a default
    if isinstance(observed, TableSchema):
        sketch = partial(sketches_of, workspace, asset, observed)
    return examine(
        asset.unique_id,
        observed=observed,
        baseline=accepted_baseline(workspace.store, asset.unique_id),
        manifest=manifest,
        config=workspace.settings.for_asset(asset).schema_drift,
        now=now,
        around=Surroundings(
            columns_of=columns_of,
            sketch=sketch,
            new_tables=new_tables,
            contents=contents or contents_seen(workspace.store, asset.unique_id),
        ),
    )


def accepted_baseline(store: StateStore, uid: str) -> Baseline | None:
    """The accepted schema, with the newest sketches of its values."""
    baseline = store.baseline(uid)
    kept: Mapping[str, Any] = store.get(f"{_SKETCHES}/{uid}") or {}
    if baseline is None or not kept.get("hashes"):
        return baseline
    if datetime.fromisoformat(kept["at"]) < baseline.accepted_at:
        return baseline
    hashes = {str(name): tuple(map(int, found)) for name, found in kept["hashes"].items()}
    return replace(baseline, fingerprints=hashes)


def sketches_of(
    workspace: Workspace,
    asset: Asset,
    schema: TableSchema,
    columns: Sequence[ColumnSchema] | None = None,
) -> Sketches:
    """Sketches of a table's values now; nothing where the settings or the warehouse refuse.

    Args:
        workspace: The opened project.
        asset: Whose table it is.
        schema: Its schema now.
        columns: Only these; all by default.
    """
    config = workspace.settings.for_asset(asset).schema_drift
    wanted = config.fingerprints == "all" or (
        config.fingerprints == "sources" and asset.resource_type == "source"
    )
    if not wanted or schema.kind == "view":
        return {}
    try:
        return take_sketches(
            workspace.warehouse,
            schema.relation,
            schema.columns if columns is None else columns,
            salt=_salt(workspace.store, workspace.project.name),
            rows=config.fingerprint_max_rows,
        )
    except DagsterAgentError:
        # evidence for a rename that may never happen is worth no red check
        return {}


def holds(store: StateStore) -> tuple[Hold, ...]:
    """What the latest checks hold back, by asset."""
    return tuple(
        Hold(
            asset=key.removeprefix(f"{_HOLDS}/"),
            headline=str(kept["headline"]),
            affected=tuple(map(str, kept["affected"])),
            tests=tuple(map(str, kept["tests"])),
        )
        for key, kept in store.entries(_HOLDS).items()
        if kept
    )


def hold_of(found: Examination) -> Hold | None:
    """What a verdict holds back; None where it breaks nothing."""
    if not found.affected or found.detection.status is not DetectionStatus.FAILED:
        return None
    told = found.detection
    return Hold(
        asset=told.asset,
        headline=told.headline,
        affected=found.affected,
        tests=found.broken_tests,
    )


def keep_hold(store: StateStore, found: Examination) -> None:
    """Remember what a verdict holds back, or that it holds back nothing any more."""
    if found.detection.status is DetectionStatus.COULD_NOT_RUN:
        return
    key = f"{_HOLDS}/{found.detection.asset}"
    hold = hold_of(found)
    if hold is not None:
        kept = {
            "headline": hold.headline,
            "affected": list(hold.affected),
            "tests": list(hold.tests),
        }
        store.put(key, kept)
    elif store.get(key):
        store.put(key, None)


def _sketches_kept(
    workspace: Workspace,
    asset: Asset,
    schema: TableSchema,
    baseline: Baseline | None,
    *,
    now: datetime,
) -> Sketches:
    """The sketches to keep, taken anew where they are too old."""
    key = f"{_SKETCHES}/{asset.unique_id}"
    kept: Mapping[str, Any] = workspace.store.get(key) or {}
    config = workspace.settings.for_asset(asset).schema_drift
    known: Sketches = baseline.fingerprints if baseline else {}
    age = now - datetime.fromisoformat(kept["at"]) if kept else None
    if age is not None and age < timedelta(hours=config.fingerprint_every_hours):
        return known
    taken = sketches_of(workspace, asset, schema)
    if taken or known:
        hashes = {name: list(found) for name, found in taken.items()}
        workspace.store.put(key, {"at": now.isoformat(), "hashes": hashes})
    return taken or known


def _new_tables(workspace: Workspace, asset: Asset, schema: TableSchema) -> Sequence[str]:
    return new_tables(
        asset,
        schema,
        manifest=workspace.manifest,
        warehouse=workspace.warehouse,
        store=workspace.store,
        config=workspace.settings.for_asset(asset).schema_drift,
    )


def _salt(store: StateStore, project: str) -> str:
    """Random, one for each project, the same in every process."""
    prefix = f"{_SALT}/{project}"
    if not store.entries(prefix):
        store.append(prefix, secrets.token_hex(16))
    return str(next(iter(store.entries(prefix).values())))
