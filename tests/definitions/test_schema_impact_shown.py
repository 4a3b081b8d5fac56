"""What a changed column reaches stands beside the check's result."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from dagster_agent.definitions.metadata import check_result
from dagster_agent.model import Detection, DetectionStatus, Evidence, ResultTable


def test_the_impact_tree_is_a_table_of_the_result() -> None:
    tree = ResultTable(columns=("node", "depth"), rows=(("stg_orders", 1), ("revenue", 2)))
    found = Detection(
        detector="schema-drift",
        asset="source.shop.raw.orders",
        status=DetectionStatus.FAILED,
        headline="column amount is gone",
        observed_at=datetime(2026, 11, 21, tzinfo=UTC),
        evidence=(Evidence(kind="schema", statement="2 nodes read it", result=tree),),
    )
    key = dg.AssetCheckKey(dg.AssetKey(["raw", "orders"]), "agent_schema_drift")
    shown = check_result([found], key=key).metadata["impact"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert [dict(record.data) for record in shown.records] == [
        {"node": "stg_orders", "depth": 1},
        {"node": "revenue", "depth": 2},
    ]
