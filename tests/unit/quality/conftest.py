"""A small dbt project in memory: tables made by SQL, tests and meta as the manifest has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Detection
from dagster_agent.privacy.masking import mask_table
from dagster_agent.quality.config import QualityConfig
from dagster_agent.quality.dimension import DimensionResult, Subject
from dagster_agent.quality.engine import plan_dimensions
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.invariant_engine import invariant_detection, plan_invariants
from dagster_agent.quality.measuring import ask_all
from dagster_agent.quality.table import Surroundings
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


@dataclass
class Promises:
    """Models and what is promised of them."""

    warehouse: MemoryWarehouse
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.warehouse.connection.execute(statement)

    def model(self, name: str, *, meta: Mapping[str, Any] | None = None, **node: Any) -> str:
        """Describe a table that exists; returns its unique id."""
        uid = f"model.test.{name}"
        config = {"meta": {"dagster_agent": meta or {}}} | node.pop("config", {})
        self.nodes[uid] = {
            "unique_id": uid,
            "name": name,
            "resource_type": "model",
            "package_name": "test",
            "original_file_path": f"models/marts/{name}.sql",
            "relation_name": f'"memory"."main"."{name}"',
            "config": config,
        } | node
        return uid

    def source(self, name: str, **node: Any) -> str:
        uid = f"source.test.raw.{name}"
        self.sources[uid] = {
            "unique_id": uid,
            "name": name,
            "source_name": "raw",
            "resource_type": "source",
            "relation_name": f'"memory"."main"."{name}"',
        } | node
        return uid

    def test(
        self,
        uid: str,
        kind: str,
        column: str | None = None,
        *,
        where: str | None = None,
        **kwargs: Any,
    ) -> None:
        """A generic dbt test on a model."""
        name = f"{kind}_{uid.rpartition('.')[2]}_{column}_{len(self.nodes)}"
        self.nodes[f"test.test.{name}"] = {
            "unique_id": f"test.test.{name}",
            "name": name,
            "resource_type": "test",
            "attached_node": uid,
            "column_name": column,
            "config": {"where": where},
            "test_metadata": {"name": kind, "kwargs": kwargs},
            "depends_on": {"nodes": [uid]},
        }

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

    def around(self) -> Surroundings:
        def schema_of(relation: Any) -> Any:
            return self.warehouse.schemas([relation]).get(relation)

        return Surroundings(manifest=self.manifest, warehouse=self.warehouse, schema_of=schema_of)

    def subject(self, uid: str, *, truths: Sequence[Detection] = ()) -> Subject:
        around = self.around()
        asset = around.manifest.asset(uid)
        ours = asset.meta["dagster_agent"]
        return Subject(
            table=around.table(asset),
            around=around,
            tests=around.manifest.tests_of(uid),
            config=QualityConfig.model_validate(ours.get("quality", {})),
            freshness=FreshnessConfig.model_validate(ours.get("freshness", {})),
            now=NOW,
            truths=truths,
        )

    def judge(self, uid: str, *, truths: Sequence[Detection] = ()) -> dict[str, DimensionResult]:
        """Results by dimension."""
        subject = self.subject(uid, truths=truths)
        plans = plan_dimensions(subject)
        answers = ask_all(plans.asks, subject.table, self.warehouse, purpose="test")
        return {result.dimension: result for result in plans.results(answers)}

    def invariants(self, uid: str) -> list[Detection]:
        """What is said of each declared invariant, in order."""
        subject = self.subject(uid)
        plans = plan_invariants(subject)
        asks = [ask for plan in plans for ask in plan.asks]
        answers = ask_all(asks, subject.table, self.warehouse, purpose="test")
        return [invariant_detection(plan, subject, answers, mask_table) for plan in plans]


@pytest.fixture
def promises() -> Iterator[Promises]:
    with duckdb.connect(":memory:") as connection:
        yield Promises(MemoryWarehouse(connection))
