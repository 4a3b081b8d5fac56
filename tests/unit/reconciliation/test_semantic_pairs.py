"""Other grain, other names, other units: grouped sides and metrics."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.model import DetectionStatus

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
COULD_NOT_RUN, UNTRAINED = DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED

ORDERS = (
    "select i as order_id, (i % 50) + 10.00 as amount, timestamp '2026-11-01 10:00:00' "
    "+ to_hours(i::int) as created_at, 'DE' as country from range(480) t(i)"
)
CHARGES = (
    "select 'ord-' || order_id as reference, part, (amount * 50)::bigint as minor, "
    "cast(created_at as date) as booked_on from orders_raw, range(2) p(part)"
)


@pytest.fixture
def shop(project: Any) -> Any:
    project.execute(
        f"create table orders_raw as {ORDERS}",
        "create schema processor",
        f"create table processor.charges as {CHARGES}",
    )
    return project


def against(project: Any, entry: dict[str, Any]) -> dict[str, Any]:
    meta = {"reconcile": [{"with": "shop.processor.charges"} | entry]}
    uid = project.model("fct_orders", 'select * from "shop".main.orders_raw', meta=meta)
    found = project.detections(uid)
    own = [d for d in found if not d.headline.endswith("of orders_raw")]
    return {d.detector.removeprefix("reconciliation/"): d for d in own}


GROUPED = {
    "key": {"order_id": {"ours": "'ord-' || order_id", "theirs": "reference"}},
    "grouped": "theirs",
    "columns": {"amount": {"theirs": "sum(minor) / 100.0", "absolute": 0.005}},
    "measures": {"amount": {"theirs": "sum(minor) / 100.0", "unit": "EUR", "absolute": 0.005}},
    "day": {"created_at": "booked_on"},
}


def test_orders_against_the_charges_of_a_processor(shop: Any) -> None:
    found = against(shop, GROUPED)
    assert {name: d.status for name, d in found.items()} == {
        "row-count": PASSED,
        "column-aggregates": PASSED,
        "key-difference": PASSED,
    }, [d.headline for d in found.values()]
    assert "480 rows each" in found["row-count"].headline


def test_what_differs_between_grains_is_found(shop: Any) -> None:
    shop.execute(
        "delete from processor.charges where reference = 'ord-7'",
        "update processor.charges set minor = minor + 100 where reference = 'ord-400' and part = 1",
    )
    found = against(shop, GROUPED)
    keys = found["key-difference"]
    assert keys.status is FAILED
    assert (keys.metrics["keys_extra.charges"], keys.metrics["keys_changed.charges"]) == (1, 1)
    assert "EUR 18" in keys.headline
    assert keys.metrics["days_differing.charges"] == 2


def test_grouping_needs_a_key(shop: Any) -> None:
    meta = {"reconcile": [{"with": "shop.processor.charges", "grouped": "theirs"}]}
    uid = shop.model("fct_orders", 'select * from "shop".main.orders_raw', meta=meta)
    last = shop.detections(uid)[-1]
    assert last.status is COULD_NOT_RUN
    assert "`grouped` of fct_orders has no key to group by" in last.headline


METRIC = {
    "metric": {
        "ours": "sum(amount)",
        "theirs": "sum(minor) / 100.0",
        "by": {"ours": "date(created_at)", "theirs": "booked_on"},
        "absolute": 0.005,
        "unit": "EUR",
    }
}


def test_revenue_by_day_agrees(shop: Any) -> None:
    (found,) = against(shop, METRIC).values()
    assert found.status is PASSED
    assert found.headline == (
        "sum(amount) by date(created_at) of fct_orders agrees with charges (21 values)"
    )


def test_revenue_that_differs_from_a_day_on(shop: Any) -> None:
    shop.execute("delete from processor.charges where booked_on >= '2026-11-19' and part = 1")
    shop.execute("insert into processor.charges values ('x', 1, 12345, date '2026-12-01')")
    found = against(shop, METRIC)["metric-agreement"]
    assert found.status is FAILED
    assert found.metrics["metric_groups_differing.charges"] == 4
    assert "in 4 of 22 values, from 2026-11-19 on; most at 2026-11-19 (EUR" in found.headline
    assert found.headline.endswith(" in these")
    assert found.sample is not None
    assert [row[0] for row in found.sample.rows] == [
        "2026-11-19",
        "2026-11-20",
        "2026-11-21",
        "2026-12-01",
    ]


@pytest.mark.parametrize(
    "codes",
    [("'DE'", "'DE '"), ("null", "'NULL'"), ("'DE'", "' DE '")],
    ids=["space", "null", "spaces"],
)
def test_groups_that_look_alike_are_all_compared(shop: Any, codes: tuple[str, str]) -> None:
    one, other = codes
    shop.execute(f"create or replace table processor.charges as select {one} as code, 2 as part")
    metric = {"ours": "sum(part)", "theirs": "sum(part)", "by": {"ours": "code"}}
    found = _of_codes(
        shop,
        f"select {other} as code, 1 as part union all select {one}, 2 union all select {other}, 3",
        {"metric": metric},
    )["metric-agreement"]
    assert found.status is FAILED
    assert found.metrics["metric_groups.charges"] == 2
    assert found.metrics["metric_groups_differing.charges"] == 1
    assert found.metrics["metric_difference.charges"] == 4


def test_a_group_is_itself_in_another_type(shop: Any) -> None:
    shop.execute(
        "create or replace table processor.charges as select 1 as code, 'DE   ' as country, 7 as n "
        "union all select 20, 'FR   ', 9",
    )
    entry = {"measures": {"n": {"unit": "EUR"}}, "segments": ["code", "country"]}
    ours = (
        "select 1.00::decimal(9, 2) as code, 'DE' as country, 7 as n union all select 20, 'FR', 8"
    )
    found = _of_codes(shop, ours, entry)["column-aggregates"]
    assert found.headline.endswith(", all in code=20 and country=FR")


def _of_codes(shop: Any, ours: str, entry: dict[str, Any]) -> dict[str, Any]:
    meta = {"reconcile": [{"with": "shop.processor.charges"} | entry]}
    found = shop.detections(shop.model("codes", ours, meta=meta))
    return {d.detector.removeprefix("reconciliation/"): d for d in found}


def test_one_number_of_the_whole_table(shop: Any) -> None:
    metric = {"ours": "sum(amount)", "theirs": "sum(minor) / 100.0", "relative": 0.01}
    assert against(shop, {"metric": metric})["metric-agreement"].status is PASSED
    shop.execute("delete from processor.charges")
    found = against(shop, {"metric": metric})["metric-agreement"]
    assert found.status is FAILED


def test_metrics_that_are_no_numbers(shop: Any) -> None:
    metric = {"ours": "max(country)", "theirs": "max(reference)"}
    found = against(shop, {"metric": metric})["metric-agreement"]
    assert found.status is COULD_NOT_RUN
    assert "yields str, no number" in found.headline


def test_groups_that_are_persons_are_masked(shop: Any) -> None:
    email = "'a' || (order_id % 3) || '@x.org'"
    shop.execute("alter table processor.charges add column email varchar default 'b@x.org'")
    metric = {
        "ours": "sum(amount)",
        "theirs": "sum(minor)",
        "by": {"ours": email, "theirs": "email"},
    }
    found = against(shop, {"metric": metric})["metric-agreement"]
    assert found.status is FAILED
    assert "@x.org" not in found.headline.replace(email, "")
    assert {row[0] for row in found.sample.rows} == {"‹text›"}
