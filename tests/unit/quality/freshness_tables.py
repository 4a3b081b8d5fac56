"""Tables in a real DuckDB whose freshness is judged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.model import Asset, Detection, Freshness, MetricPoint, Relation
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.engine import Subject, detect_freshness

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class Tables:
    """A database file, read as the agent reads it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.looked: dict[str, list[MetricPoint]] = {}

    def sql(self, *statements: str) -> None:
        with duckdb.connect(str(self._folder / "x.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def judge(
        self,
        column: str | None = "loaded_at",
        *,
        now: datetime = NOW,
        table: str = "orders",
        freshness: Freshness | None = None,
        named_load_time: bool = False,
        asked: bool = False,
        unasked: bool = False,
        readers: tuple[str, ...] = (),
        **config: Any,
    ) -> dict[str, Detection]:
        warehouse = open_warehouse(
            {"type": "duckdb", "path": str(self._folder / "x.duckdb")},
            base_dir=self._folder,
            snapshot_dir=self._folder,
        )
        relation = Relation(schema="main", name=table)
        subject = Subject(
            asset=Asset(
                unique_id=f"source.shop.{table}",
                name=table,
                resource_type="source",
                relation=relation,
                freshness=freshness,
            ),
            schema=warehouse.schemas([relation])[relation],
            column=column,
            named_load_time=named_load_time,
            asked=asked,
            unasked=unasked,
            readers=readers,
            looks=self.looked,
        )
        found, looked = detect_freshness(
            subject, warehouse=warehouse, config=FreshnessConfig(**config), now=now
        )
        for metric, value in looked.items():
            point = MetricPoint(asset="x", metric=metric, value=value, at=now)
            self.looked.setdefault(metric, []).append(point)
        return {detection.detector: detection for detection in found}
