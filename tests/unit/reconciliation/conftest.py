"""A small dbt project, as its manifest and its DuckDB file: no dbt needed to write either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Detection, Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.reconciliation.truths import DuckDBTable, Truth
from dagster_agent.sql.identifiers import parse_relation
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

NOW = datetime(2026, 11, 21, 6, 12, tzinfo=UTC)


@dataclass
class Project:
    """Tables are made with `execute`, models with `model`; both are there at once."""

    folder: Path
    connection: duckdb.DuckDBPyConnection
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def other_store(self, name: str, *statements: str) -> None:
        """A DuckDB file beside the warehouse."""
        with duckdb.connect(str(self.folder / name)) as connection:
            for statement in statements:
                connection.execute(statement)

    def source(self, name: str, *, key: str | None = None, columns: tuple[str, ...] = ()) -> None:
        uid = f"source.test.raw.{name}"
        self.sources[uid] = {
            "unique_id": uid,
            "name": name,
            "source_name": "raw",
            "resource_type": "source",
            "relation_name": f'"shop"."main"."{name}"',
            "columns": {c: {"name": c} for c in columns},
            "primary_key": [key] if key else [],
        }

    def model(
        self,
        name: str,
        sql: str,
        *,
        key: tuple[str, ...] = (),
        materialized: str = "table",
        meta: Any = None,
        build: bool = True,
        **node: Any,
    ) -> str:
        """Add a model whose compiled code is `sql`; returns its unique id."""
        uid = f"model.test.{name}"
        self.nodes[uid] = {
            "unique_id": uid,
            "name": name,
            "resource_type": "model",
            "package_name": "test",
            "original_file_path": f"models/{name}.sql",
            "relation_name": f'"shop"."main"."{name}"' if materialized != "ephemeral" else None,
            "config": {"materialized": materialized, "meta": {"dagster_agent": meta or {}}},
            "compiled_code": sql,
            "primary_key": list(key),
        } | node
        if build and materialized != "ephemeral":
            kind = "view" if materialized == "view" else "table"
            self.execute(f'create or replace {kind} main."{name}" as {sql}')
        return uid

    @property
    def manifest(self) -> Manifest:
        content = {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                "project_name": "test",
                "adapter_type": "duckdb",
            },
            "nodes": self.nodes,
            "sources": self.sources,
        }
        return Manifest.from_bytes(json.dumps(content).encode())

    @property
    def warehouse(self) -> Warehouse:
        return MemoryWarehouse(self.connection, catalog="shop")

    def reconcile(self, uid: str, **settings: Any) -> dict[str, Detection]:
        """Results by detector; several of one detector are numbered from the second on."""
        found: dict[str, Detection] = {}
        for detection in self.detections(uid, **settings):
            name = detection.detector.removeprefix("reconciliation/")
            taken = sum(key == name or key.startswith(f"{name} ") for key in found)
            found[f"{name} {taken + 1}" if taken else name] = detection
        return found

    def detections(self, uid: str, **settings: Any) -> list[Detection]:
        return reconcile(
            uid,
            manifest=self.manifest,
            warehouse=self.warehouse,
            config=ReconciliationConfig(**settings),
            now=NOW,
            open_store=self._open,
            landing=landed_tables,
        )

    def _open(self, truth: Truth) -> tuple[Warehouse, Relation]:
        assert isinstance(truth, DuckDBTable)
        store = DuckDBWarehouse(self.folder / truth.duckdb, wait_seconds=0.2)
        return store, parse_relation(truth.table, "duckdb")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    connection = duckdb.connect(":memory:")
    connection.execute("attach ':memory:' as shop")
    connection.execute("use shop")
    built = Project(folder=tmp_path, connection=connection)
    built.execute(
        "create table raw_orders as select i as id, i % 50 as customer_id, i % 7 as product_id,"
        " (i * 3) % 100 as amount, 'text ' || i as note from range(1000) t(i)",
        "create table raw_customers as select i as id, 'name ' || i as name, i % 2 = 0 as active"
        " from range(40) t(i)",
        "create table raw_products as select i as product_id, 'p' || i as label from range(7) t(i)",
    )
    built.source("raw_orders", key="id")
    built.source("raw_customers", key="id")
    built.source("raw_products", key="product_id")
    yield built
    connection.close()
