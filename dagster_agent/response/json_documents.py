"""Looking into the JSON columns of one asset, by its newest rows."""

from __future__ import annotations

from datetime import datetime

from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.accounts.load_times import load_time
from dagster_agent.model import Asset, TableSchema
from dagster_agent.response.daily_monitoring import event_time_of
from dagster_agent.response.workspace import Workspace
from dagster_agent.schema_drift.json_contents import Contents, look_into


def contents_of(workspace: Workspace, asset: Asset, schema: TableSchema, now: datetime) -> Contents:
    """A look into the JSON columns of an asset's table, beside what is known of them."""
    return look_into(
        asset,
        schema,
        warehouse=workspace.warehouse,
        store=workspace.store,
        config=workspace.settings.for_asset(asset).schema_drift,
        moment=lambda: newest_by(workspace, asset, schema),
        now=now,
        secrets=workspace.secrets,
    )


def newest_by(workspace: Workspace, asset: Asset, schema: TableSchema) -> str | None:
    """When a row was loaded, else when it happened; None where no column tells.

    Loading comes first: what a producer changed arrives last, whatever it is about.
    """
    loaded = load_time(schema)
    if loaded is not None:
        return loaded.name
    try:
        by = event_time_of(workspace, asset, schema)
    except DagsterAgentError:
        # a wrong setting of another check, which tells it
        return None
    return by.column.name if by else None
