"""External truths are proposed by evidence, and chance is none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dagster_agent.reconciliation.entry import ReconcileEntry
from dagster_agent.reconciliation.proposals import propose_pairs, tables_beside
from dagster_agent.reconciliation.similar_names import likeness


def proposed(project: Any) -> Any:
    return propose_pairs(project.manifest, project.warehouse, tables_beside(project.warehouse))


@pytest.fixture
def shop(project: Any) -> Any:
    project.execute(
        "create table orders_raw as select 1000 + i * 7 as order_id, (i % 50) + 10.25 as amount,"
        " i % 9 as customer_id from range(800) t(i)",
        "create schema processor",
        "create table processor.charges as select order_id::varchar as order_ref,"
        " (amount * 100)::bigint as minor_amount, 'x' as memo from orders_raw"
        " where order_id % 50 > 0",
        "create table processor.visits as select i as visit_id, i * 3 as seconds"
        " from range(9000) t(i)",
        "create table processor.empty_orders (order_id bigint, amount double)",
    )
    project.model("fct_orders", 'select * from "shop".main.orders_raw', key=("order_id",))
    return project


def test_a_table_with_the_same_keys_and_sums_is_proposed_with_its_evidence(shop: Any) -> None:
    (pair,) = proposed(shop)
    assert pair.asset == "model.test.fct_orders"
    assert str(pair.other) == "shop.processor.charges"
    assert "sampled order_id of fct_orders are in charges.order_ref" in pair.evidence
    assert "100.0 % of 500 the other way" in pair.evidence
    assert pair.snippet.startswith(
        "reconcile:\n  - with: shop.processor.charges\n    key: {order_id: order_ref}\n"
    )
    loaded = yaml.safe_load(pair.snippet)["reconcile"][0]
    assert ReconcileEntry.model_validate(loaded).key["order_id"].theirs == "order_ref"


def test_the_sum_in_cents_is_recognised(shop: Any) -> None:
    shop.execute(
        "create or replace table processor.charges as select order_id::varchar as order_ref,"
        " (amount * 100)::bigint as minor_amount from orders_raw"
    )
    (pair,) = proposed(shop)
    assert "sum(amount) and sum(minor_amount / 100.0) agree" in pair.evidence
    assert pair.snippet.endswith("    measures: {amount: minor_amount / 100.0}\n")
    shop.nodes["model.test.fct_orders"]["config"]["meta"]["dagster_agent"] = yaml.safe_load(
        pair.snippet
    )
    found = shop.detections("model.test.fct_orders")
    assert {d.status.value for d in found} == {"passed"}, [d.headline for d in found]


def test_counters_that_overlap_by_chance_are_none(shop: Any) -> None:
    shop.execute("drop table processor.charges", "drop table processor.empty_orders")
    assert proposed(shop) == ()


def test_what_the_model_is_made_from_is_no_truth(shop: Any) -> None:
    shop.execute("drop schema processor cascade")
    shop.source("orders_raw", key="order_id")
    node = shop.nodes["model.test.fct_orders"]
    node["depends_on"] = {"nodes": ["source.test.raw.orders_raw"]}
    assert proposed(shop) == ()


def test_likeness() -> None:
    assert likeness("fct_orders", "orders") == 1
    assert likeness("order_id", "order_ref") == 1
    assert likeness("fct_orders", "ledger_order_lines") >= 0.5
    assert likeness("fct_orders", "visits") < 0.5
    assert likeness("id", "id") == 1
    assert likeness("", "x") == 0
