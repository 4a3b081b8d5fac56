"""Is an asset's data recent enough? Collects what the judgement needs, and keeps each look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from dagster_agent.errors import ConfigError
from dagster_agent.investigation.accounts.load_times import is_load_time, load_time
from dagster_agent.model import Asset, Detection, MetricPoint, TableSchema
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.engine import LOOKS, Subject, detect_freshness
from dagster_agent.response.workspace import Workspace


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
    column = _column(workspace, asset, schema, config)
    store = workspace.store
    subject = Subject(
        asset=asset,
        schema=schema,
        column=column,
        named_load_time=column is not None and is_load_time(column),
        asked=_asked(asset),
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


def _asked(asset: Asset) -> bool:
    ours: object = asset.meta.get("dagster_agent")
    return isinstance(ours, Mapping) and "freshness" in cast("Mapping[str, object]", ours)


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
