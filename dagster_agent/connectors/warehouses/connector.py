"""What a file of this folder offers: a way to open one kind of warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.ports import Warehouse


class OpenWarehouse(Protocol):
    """Opens a warehouse from a rendered dbt target. Connects to nothing yet."""

    def __call__(
        self,
        output: Mapping[str, Any],
        *,
        base_dir: Path,
        snapshot_dir: Path,
        config: WarehouseConfig,
    ) -> Warehouse:
        """See `dagster_agent.connectors.warehouses.open_warehouse`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseConnector:
    """A kind of warehouse that is supported."""

    id: str
    """dbt's adapter type."""
    open: OpenWarehouse
    """How to open one."""
