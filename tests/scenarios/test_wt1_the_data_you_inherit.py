"""WT1: NULL semantics, mixed currencies, duplicate payment ids: found with no failure to start."""

from __future__ import annotations

from dagster_agent.model import Finding
from dagster_agent.response import sweep
from tests.scenarios.conftest import NOW, Shop


def _sweep(shop: Shop) -> dict[str, Finding]:
    with shop.workspace() as opened:
        seen = sweep(opened, assets=[], narrator=shop.voice, now=NOW)
    return {f.report.cause.pattern: f for f in seen.findings if f.report.cause is not None}


def test_a_sweep_finds_what_nobody_wrote_a_test_for(shop: Shop) -> None:
    shop.sql(
        "update raw.orders set status = null where order_id % 5 = 0",
        "update raw.orders set currency = 'GBP' where order_id % 3 = 0",
        "insert into raw.payments select payment_id, order_id, amount, "
        "received_at + interval 3 hour from raw.payments where payment_id > 950",
    )
    shop.replace(
        "models/marts/fct_orders.sql",
        "from orders\n",
        "from orders\nwhere status <> 'cancelled'\n",
    )
    shop.commit("Leave cancelled orders out", days_ago=50)
    assert "ERROR=0" in shop.build()

    found = _sweep(shop)

    nulls = found["null-semantics"].report
    assert nulls.asset == "model.shop.fct_orders"
    assert nulls.cause is not None
    assert "200 of 1,000" in nulls.cause.mechanism
    assert nulls.question is not None
    mixed = found["aggregate-mixes-currencies"].report
    assert mixed.asset == "model.shop.revenue"
    repeated = found["duplicate-source-rows"].report
    assert repeated.cause is not None
    assert repeated.cause.files[0] == "models/staging/stg_payments.sql"
    assert "50" in repeated.cause.mechanism
    assert repeated.verification is not None
    assert repeated.verification.verified


def test_a_healthy_project_gives_nothing(shop: Shop) -> None:
    assert _sweep(shop) == {}
