"""The quality table: freshness, completeness, uniqueness, validity, accuracy, in one asset.

Default target / alert: freshness < 1 h / > 2 h where declared; completeness > 99 % / < 95 %;
uniqueness 100 % / < 100 %; validity > 99 % / < 95 %; accuracy against the source 100 % / < 99.9 %.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Detection, DetectionStatus, Severity
from dagster_agent.quality.scoring import quality_rollup
from dagster_agent.response.quality_detection import quality_detections
from dagster_agent.response.workspace import Workspace
from dagster_agent.testing.memory_warehouse import MemoryWarehouse
from tests.memory_workspace import memory_workspace

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
UID = "model.shop.fct_orders"
DIMENSIONS = ("accuracy", "completeness", "freshness", "uniqueness", "validity")
PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
ROWS = """create or replace table fct_orders as
select case when i < {repeated} then 0 else i end as order_id,
    case when i >= {unfilled} then 'a' || i || '@shop.example' end as email,
    case when i < {odd} then 'odd' else 'paid' end as status,
    timestamp '2026-11-21 06:00:00' - interval (i + {minutes}) minute as placed_at
from range({rows}) t(i)"""


def _test(name: str, column: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "unique_id": f"test.shop.{name}_{column}",
        "name": f"{name}_{column}",
        "resource_type": "test",
        "attached_node": UID,
        "column_name": column,
        "test_metadata": {"name": name, "kwargs": kwargs},
        "depends_on": {"nodes": [UID]},
    }


def _manifest(meta: Mapping[str, Any]) -> Manifest:
    model = {
        "unique_id": UID,
        "name": "fct_orders",
        "resource_type": "model",
        "original_file_path": "models/finance/fct_orders.sql",
        "relation_name": '"memory"."main"."fct_orders"',
        "config": {"meta": {"dagster_agent": meta}},
        "group": None,
    }
    tests = [
        _test("unique", "order_id"),
        _test("not_null", "email"),
        _test("accepted_values", "status", values=["paid", "open"]),
    ]
    content = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {node["unique_id"]: node for node in [model, *tests]},
        "sources": {},
    }
    return Manifest.from_bytes(json.dumps(content).encode())


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with memory_workspace(tmp_path) as (opened, _):
        yield opened


def _judge(
    workspace: Workspace, *, now: datetime = NOW, meta: Mapping[str, Any] | None = None, **rows: int
) -> dict[str, Detection]:
    """The detections of the asset by dimension; '' is the summary."""
    given = {"rows": 1000, "repeated": 0, "unfilled": 0, "odd": 0, "minutes": 30, "differing": 0}
    given |= rows
    warehouse = workspace.warehouse
    assert isinstance(warehouse, MemoryWarehouse)
    warehouse.connection.execute(ROWS.format(**given))
    workspace.forget()
    workspace._manifest = _manifest({"freshness": {"column": "placed_at"}, **(meta or {})})
    truth = Detection(
        detector="reconciliation/key-difference",
        asset=UID,
        status=FAILED if given["differing"] else PASSED,
        headline="compared with the ledger",
        observed_at=now,
        metrics={"keys_changed.ledger": given["differing"], "keys_compared.ledger": 10_000},
    )
    workspace.store.save_detection(truth)
    found = quality_detections(workspace, workspace.manifest.asset(UID), now)
    return {detection.detector.partition("/")[2]: detection for detection in found}


def test_all_five_at_their_targets(workspace: Workspace) -> None:
    found = _judge(workspace)
    assert set(found) == {"", *DIMENSIONS}
    assert {detection.status for detection in found.values()} == {PASSED}
    assert found[""].metrics["score"] == 1.0
    assert isinstance(workspace.warehouse, MemoryWarehouse)
    assert len(workspace.warehouse.sent) == 1, "all that is measured is asked in one statement"


def test_the_table_row_by_row(workspace: Workspace) -> None:
    between = {"unfilled": 20, "odd": 20, "minutes": 90, "differing": 5}
    found = _judge(workspace, **between)
    told = {name: (d.status, d.severity) for name, d in found.items() if name}
    amber = (FAILED, Severity.WARN)
    assert told == {name: amber for name in DIMENSIONS if name != "uniqueness"} | {
        "uniqueness": (PASSED, Severity.INFO)
    }
    below = {"unfilled": 60, "odd": 60, "minutes": 150, "differing": 11, "repeated": 2}
    found = _judge(workspace, **below)
    told = {name: (d.status, d.severity) for name, d in found.items() if name}
    assert told == dict.fromkeys(DIMENSIONS, (FAILED, Severity.ERROR))
    assert found["completeness"].metrics["completeness"] == pytest.approx(0.94)
    assert found["uniqueness"].metrics["uniqueness"] == pytest.approx(0.999)
    assert found["freshness"].metrics["freshness"] == pytest.approx(2.5)
    assert found["accuracy"].metrics["accuracy"] == pytest.approx(0.9989)


def test_an_asset_has_its_own_targets(workspace: Workspace) -> None:
    meta = {
        "quality": {"completeness": {"target": 0.9, "alert": 0.8}, "validity": {"target": 0.9}},
        "freshness": {"column": "placed_at", "target_hours": 24, "alert_hours": 48},
    }
    found = _judge(workspace, meta=meta, unfilled=60, odd=60, minutes=600)
    assert {d.status for name, d in found.items() if name} == {PASSED}


def test_of_an_empty_table_nothing_is_claimed(workspace: Workspace) -> None:
    found = _judge(workspace, rows=0)
    told = {name: d.status for name, d in found.items() if name}
    assert told == dict.fromkeys(DIMENSIONS, DetectionStatus.UNTRAINED) | {"accuracy": PASSED}


def test_scores_have_a_history_and_roll_up_by_domain(workspace: Workspace) -> None:
    _judge(workspace, now=NOW - timedelta(days=8), minutes=60 * 24 * 8 + 30)
    assert workspace.store.metric_history(UID, "quality.score")[-1].value == 1
    _judge(workspace, unfilled=60)
    history = workspace.store.metric_history(UID, "quality.completeness")
    assert [point.value for point in history] == pytest.approx([1.0, 0.94])
    rolled = quality_rollup(workspace.store, workspace.manifest, NOW)
    (row,) = rolled.records()
    assert row["domain"] == "finance"
    assert row["worst_asset"] == "fct_orders"
    assert row["score"] == pytest.approx(0.9495)
    assert row["week_before"] == 1
    assert row["below_target"] == 1


def test_intent_stands_beside_the_shares(workspace: Workspace) -> None:
    meta = {
        "invariants": ["order rows never have a null email", {"unique_together": "order_id"}],
        "expectations": [
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "order_id"}},
        ],
    }
    found = _judge(workspace, meta=meta, unfilled=3)
    null = found["invariant/order-rows-never-have-a-null-email"]
    assert (null.status, null.metrics["violations"]) == (FAILED, 3)
    assert found["invariant/order_id-of-fct_orders-is-unique"].status is PASSED
    assert found["expectation/expect_column_values_to_be_unique_order_id"].status is PASSED
    assert isinstance(workspace.warehouse, MemoryWarehouse)
    asked, examples = workspace.warehouse.sent
    assert "group by" in asked
    assert "limit 5" in examples
