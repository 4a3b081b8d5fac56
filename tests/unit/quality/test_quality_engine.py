"""What holds for all of quality: one statement, isolation of mistakes, relevance, scores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_agent.model import Asset, Detection, DetectionStatus, MetricPoint, Severity
from dagster_agent.quality.claims import FORMS
from dagster_agent.quality.config import CompletenessConfig, QualityConfig, UniquenessConfig
from dagster_agent.quality.dimension import Part
from dagster_agent.quality.engine import dimension_detections, metric_points, plan_dimensions
from dagster_agent.quality.invariant_engine import plan_invariants
from dagster_agent.quality.measuring import ask_all
from dagster_agent.quality.relevance import has_promises
from dagster_agent.quality.scoring import quality_rollup
from dagster_agent.quality.shares import graded, percent
from dagster_agent.testing.memory_store import MemoryStore

from .conftest import NOW, Promises


def _asset(**ours: Any) -> Asset:
    return Asset(
        unique_id="model.a.b", name="b", resource_type="model", meta={"dagster_agent": ours}
    )


@pytest.mark.parametrize(
    ("asset", "tests", "expected"),
    [
        (_asset(), [], False),
        (_asset(), ["my_own_test"], False),
        (_asset(), ["my_own_test", "not_null"], True),
        (_asset(invariants=["amount is never null"]), [], True),
        (_asset(expectations=[{"type": "x"}]), [], True),
        (_asset(quality={"valid": {"a": "a > 0"}}), [], True),
        (_asset(quality={}), [], False),
        (
            Asset(unique_id="m", name="m", resource_type="model", meta={"dagster_agent": 3}),
            [],
            False,
        ),
    ],
)
def test_relevance_is_told_from_the_manifest(
    asset: Asset, tests: list[str], expected: bool
) -> None:
    assert has_promises(asset, tests) is expected


def test_all_of_an_asset_is_asked_in_one_statement(promises: Promises) -> None:
    promises.execute("create table orders as select i as id, i % 3 as status from range(9) t(i)")
    meta = {"invariants": ["status is always one of 0, 1, 2", {"unique_together": "id"}]}
    uid = promises.model("orders", meta=meta)
    for kind in ("not_null", "unique"):
        promises.test(uid, kind, "id")
    subject = promises.subject(uid)
    asks = [*plan_dimensions(subject).asks]
    asks += [ask for plan in plan_invariants(subject) for ask in plan.asks]
    promises.warehouse.sent.clear()
    answers = ask_all(asks, subject.table, promises.warehouse, purpose="test")
    assert len(promises.warehouse.sent) == len(answers.queries) == 1


def test_what_an_incremental_run_replaces_is_no_promise_of_uniqueness(promises: Promises) -> None:
    promises.execute("create table sales as select i % 3 as day, i as id from range(9) t(i)")
    by_day = {"materialized": "incremental", "unique_key": "day"}
    uid = promises.model("sales", config={**by_day, "incremental_strategy": "delete+insert"})
    promises.test(uid, "not_null", "id")
    assert promises.judge(uid)["uniqueness"].status is DetectionStatus.UNTRAINED
    merged = promises.model("sales", config={**by_day, "incremental_strategy": "merge"})
    assert promises.judge(merged)["uniqueness"].status is DetectionStatus.FAILED


def test_one_mistake_stands_alone(promises: Promises) -> None:
    promises.execute("create table orders as select i as id from range(10) t(i)")
    uid = promises.model("orders", meta={"quality": {"valid": {"id": "id > no_such_column"}}})
    promises.test(uid, "unique", "id")
    found = promises.judge(uid)
    assert found["validity"].status is DetectionStatus.COULD_NOT_RUN
    assert "no_such_column" in found["validity"].headline
    assert found["uniqueness"].status is DetectionStatus.PASSED


def test_what_could_not_be_measured_hides_nothing_that_is_broken(promises: Promises) -> None:
    promises.execute("create table orders as select null::integer as id, 1 as n from range(10)")
    uid = promises.model("orders")
    promises.test(uid, "not_null", "gone")
    promises.test(uid, "not_null", "n", where="n > {{ var('x') }}")
    assert "has no column 'gone'" in promises.judge(uid)["completeness"].headline
    promises.test(uid, "not_null", "id")
    found = promises.judge(uid)["completeness"]
    assert (found.status, found.value) == (DetectionStatus.FAILED, 0.0)


def test_examples_of_violations_are_masked(promises: Promises) -> None:
    promises.execute(
        "create table orders as select i as order_id, 'p' || i || '@shop.example' as email,"
        " 'Anna Berg' as name, -1 as amount from range(30) t(i)"
    )
    uid = promises.model("orders", meta={"invariants": ["amount is never negative"]})
    (told,) = promises.invariants(uid)
    assert told.sample is not None
    assert len(told.sample.rows) == QualityConfig().sample_rows
    assert told.sample.rows[0] == (0, "‹text›", "‹text›", -1)
    assert told.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        ("amount is always 7", "is not understood", "`amount is always between"),
        ("orders keep all rows", "is not understood", "keeps every row of"),
        ({"never_nul": "amount"}, "unknown form 'never_nul'", "did you mean never_null"),
        ({"never_null": {"colums": "amount"}}, "no argument 'colums'", "its arguments: columns"),
        ({"always_between": "amount"}, "declares the invariant 'amount'", "always_between needs"),
        ({"never_null": "amount", "sql": "x"}, "declares the invariant", "give one form"),
        ({"never_null": "amount", "severity": "fatal"}, "'fatal'", "error or warn"),
        (7, "declares the invariant 7", "write a sentence"),
        ({"never_falls_by_more_than": {"share": 20, "by": "day"}}, "a fall by 2000 %", "0 and 1"),
    ],
)
def test_an_invariant_that_does_not_parse_says_what_would(
    promises: Promises, entry: object, message: str, hint: str
) -> None:
    promises.execute("create table orders as select 1 as amount, date '2026-11-01' as day")
    uid = promises.model("orders", meta={"invariants": [entry]})
    (told,) = promises.invariants(uid)
    assert told.status is DetectionStatus.COULD_NOT_RUN
    assert message in told.headline
    assert hint in told.hint


def test_two_of_a_kind_keep_their_own_names(promises: Promises) -> None:
    promises.execute("create table orders as select 1 as amount")
    uid = promises.model("orders", meta={"invariants": ["amount is never null"] * 2})
    names = [detection.detector for detection in promises.invariants(uid)]
    assert names == [
        "quality/invariant/amount-is-never-null",
        "quality/invariant/amount-is-never-null-2",
    ]


def test_every_form_compiles_to_an_expectation(promises: Promises) -> None:
    promises.execute(
        "create table orders as select 1 as order_id, 1 as net, 2 as tax, 3 as gross,"
        " timestamp '2026-11-01' as placed_at"
    )
    entries = [
        {"never_null": "net"},
        {"always_one_of": {"column": "net", "values": [1]}},
        {"always_between": {"column": "net", "min": 0}},
        {"unique_together": ["order_id", "net"]},
        {"never_in_the_future": "placed_at"},
        {"only_with": {"column": "net", "when": "tax > 1"}},
        "net + tax sums to gross",
        "orders keep every row of orders by order_id",
        "an order never has more orders than orders",
        "orders never fall by more than 20 % week over week",
        "net is the same in orders by order_id",
        {"sql": "select * from {this} where net > 1"},
    ]
    uid = promises.model("orders", meta={"invariants": entries})
    plans = plan_invariants(promises.subject(uid))
    assert {plan.claim.form for plan in plans if plan.claim} == {form.id for form in FORMS}
    kinds = [plan.compiled.expectation["type"] for plan in plans if plan.compiled]
    assert kinds[:4] == [
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_between",
        "unexpected_rows_expectation",
    ]
    assert len(kinds) == len(entries)


def test_undeclared_dimensions_are_mentioned_in_the_summary_alone(promises: Promises) -> None:
    promises.execute("create table orders as select 1 as id")
    uid = promises.model("orders")
    promises.test(uid, "unique", "id")
    subject = promises.subject(uid)
    results = list(promises.judge(uid).values())
    summary, *others = dimension_detections(subject, results, ["select 1"])
    assert [detection.detector for detection in others] == ["quality/uniqueness"]
    assert summary.status is DetectionStatus.PASSED
    assert summary.headline == "quality of orders: score 100 % (uniqueness 100 %)"
    assert summary.sample is not None
    told = {str(row["dimension"]): row["by"] for row in summary.sample.records()}
    assert "not_null" in str(told["completeness"])
    assert {point.metric for point in metric_points(subject, results)} == {
        "quality.uniqueness",
        "quality.score",
    }


def test_an_asset_that_promises_nothing_is_untrained(promises: Promises) -> None:
    promises.execute("create table orders as select 1 as id")
    uid = promises.model("orders")
    (summary,) = dimension_detections(promises.subject(uid), list(promises.judge(uid).values()), [])
    assert summary.status is DetectionStatus.UNTRAINED


def test_the_roll_up_knows_groups_folders_and_tags(promises: Promises) -> None:
    promises.model("a", group="finance")
    promises.model("b", original_file_path="models/marts/ops/b.sql")
    promises.model("c", original_file_path="models/c.sql", tags=["crm"])
    promises.model("d", original_file_path="models/d.sql")
    store = MemoryStore()
    for name, value in {"a": 0.5, "b": 1.0, "c": 0.9, "d": 0.95}.items():
        point = MetricPoint(asset=f"model.test.{name}", metric="quality.score", value=value, at=NOW)
        store.add_metrics([point])
    rolled = quality_rollup(store, promises.manifest, NOW + timedelta(hours=1))
    assert [row[0] for row in rolled.rows] == ["finance", "crm", "(none)", "marts"]
    assert quality_rollup(MemoryStore(), promises.manifest, NOW).rows == ()


@given(examined=st.integers(1, 10**6), share=st.floats(0, 1), target=st.floats(0.01, 1))
def test_no_broken_promise_is_shown_as_whole(examined: int, share: float, target: float) -> None:
    broken = min(examined, int(examined * share) + 1)
    part = Part(says="x", examined=examined, broken=broken)
    assert percent(part.share) != "100 %"
    targets = CompletenessConfig(target=target)
    found = graded("completeness", (part,), "t", targets)
    assert (found.status is DetectionStatus.FAILED) == (part.share < target)
    if found.status is DetectionStatus.FAILED:
        assert (found.severity is Severity.ERROR) == (part.share < targets.alert)
        assert found.fulfilment is not None
        assert found.fulfilment < 1


def test_targets_are_checked() -> None:
    with pytest.raises(ValidationError, match=r"alert 0.99 is above target 0.9"):
        CompletenessConfig(target=0.9, alert=0.99)
    assert UniquenessConfig(target=0.9).alert == 0.9
    assert CompletenessConfig(target=0.999).alert == 0.95


def test_detections_of_accuracy_never_measure(promises: Promises) -> None:
    promises.execute("create table orders as select 1 as id")
    uid = promises.model("orders")
    truth = Detection(
        detector="reconciliation/row-count",
        asset=uid,
        status=DetectionStatus.PASSED,
        headline="",
        observed_at=NOW,
        metrics={"rows_source": 10.0},
    )
    assert plan_dimensions(promises.subject(uid, truths=[truth])).asks == ()
