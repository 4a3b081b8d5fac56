"""SH1: a wrong column in a model; shown as a diff and approved, or applied by itself at 0.8."""

from __future__ import annotations

import pytest

from dagster_agent.response.healing import Healing, Mode, Orders, heal
from tests.scenarios.conftest import NOW, Shop

MODEL = "models/marts/fct_orders.sql"


def _break(shop: Shop) -> str:
    before = (shop.root / MODEL).read_text()
    shop.replace(MODEL, "    amount,", "    amount_total,")
    shop.commit("Rename the amount")
    return before


def _heal(shop: Shop, mode: Mode, approved_by: str = "") -> Healing:
    pauses: list[float] = []
    orders = Orders(mode=mode, approved_by=approved_by, run_first=True, sleep=pauses.append)
    with shop.workspace() as opened:
        return heal(opened, None, orders, narrator=shop.voice, now=NOW)


def test_human_in_loop_shows_the_change_waits_and_applies_it_when_approved(shop: Shop) -> None:
    before = _break(shop)
    healing = _heal(shop, "human-in-loop")
    assert healing.outcome == "waiting-for-approval"
    assert "amount_total" in healing.error
    assert healing.finding is not None
    assert healing.finding.report.confidence >= 0.8
    assert healing.finding.report.change is not None
    diff = healing.finding.report.change.diff()
    assert "-    amount_total,\n+    amount,\n" in diff
    assert [a.result for a in healing.attempts] == ["waiting for approval"]
    assert "amount_total" in (shop.root / MODEL).read_text()

    healing = _heal(shop, "human-in-loop", approved_by="Anna Berg")
    assert healing.outcome == "recovered"
    assert (shop.root / MODEL).read_text() == before
    with shop.workspace() as opened:
        records = [r for r in opened.store.audit() if r.action == "apply-change"]
    assert [r.detail["approved_by"] for r in records] == ["Anna Berg", "Anna Berg"]


@pytest.mark.drill
def test_autonomous_applies_validates_and_keeps_a_backup(shop: Shop) -> None:
    before = _break(shop)
    broken = (shop.root / MODEL).read_text()
    healing = _heal(shop, "autonomous")
    assert healing.outcome == "recovered"
    assert [a.result for a in healing.attempts] == ["succeeded"]
    assert (shop.root / MODEL).read_text() == before
    assert healing.backup is not None
    assert (healing.backup / MODEL).read_text() == broken
    assert healing.validation is not None
    assert healing.validation.passed
    assert {"model.shop.fct_orders", "model.shop.revenue"} == set(healing.validation.assets)
    assert shop.rows("select count(*), sum(amount) from fct_orders")[0][0] == 1000


def test_what_cannot_be_mended_is_escalated_with_its_attempts(shop: Shop) -> None:
    shop.sql("drop table raw.payments")
    shop.build()
    healing = _heal(shop, "autonomous")
    assert healing.outcome == "escalated"
    assert healing.finding is not None
    assert healing.finding.report.question is not None
    assert healing.attempts
    assert all(a.result.startswith("failed") for a in healing.attempts)
    assert len(healing.attempts) <= 3
