"""Counts, then aggregates, then rows; where it stops and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_agent.model import DetectionStatus, MetricPoint
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.reconciliation.sampling import largest_share, told_sample

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
COULD_NOT_RUN, UNTRAINED = DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED

NOW = datetime(2026, 11, 21, 6, 12, tzinfo=UTC)
ORDERS = (
    "select i as order_id, (i % 40) + 0.25 as amount, ['AT', 'DE', 'FR'][i % 3 + 1] as country,"
    " date '2026-11-01' + (i // 100)::int as created_at from range({rows}) t(i)"
)
ALL = ORDERS.format(rows=2000)
MONEY = {"amount": {"unit": "EUR"}}


def reconciled(project: Any, ours: str, theirs: str, entry: dict[str, Any], **more: Any) -> Any:
    project.execute("create schema if not exists ledger")
    project.execute(f"create or replace table ledger.truth as {theirs}")
    project.execute(f"create or replace table ours_raw as {ours}")
    meta = {"reconcile": [{"with": "shop.ledger.truth", "name": "ledger"} | entry]}
    uid = project.model("fct_orders", 'select * from "shop".main.ours_raw', meta=meta)
    found = reconcile(
        uid,
        manifest=project.manifest,
        warehouse=project.warehouse,
        config=ReconciliationConfig(),
        now=more.pop("now", NOW),
        **more,
    )
    skip = 1 if found[0].detector.endswith("row-count") and "raw" in found[0].headline else 0
    return {d.detector.removeprefix("reconciliation/"): d for d in found[skip:]}


def rung(found: Any) -> float:
    return next(d.metrics["rung.ledger"] for d in found.values() if "rung.ledger" in d.metrics)


def test_the_headline_tells_how_much_since_when_where_and_what_is_at_stake(project: Any) -> None:
    ours = f"select * from ({ALL}) where not (country = 'DE' and created_at >= '2026-11-17')"
    entry = {
        "key": "order_id",
        "measures": MONEY,
        "segments": ["country"],
        "day": "created_at",
    }
    found = reconciled(project, ours, ALL, entry)
    rows = found["key-difference"]
    assert rows.status is FAILED
    assert rows.headline.startswith("fct_orders lacks 134")
    assert "orders of ledger since 2026-11-17 (EUR 2,6" in rows.headline
    assert rows.headline.endswith("at stake), all in country=DE")
    assert rows.metrics["days_differing.ledger"] == 4
    assert rows.metrics["segments_differing.ledger"] == 1
    tables = [
        e.result for e in rows.evidence if e.result is not None and e.result.columns[0] == "day"
    ]
    assert [row[0] for row in tables[0].rows] == [f"2026-11-{n}" for n in (17, 18, 19, 20)]


def test_measures_alone_stop_at_equal_aggregates(project: Any) -> None:
    found = reconciled(project, ALL, ALL, {"measures": ["amount"]})
    assert set(found) == {"row-count", "column-aggregates"}
    assert rung(found) == 2
    assert "no key is known" in found["column-aggregates"].evidence[-1].statement


def test_a_key_goes_on_to_the_rows_unless_told_to_stop_early(project: Any) -> None:
    entry = {"key": "order_id", "measures": ["amount"]}
    assert rung(reconciled(project, ALL, ALL, entry)) == 3
    early = reconciled(project, ALL, ALL, entry | {"stop_early": True})
    assert rung(early) == 2
    assert set(early) == {"row-count", "column-aggregates"}


def test_stopping_early_compares_the_rows_of_differing_days_only(project: Any) -> None:
    ours = f"select * from ({ALL}) where order_id <> 1234"
    entry = {"key": "order_id", "measures": ["amount"], "day": "created_at", "stop_early": True}
    found = reconciled(project, ours, ALL, entry)
    assert found["key-difference"].metrics["keys_missing.ledger"] == 1
    assert "on 1 of 20 days" in found["key-difference"].evidence[-1].statement or any(
        "on 1 of 20 days" in e.statement for e in found["key-difference"].evidence
    )


STOP_EARLY = {"key": "order_id", "measures": ["amount"], "stop_early": True}
SWAPPED = (  # on the sixth day: two orders have each other's amount
    "select order_id, case order_id when 501 then 22.25 when 502 then 21.25 else amount end as"
    f" amount, country, created_at from ({ALL})"
)
SWAPPED_BETWEEN_DAYS = SWAPPED.replace("502", "622")


def test_what_agrees_by_counts_and_aggregates_only_says_so(project: Any) -> None:
    """Changes that cancel out on one day are not seen, so nothing claims equal rows."""
    by_day = reconciled(project, SWAPPED, ALL, STOP_EARLY | {"day": "created_at"})
    assert {d.status for d in by_day.values()} == {PASSED}
    assert set(by_day) == {"row-count", "column-aggregates"}
    told = "; compared by counts and aggregates on each day, not row by row"
    assert by_day["row-count"].headline == f"fct_orders and ledger have 2,000 rows each{told}"
    assert by_day["column-aggregates"].headline.endswith(f"agree with ledger{told}")
    assert all("leave out `stop_early`" in d.hint for d in by_day.values())

    whole = reconciled(project, SWAPPED, ALL, STOP_EARLY)
    told = "; compared by counts and aggregates of the whole tables, not row by row"
    assert whole["row-count"].headline.endswith(told)

    asked = reconciled(project, SWAPPED, ALL, {"key": "order_id", "columns": ["amount"]})
    assert asked["key-difference"].status is FAILED
    assert not any("row by row" in d.headline for d in asked.values())


def test_what_cancels_out_between_days_is_seen_by_day(project: Any) -> None:
    entry = STOP_EARLY | {"columns": ["amount"], "day": "created_at"}
    found = reconciled(project, SWAPPED_BETWEEN_DAYS, ALL, entry)
    assert found["column-aggregates"].status is PASSED, "the totals agree"
    assert found["key-difference"].status is FAILED
    assert found["key-difference"].metrics["keys_changed.ledger"] == 2
    no_key = {"measures": ["amount"], "day": "created_at"}
    told = reconciled(project, SWAPPED_BETWEEN_DAYS, ALL, no_key)["row-count"].headline
    assert told.endswith("aggregates on each day, not row by row; 2 of 20 days differ")


def test_what_was_compared_on_the_differing_days_only_says_so(project: Any) -> None:
    """A change that cancels out on another day stays unseen: its rows were not compared."""
    ours = f"select * from ({SWAPPED}) where order_id <> 1234"
    entry = STOP_EARLY | {"columns": ["amount"], "day": "created_at"}
    rows = reconciled(project, ours, ALL, entry)["key-difference"]
    assert (rows.metrics["keys_missing.ledger"], rows.metrics["keys_changed.ledger"]) == (1, 0)
    assert rows.headline.endswith(
        "; rows were compared on 1 of 20 days, on the others only counts and aggregates"
    )
    assert "leave out `stop_early`" in rows.hint
    all_rows = reconciled(project, ours, ALL, entry | {"stop_early": False})["key-difference"]
    assert all_rows.metrics["keys_changed.ledger"] == 2
    assert "rows were compared on" not in all_rows.headline


def test_an_expression_that_does_not_exist_keeps_counts_and_rows(project: Any) -> None:
    entry = {
        "key": "order_id",
        "measures": {"amount": {"theirs": "try_cast('x' as int) + no_such"}},
    }
    found = reconciled(project, ALL, ALL, entry)
    assert list(found) == ["row-count"]
    assert found["row-count"].status is COULD_NOT_RUN
    assert "no_such" in found["row-count"].headline


def test_a_sum_that_overflows_does_not_stop_the_rows(project: Any) -> None:
    big = (
        "select i as order_id, (9 * 10::hugeint ** 37)::decimal(38, 0) as amount"
        " from range(30) t(i)"
    )
    entry = {"key": "order_id", "columns": ["amount"], "measures": ["amount"]}
    found = reconciled(project, big, big, entry)
    assert {name: d.status for name, d in found.items()} == {
        "column-aggregates": COULD_NOT_RUN,
        "row-count": PASSED,
        "key-difference": PASSED,
    }
    assert "verflow" in found["column-aggregates"].headline


@pytest.mark.parametrize(
    ("value", "other", "agrees"),
    [
        ("'nan'::double", "'nan'::double", True),
        ("'inf'::double", "'inf'::double", True),
        ("'inf'::double", "1.0", False),
        ("-0.0", "0.0", True),
        ("0.1 + 0.2", "0.3", True),
    ],
)
def test_odd_numbers(project: Any, value: str, other: str, agrees: bool) -> None:
    ours, theirs = (
        f"select i as order_id, ({x})::double as amount from range(9) t(i)" for x in (value, other)
    )
    found = reconciled(project, ours, theirs, {"measures": ["amount"]})
    assert found["column-aggregates"].status is (PASSED if agrees else FAILED)


def test_sums_of_floats_that_cancel_are_no_false_alarm(project: Any) -> None:
    rows = (
        "select i as order_id, (case when i % 2 = 0 then 1e9 else -1e9 end) + i / 3 as amount"
        " from range(1000) t(i)"
    )
    turned = f"select * from ({rows}) order by order_id desc"
    found = reconciled(project, rows, turned, {"measures": ["amount"]})
    assert found["column-aggregates"].status is PASSED


def test_a_sample_states_its_confidence(project: Any) -> None:
    entry = {"key": "order_id", "sample": {"share": 0.5}}
    found = reconciled(project, ALL, ALL, entry)["key-difference"]
    assert found.status is PASSED
    assert "no difference in a sample of" in found.headline
    assert "at 95 % confidence fewer than 0.3" in found.headline
    ours = f"select * from ({ALL}) where order_id % 4 > 0"
    found = reconciled(project, ours, ALL, entry)["key-difference"]
    assert found.status is FAILED
    assert "differences in a sample of" in found.headline


def test_bounds_of_samples() -> None:
    assert largest_share(0, 10_000, 0.95) == pytest.approx(0.0003, rel=0.01)
    assert largest_share(0, 0, 0.95) == 1
    assert largest_share(5, 5, 0.95) == 1
    assert largest_share(3, 1000, 0.95) == pytest.approx(0.00773, rel=0.01)
    assert told_sample(0, 10_000, 2_000_000, 0.95, ("order_id",)) == (
        "no difference in a sample of 10,000 of 2,000,000 orders: at 95 % confidence fewer than "
        "0.03 % differ"
    )


def test_learned_thresholds(project: Any) -> None:
    ours = f"select * from ({ALL}) where order_id >= 12"
    entry = {"key": "order_id", "tolerance": "learned"}

    def past(*sizes: float) -> Any:
        def history(metric: str) -> list[MetricPoint]:
            missing = metric.startswith(("rows_missing", "keys_missing"))
            return [
                MetricPoint(
                    asset="model.test.fct_orders",
                    metric=metric,
                    value=size if missing else 0,
                    at=NOW - timedelta(days=len(sizes) - n),
                )
                for n, size in enumerate(sizes)
            ]

        return history

    young = reconciled(project, ours, ALL, entry, history=past(10, 11, 12))
    assert {d.status for d in young.values()} == {UNTRAINED}
    assert "4 more runs until the usual difference is known" in young["row-count"].headline
    usual = reconciled(project, ours, ALL, entry, history=past(10, 11, 12, 13, 12, 11, 10))
    assert {d.status for d in usual.values()} == {PASSED}
    assert "as usual" in usual["key-difference"].headline
    unusual = reconciled(project, ours, ALL, entry, history=past(1, 1, 2, 1, 1, 2, 1))
    assert {d.status for d in unusual.values()} == {FAILED}
    assert "rows_missing.ledger is 12, usually 1" in unusual["row-count"].headline
    empty = reconciled(project, f"{ALL} limit 0", ALL, entry, history=past(*[2000] * 9))
    assert empty["row-count"].status is FAILED


def test_conditions_that_are_no_sql(project: Any) -> None:
    for field in ("filter", "with_filter"):
        found = reconciled(project, ALL, ALL, {field: "amount >"})
        assert found["row-count"].status is COULD_NOT_RUN
        assert f"`{field}` is 'amount >', which is no SQL condition of duckdb" in (
            found["row-count"].headline
        )
    found = reconciled(
        project, ALL, ALL, {"filter": "amount > 3 -- small ones", "with_filter": "amount > 3"}
    )
    assert found["row-count"].status is PASSED
