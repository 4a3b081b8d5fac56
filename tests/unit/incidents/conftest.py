"""A small project: raw orders and customers, staged, joined, aggregated; flights stand apart."""

from __future__ import annotations

import json

import pytest

from dagster_agent.dbt.manifest import Manifest

PARENTS = {
    "stg_orders": ["raw_orders"],
    "stg_customers": ["raw_customers"],
    "fct_orders": ["stg_orders", "stg_customers"],
    "daily_revenue": ["fct_orders"],
    "raw_orders": [],
    "raw_customers": [],
    "stg_flights": [],
}


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    nodes = {
        f"model.shop.{name}": {
            "unique_id": f"model.shop.{name}",
            "name": name,
            "resource_type": "model",
            "depends_on": {"nodes": [f"model.shop.{parent}" for parent in parents]},
        }
        for name, parents in PARENTS.items()
    }
    version = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    metadata = {"dbt_schema_version": version, "project_name": "shop", "adapter_type": "duckdb"}
    return Manifest.from_bytes(
        json.dumps({"metadata": metadata, "nodes": nodes, "sources": {}}).encode()
    )
