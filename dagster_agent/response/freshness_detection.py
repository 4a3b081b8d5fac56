"""Is an asset's data recent enough? Collects what the judgement needs, and keeps each look."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster_agent.errors import ConfigError
from dagster_agent.investigation.accounts.load_times import (
    arrival_time,
    is_load_time,
    load_time,
)
from dagster_agent.model import Asset, Detection, DetectionStatus, MetricPoint, TableSchema
from dagster_agent.ports import StateStore
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.engine import LOOKS, Subject, detect_freshness
from dagster_agent.quality.freshness.relevance import asks_for_freshness, promises_freshness
from dagster_agent.response.workspace import Workspace

_VERDICTS = ("freshness", "freshness/timestamps", "freshness/cadence", "freshness/partition")


def freshness_detections(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    """Judge the age of an asset's data by what is declared of it and by its own cadence.

    Args:
        workspace: The opened project.
        asset: A source, model, seed or snapshot.
        now: UTC.

    Raises:
        ConfigError: There is no such table, or the settings name no column of it.
        ConnectorError: The warehouse does not answer.
    """
    config = workspace.settings.for_asset(asset).freshness
    schema = workspace.schema(asset.relation) if asset.relation is not None else None
    if asset.relation is None or schema is None:
        raise ConfigError(
            f"{asset.relation or asset.name} does not exist",
            hint="load or build it, or take it out of the project",
        )
    unasked, store = not promises_freshness(asset), workspace.store
    if unasked and (known := _known(store, asset, config, now)):
        return known
    column = _column(workspace, asset, schema, config)
    if column is None and unasked and (named := arrival_time(schema)) is not None:
        column = named.name
    subject = Subject(
        asset=asset,
        schema=schema,
        column=column,
        named_load_time=column is not None and is_load_time(column),
        asked=asks_for_freshness(asset),
        unasked=unasked,
        readers=_readers(workspace, asset),
        looks={
            metric: [p for p in store.metric_history(asset.unique_id, metric) if p.at < now]
            for metric in LOOKS
        },
    )
    found, looked = detect_freshness(subject, warehouse=workspace.warehouse, config=config, now=now)
    store.add_metrics(
        [
            MetricPoint(asset=asset.unique_id, metric=metric, value=value, at=now)
            for metric, value in looked.items()
        ]
    )
    return found


def _column(
    workspace: Workspace, asset: Asset, schema: TableSchema, config: FreshnessConfig
) -> str | None:
    """What is configured, else dbt's `loaded_at_field`, else a column that by its name tells of
    loading, else dbt's `event_time`."""
    declared = asset.freshness.loaded_at_field if asset.freshness else None
    named = load_time(schema)
    known = config.column or declared or (named.name if named is not None else None)
    if known is not None or asset.unique_id not in workspace.lineage.assets:
        return known
    return workspace.lineage.time_column(asset.unique_id)


def _known(
    store: StateStore, asset: Asset, config: FreshnessConfig, now: datetime
) -> list[Detection]:
    """The last verdict on a table of which nothing was promised, where it is recent and not red."""
    last = store.latest_detection(asset.unique_id, _VERDICTS[0])
    wait = timedelta(minutes=config.unasked_every_minutes)
    if last is None or not now - wait < last.observed_at <= now:
        return []
    kept = (store.latest_detection(asset.unique_id, name) for name in _VERDICTS)
    found = [d for d in kept if d is not None and d.observed_at == last.observed_at]
    settled = (DetectionStatus.PASSED, DetectionStatus.UNTRAINED)
    return found if all(d.status in settled for d in found) else []


def _readers(workspace: Workspace, asset: Asset) -> tuple[str, ...]:
    """Names of the models and exposures below the asset, exposures first."""
    manifest = workspace.lineage
    if asset.unique_id not in manifest.assets:
        return ()
    below = manifest.downstream(asset.unique_id)
    exposures = [
        f"{e.type or 'exposure'} {e.name}" + (f" (owner: {e.owner})" if e.owner else "")
        for e in manifest.exposures_of([asset.unique_id])
    ]
    return (*exposures, *(manifest.asset(uid).name for uid in below))
