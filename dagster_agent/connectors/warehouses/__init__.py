"""Warehouses, one file each. Which one is meant, the dbt profile's `type` says."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_agent.catalog import Catalog
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
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

    Raises:
        ConfigError: The type is unknown, its driver is not installed, or the target is wrong.
    """
    known = Catalog(sys.modules[__name__], WarehouseConnector).members()
    wanted = str(output.get("type", ""))
    if wanted not in known:
        supported = ", ".join(known)
        raise ConfigError(
            f"the dbt profile's target has the type {wanted!r}, which is not supported yet",
            hint=f"supported today: {supported}",
        )
    return known[wanted].open(
        output,
        base_dir=base_dir,
        snapshot_dir=snapshot_dir,
        config=config or WarehouseConfig(),
    )
