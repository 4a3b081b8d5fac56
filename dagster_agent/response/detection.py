"""Run the detectors on one asset; vendor trouble becomes a result, never an exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, get_args

from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Severity,
)
from dagster_agent.quality.freshness.relevance import has_freshness
from dagster_agent.quality.relevance import has_promises
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.response.accounting import accounting_detections
from dagster_agent.response.freshness_detection import freshness_detections
from dagster_agent.response.monitoring import anomaly_detections
from dagster_agent.response.pairs import no_longer_asked
from dagster_agent.response.quality_detection import quality_detections
from dagster_agent.response.reconciliation_history import keep_results, past
from dagster_agent.response.schema_detection import schema_detections
from dagster_agent.response.workspace import Workspace

Engine = Literal["reconciliation", "schema-drift", "anomaly", "freshness", "quality"]
"""The detection engines, by the name under which their checks appear."""

ENGINES: tuple[Engine, ...] = get_args(Engine)
"""All of them; quality comes last because it reads what the others have found."""


def detect(workspace: Workspace, asset: str, engine: Engine, *, now: datetime) -> list[Detection]:
    """Judge one asset with one engine and remember the results.

    Args:
        workspace: The opened project.
        asset: dbt unique id.
        engine: Which detectors.
        now: UTC.

    Returns:
        At least one detection. What could not run says so with its reason; nothing is raised for a
        warehouse that is down, a vanished table or a wrong setting of this asset.
    """
    try:
        found = _RUNNERS[engine](workspace, workspace.manifest.asset(asset), now)
    except DagsterAgentError as error:
        found = [_could_not_run(asset, engine, error, now)]
    for detection in found:
        workspace.store.save_detection(detection)
    return found


def detect_all(workspace: Workspace, assets: Sequence[str], *, now: datetime) -> list[Detection]:
    """On each asset, in the order given, the engines that have something to say about it."""
    return [
        d
        for asset in assets
        for engine in engines_of(workspace, asset)
        for d in detect(workspace, asset, engine, now=now)
    ]


def engines_of(workspace: Workspace, asset: str) -> tuple[Engine, ...]:
    """Engines with something to say about an asset: promises are judged where there are any."""
    told = workspace.manifest.asset(asset)
    tests = [test.kind for test in workspace.manifest.tests_of(asset)]
    silent: set[Engine] = set()
    event_time = workspace.manifest.time_column(asset)
    if not has_freshness(told, event_time=event_time, dialect=workspace.warehouse.dialect):
        silent.add("freshness")
    if not has_promises(told, tests):
        silent.add("quality")
    return tuple(engine for engine in ENGINES if engine not in silent)


def watched_assets(workspace: Workspace) -> tuple[str, ...]:
    """dbt unique ids of everything with rows of its own or of a source, sorted."""
    return tuple(
        uid for uid, asset in workspace.manifest.assets.items() if asset.relation is not None
    )


def _reconciliation(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    if asset.resource_type not in ("model", "snapshot"):
        return [_not_applicable(asset, "reconciliation", now)]
    found = reconcile(
        asset.unique_id,
        manifest=workspace.manifest,
        warehouse=workspace.warehouse,
        config=workspace.settings.for_asset(asset).reconciliation,
        open_store=workspace.truths.open,
        history=past(workspace.store, asset.unique_id, now=now),
        landing=landed_tables,
        now=now,
    )
    found += no_longer_asked(workspace.store, found, asset=asset.unique_id, now=now)
    keep_results(workspace.store, found)
    return [*found, *accounting_detections(workspace, asset, now=now)]


def _not_applicable(asset: Asset, engine: Engine, now: datetime) -> Detection:
    return Detection(
        detector=engine,
        asset=asset.unique_id,
        status=DetectionStatus.PASSED,
        headline=f"{asset.name} is a {asset.resource_type}: nothing upstream to reconcile it with",
        observed_at=now,
        severity=Severity.INFO,
    )


def _could_not_run(
    asset: str, engine: Engine, error: DagsterAgentError, now: datetime
) -> Detection:
    return Detection(
        detector=engine,
        asset=asset,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=error.message,
        observed_at=now,
        hint=error.hint,
    )


_RUNNERS: dict[Engine, Callable[[Workspace, Asset, datetime], list[Detection]]] = {
    "reconciliation": _reconciliation,
    "schema-drift": schema_detections,
    "anomaly": anomaly_detections,
    "freshness": freshness_detections,
    "quality": quality_detections,
}
