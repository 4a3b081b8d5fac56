"""Run the detectors on one asset; vendor trouble becomes a result, never an exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Literal, get_args

from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.profile import metric_points, profile_table
from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    MetricPoint,
    Severity,
    TableProfile,
    TableSchema,
)
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.response.accounting import accounting_detections
from dagster_agent.response.workspace import Workspace
from dagster_agent.schema_drift.engine import detect_drift, next_baseline

Engine = Literal["reconciliation", "schema-drift", "anomaly"]
"""The detection engines, by the name under which their checks appear."""

ENGINES: tuple[Engine, ...] = get_args(Engine)


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


def profile(workspace: Workspace, asset: str, *, now: datetime) -> TableProfile:
    """Aggregates of one asset's table as it is now; remembers nothing.

    Raises:
        ConfigError: There is no such table.
        ConnectorError: The warehouse does not answer.
    """
    watched = workspace.manifest.asset(asset)
    observed = _observed_schema(workspace, watched)
    if observed is None:
        raise ConfigError(
            f"{watched.relation} does not exist", hint="build it, or take it out of the project"
        )
    relation = watched.relation or observed.relation
    return profile_table(relation, observed, workspace.warehouse, now)


def detect_all(workspace: Workspace, assets: Sequence[str], *, now: datetime) -> list[Detection]:
    """All engines on all assets, in the order given."""
    return [
        d
        for asset in assets
        for engine in ENGINES
        for d in detect(workspace, asset, engine, now=now)
    ]


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
        open_store=workspace.open_other_store,
        now=now,
    )
    return [*found, *accounting_detections(workspace, asset, now=now)]


def _schema_drift(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    observed: TableSchema | DagsterAgentError | None
    try:
        observed = _observed_schema(workspace, asset)
    except ConnectorError as error:
        observed = error
    baseline = workspace.store.baseline(asset.unique_id)
    comparison = partial(
        detect_drift,
        observed=observed,
        baseline=baseline,
        manifest=workspace.manifest,
        config=workspace.settings.for_asset(asset).schema_drift,
        now=now,
    )
    found = comparison(asset.unique_id)
    accepted = next_baseline(asset.unique_id, **comparison.keywords)
    if accepted is not None:
        workspace.store.save_baseline(accepted)
    return [found]


def _anomaly(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    profiled = profile(workspace, asset.unique_id, now=now)

    def history(metric: str) -> Sequence[MetricPoint]:
        known = workspace.store.metric_history(asset.unique_id, metric)
        return [point for point in known if point.at < now]

    found = detect_anomalies(
        asset.unique_id,
        profiled,
        history,
        config=workspace.settings.for_asset(asset).anomaly,
        now=now,
    )
    workspace.store.add_metrics(metric_points(asset.unique_id, profiled))
    return found


def _observed_schema(workspace: Workspace, asset: Asset) -> TableSchema | None:
    if asset.relation is None:
        raise ConfigError(f"{asset.name} is ephemeral: it has no table", hint="exclude it")
    return workspace.schema(asset.relation)


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
    "schema-drift": _schema_drift,
    "anomaly": _anomaly,
}
