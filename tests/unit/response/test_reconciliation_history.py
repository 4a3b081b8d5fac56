"""Results of reconciliation are kept, bounded and readable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dagster_agent.model import Detection, DetectionStatus, Evidence, Severity
from dagster_agent.response.reconciliation_history import (
    KEPT,
    keep_results,
    kept_results,
    past,
)
from dagster_agent.testing.memory_store import MemoryStore

NOW = datetime(2026, 11, 21, 6, 12, tzinfo=UTC)
UID = "model.test.fct_orders"


def result(number: int) -> Detection:
    return Detection(
        detector="reconciliation/key-difference",
        asset=UID,
        status=DetectionStatus.FAILED,
        headline=f"fct_orders lacks {number} orders of ledger",
        observed_at=NOW + timedelta(minutes=number),
        severity=Severity.ERROR,
        metrics={"keys_missing.ledger": float(number)},
        evidence=(Evidence(kind="reconciliation", statement="by rows", query="select 1"),),
    )


def test_results_are_kept_and_read_back_newest_first() -> None:
    store = MemoryStore()
    keep_results(store, [result(1)])
    keep_results(store, [result(2)])
    newest, oldest = kept_results(store, UID)
    assert newest.headline == "fct_orders lacks 2 orders of ledger"
    assert newest.at == NOW + timedelta(minutes=2)
    assert (newest.steps, newest.queries) == (("by rows",), ("select 1",))
    assert oldest.metrics == {"keys_missing.ledger": 1.0}
    assert kept_results(store, "model.test.other") == []


def test_the_newest_stay() -> None:
    store = MemoryStore()
    keep_results(store, [result(number) for number in range(KEPT)])
    keep_results(store, [result(number) for number in range(KEPT, KEPT + 7)])
    kept = kept_results(store, UID)
    assert len(kept) == KEPT
    assert kept[0].metrics["keys_missing.ledger"] == KEPT + 6
    assert kept[-1].metrics["keys_missing.ledger"] == 7


def test_the_numbers_are_a_history_to_learn_from() -> None:
    store = MemoryStore()
    for number in range(3):
        keep_results(store, [result(number)])
    history = past(store, UID, now=NOW + timedelta(minutes=2))
    assert [p.value for p in history("keys_missing.ledger")] == [0, 1]
    assert list(history("keys_extra.ledger")) == []
