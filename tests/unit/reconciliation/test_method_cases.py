"""Reconciliation methods against their case files, on real tables in DuckDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.engine import reconcile
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "reconciliation_method"
UID = "model.case.fct"
SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
LOADED = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
    for file in sorted(CASES.glob("*.yaml"))
    for case in read_cases(file)["cases"]
]


@pytest.mark.parametrize(("method", "case"), LOADED)
def test_case(method: str, case: dict[str, Any], tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "case.duckdb")) as connection:
        for name, query in case["tables"].items():
            connection.execute(f"create table {name} as {query}")
        connection.execute(f"create table fct as {case['sql']}")
    found = reconcile(
        UID,
        manifest=_manifest(case),
        warehouse=DuckDBWarehouse(tmp_path / "case.duckdb", snapshot_dir=tmp_path / "copies"),
        config=ReconciliationConfig(),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    mine = [d for d in found if method in d.detector.split("/")]
    assert mine, [d.detector for d in found]
    judged = [d for d in mine if d.status.value == case["status"]]
    assert judged, [(d.status, d.headline) for d in mine]
    text = " ".join(d.headline for d in judged)
    assert all(told in text for told in case.get("told", ())), text


def _manifest(case: dict[str, Any]) -> Manifest:
    sources = {
        f"source.case.raw.{name}": {
            "unique_id": f"source.case.raw.{name}",
            "name": name,
            "source_name": "raw",
            "resource_type": "source",
            "relation_name": f'"case"."main"."{name}"',
        }
        for name in case["tables"]
    }
    sql = case["sql"]
    for name in sorted(case["tables"], key=len, reverse=True):
        sql = sql.replace(f" {name}", f' "case"."main"."{name}"')
    node = {
        "unique_id": UID,
        "name": "fct",
        "resource_type": "model",
        "original_file_path": "models/fct.sql",
        "relation_name": '"case"."main"."fct"',
        "config": {"materialized": "table"},
        "meta": {"dagster_agent": {"reconcile": case.get("reconcile", [])}},
        "depends_on": {"nodes": list(sources)},
        "raw_code": sql,
        "compiled_code": sql,
    }
    metadata = {"dbt_schema_version": SCHEMA, "project_name": "case", "adapter_type": "duckdb"}
    content = {"metadata": metadata, "nodes": {UID: node}, "sources": sources}
    return Manifest.from_bytes(json.dumps(content).encode())
