"""Pairs on a real PostgreSQL: in it, and across it and DuckDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.connectors.warehouses.postgres import PostgresWarehouse
from dagster_agent.connectors.warehouses.postgres_profile import read_target
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Detection, DetectionStatus, Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.reconciliation.row_comparison.landing import Landing
from dagster_agent.reconciliation.truths import TargetTable, Truth
from tests.postgres_server import Postgres

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
NOW = datetime(2026, 11, 21, 6, 12, tzinfo=UTC)
SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"

ORDERS = (
    "select i as order_id, (i % 50) + 10.25 as amount, case i % 3 when 0 then 'DE' else 'AT' end"
    " as country, timestamp '2026-11-01 10:00:00' + i * interval '1 hour' as created_at"
    " from {source}"
)
CHARGES = (
    "create table charges as select order_id::text as reference, part,"
    " (amount * 50)::numeric(20, 3) as minor, country as land,"
    " (created_at at time zone 'UTC') as booked_at from orders, generate_series(1, 2) part"
    " where order_id not in (400, 401)"
)


@pytest.fixture(scope="module")
def processor(postgres_server: Postgres) -> PostgresWarehouse:
    name = postgres_server.create("pairs")
    orders = ORDERS.format(source="generate_series(0, 479) i")
    for statement in (
        f"create table orders as {orders}",
        CHARGES,
        # in flight: newer than anything that we have
        "insert into charges select '9999', 1, 50, 'DE', timestamptz '2026-11-22 10:00:00+00'",
    ):
        postgres_server.sql(statement, name)
    return PostgresWarehouse(read_target(postgres_server.target(name)))


ENTRY: dict[str, Any] = {
    "with": {"target": "processor", "table": "public.charges"},
    "name": "processor",
    "key": {"order_id": "reference"},
    "grouped": "theirs",
    "measures": {"amount": {"theirs": "sum(minor) / 100.0", "unit": "EUR", "absolute": 0.01}},
    "segments": {"country": "land"},
    "day": {"created_at": "booked_at"},
    "watermark": {"ours": "created_at", "theirs": "booked_at"},
}


def reconciled(warehouse: Warehouse, relation: str, entry: Any, other: Warehouse) -> Any:
    node: dict[str, Any] = {
        "unique_id": "model.case.fct_orders",
        "name": "fct_orders",
        "resource_type": "model",
        "original_file_path": "models/fct_orders.py",
        "language": "python",
        "relation_name": relation,
        "config": {"materialized": "table"},
        "meta": {"dagster_agent": {"reconcile": [entry]}},
    }
    metadata = {
        "dbt_schema_version": SCHEMA,
        "project_name": "case",
        "adapter_type": warehouse.dialect,
    }
    content = {"metadata": metadata, "nodes": {node["unique_id"]: node}, "sources": {}}

    def open_store(truth: Truth) -> tuple[Warehouse, Relation]:
        assert isinstance(truth, TargetTable)
        return other, Relation(database=None, schema="public", name=truth.table.split(".")[-1])

    landing: Landing = landed_tables
    found: list[Detection] = reconcile(
        "model.case.fct_orders",
        manifest=Manifest.from_bytes(json.dumps(content).encode()),
        warehouse=warehouse,
        config=ReconciliationConfig(),
        now=NOW,
        open_store=open_store,
        landing=landing,
    )
    return {d.detector.removeprefix("reconciliation/"): d for d in found}


def test_charges_in_postgres_against_orders_in_duckdb(project: Any, processor: Any) -> None:
    orders = ORDERS.format(source="range(480) t(i)").replace("i * interval '1 hour'", "to_hours(i)")
    project.execute(f"create table fct_orders as {orders}")
    relation = '"shop"."main"."fct_orders"'
    found = reconciled(project.warehouse, relation, ENTRY, processor)
    rows = found["row-count"]
    assert rows.metrics["rows_in_flight_theirs.processor"] == 3
    keys = found["key-difference"]
    assert keys.status is FAILED, [d.headline for d in found.values()]
    assert keys.headline == (
        "fct_orders has 2 orders that processor lacks on 2026-11-18 (EUR 21.50 at stake), "
        "all in country=AT"
    )
    assert keys.metrics["keys_missing.processor"] == 0


def test_inside_postgres(processor: Any) -> None:
    entry = ENTRY | {"with": "public.charges"}
    found = reconciled(processor, '"pairs"."public"."orders"', entry, processor)
    assert found["key-difference"].status is FAILED, [d.headline for d in found.values()]
    assert found["key-difference"].metrics["keys_extra.processor"] == 2
    sampled = entry | {"sample": {"share": 0.5}, "filter": "order_id not in (400, 401)"}
    found = reconciled(processor, '"pairs"."public"."orders"', sampled, processor)
    assert {d.status for d in found.values()} == {PASSED}, [d.headline for d in found.values()]
    assert "no difference in a sample of" in found["key-difference"].headline


def test_a_metric_across_stores(project: Any, processor: Any) -> None:
    orders = ORDERS.format(source="range(480) t(i)").replace("i * interval '1 hour'", "to_hours(i)")
    project.execute(f"create or replace table fct_orders as {orders}")
    metric = {
        "ours": "sum(amount)",
        "theirs": "sum(minor) / 100",
        "by": {"ours": "country", "theirs": "land"},
        "absolute": 0.01,
    }
    entry = {"with": ENTRY["with"], "name": "processor", "metric": metric}
    entry["with_filter"] = "reference <> '9999'"
    found = reconciled(project.warehouse, '"shop"."main"."fct_orders"', entry, processor)
    assert found["metric-agreement"].status is FAILED
    assert found["metric-agreement"].metrics["metric_groups_differing.processor"] == 1
