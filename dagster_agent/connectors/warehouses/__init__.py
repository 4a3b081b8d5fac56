"""Warehouses, one file each. Which one is meant, the dbt profile's `type` says."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_agent.catalog import Catalog
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
from dagster_agent.connectors.warehouses.dbt_adapter import DbtAdapterWarehouse
from dagster_agent.connectors.warehouses.dbt_adapter_client import adapter_installed
from dagster_agent.errors import ConfigError
from dagster_agent.ports import Warehouse

__all__ = ["WarehouseConfig", "WarehouseConnector", "open_warehouse"]


def open_warehouse(
    output: Mapping[str, Any],
    *,
    base_dir: Path,
    snapshot_dir: Path,
    config: WarehouseConfig | None = None,
) -> Warehouse:
    """The warehouse that a dbt target describes. Nothing is connected to yet.

    Args:
        output: The rendered target of profiles.yml.
        base_dir: Folder that relative paths in it start from: the dbt project.
        snapshot_dir: Private folder for copies of local database files; made when needed.
        config: Waiting times and limits.

    A connector of our own comes first, then dbt's adapter of that type where it is installed.

    Raises:
        ConfigError: Neither is there, its driver is not installed, or the target is wrong.
    """
    known = Catalog(sys.modules[__name__], WarehouseConnector).members()
    wanted = str(output.get("type", ""))
    config = config or WarehouseConfig()
    if wanted in known:
        return known[wanted].open(
            output, base_dir=base_dir, snapshot_dir=snapshot_dir, config=config
        )
    if adapter_installed(wanted):
        return DbtAdapterWarehouse(output, base_dir=base_dir, config=config)
    raise ConfigError(
        f"the dbt profile's target has the type {wanted!r}: there is no connector for it, and no"
        f" dbt adapter of that name is installed",
        hint=f"connectors: {', '.join(known)}; for others install the adapter beside the agent,"
        f" such as dbt-{wanted or 'redshift'}",
    )
