"""What is compared with no configuration at all.

This file is long because every shape of model is one test, and they share the tables.
"""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.model import DetectionStatus, Severity

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED

ORDERS = 'with orders as (select * from "shop"."main"."raw_orders")'
CUSTOMERS = ', customers as (select id as customer_id, name from "shop"."main"."raw_customers")'
PRODUCTS = ', products as (select * from "shop"."main"."raw_products")'
ENRICHED = (
    ORDERS
    + CUSTOMERS
    + PRODUCTS
    + """, final as (
    select orders.id as order_id, orders.customer_id, orders.amount, customers.name, products.label
    from orders {kind} join customers on orders.customer_id = customers.customer_id
    left join products using (product_id) {where}
) select * from final"""
)


def test_an_inner_join_to_a_lookup_that_drops_rows_fails(project: Any) -> None:
    uid = project.model("fct_orders", ENRICHED.format(kind="inner", where=""), key=("order_id",))
    found = project.reconcile(uid)
    rows = found["row-count"]
    assert rows.status is FAILED
    assert rows.severity is Severity.ERROR
    assert rows.headline == (
        "fct_orders lost 200 of 1,000 rows (20.0 %) at the inner join to customers on customer_id"
    )
    assert rows.metrics == {
        "rows_source": 1000,
        "rows_now": 800,
        "rows_target": 800,
        "stale_rows": 0,
        "rows_lost": 200,
        "lost_share": 0.2,
        "rows_filtered": 0,
        "rows_added": 0,
        "rows_lost.customers": 200,
    }
    assert "expected_losses: {customers:" in rows.hint
    assert rows.sample is not None
    assert ("final", "inner join customers on customer_id", 800, 200, 0) in rows.sample.rows
    account, keys = rows.evidence
    assert account.query is not None
    assert keys.result is not None
    assert keys.result.columns == ("customer_id", "rows_without_match")
    assert [row[1] for row in keys.result.rows] == [20] * 5
    assert {d.status for name, d in found.items() if name != "row-count"} == {PASSED}


def test_a_left_join_never_fails_and_tells_its_match_share(project: Any) -> None:
    uid = project.model("fct_orders", ENRICHED.format(kind="left", where=""), key=("order_id",))
    found = project.reconcile(uid)
    assert {d.status for d in found.values()} == {PASSED}
    assert found["row-count"].headline == "fct_orders keeps the 1,000 rows of raw_orders"
    assert found["join-match"].headline == (
        "rows of fct_orders that find a match: customers 80.0 %, products 100.0 %"
    )
    assert found["join-match"].metrics["match_share.customers"] == pytest.approx(0.8)
    assert found["join-match"].metrics["unmatched_rows.customers"] == 200
    assert found["key-difference"].headline == (
        "fct_orders and raw_orders have the same 1,000 keys"
    )
    assert found["key-difference"].metrics["key_coverage"] == 1


def test_an_explicit_filter_is_told_and_does_not_fail(project: Any) -> None:
    sql = ENRICHED.format(kind="left", where="where orders.amount > 50")
    found = project.reconcile(project.model("fct_orders", sql, key=("order_id",)))
    assert {d.status for d in found.values()} == {PASSED}
    assert found["row-count"].headline == (
        "fct_orders keeps the 1,000 rows of raw_orders, but for 510 that its WHERE takes"
    )
    assert found["row-count"].metrics["rows_filtered"] == 510
    assert found["key-difference"].headline == (
        "fct_orders has 49.0 % of the 1,000 keys of raw_orders"
    )


def test_a_filter_on_the_lookup_makes_the_join_a_filter(project: Any) -> None:
    sql = (
        'select o.*, c.name from "shop"."main".raw_orders o inner join'
        ' "shop"."main".raw_customers c on c.id = o.customer_id where c.active'
    )
    found = project.reconcile(project.model("active_orders", sql, key=("id",)))
    assert found["row-count"].status is PASSED
    assert found["row-count"].metrics["rows_lost"] == 0


def test_an_inner_join_that_reads_nothing_is_a_filter(project: Any) -> None:
    sql = (
        'select o.* from "shop"."main".raw_orders o'
        ' inner join "shop"."main".raw_customers c on c.id = o.customer_id'
    )
    found = project.reconcile(project.model("known_orders", sql, key=("id",)))
    assert found["row-count"].status is PASSED
    assert found["join-match"].metrics["match_share.raw_customers"] == pytest.approx(0.8)


def test_losses_within_the_tolerance_are_told(project: Any) -> None:
    project.execute("insert into raw_customers select i, 'x', true from range(40, 50) t(i)")
    project.execute("insert into raw_orders values (1000, 99, 1, 1, '')")
    uid = project.model("fct_orders", ENRICHED.format(kind="inner", where=""), key=("order_id",))
    rows = project.reconcile(uid)["row-count"]
    assert rows.status is PASSED
    assert rows.headline.endswith(
        "tolerated: 1 of 1,001 rows (0.1 %) at the inner join to customers on customer_id"
    )
    strict = project.reconcile(uid, max_lost_share=0)["row-count"]
    assert strict.status is FAILED
    assert strict.severity is Severity.WARN


def test_an_intended_loss_can_be_declared(project: Any) -> None:
    sql = ENRICHED.format(kind="inner", where="")
    meta = {"expected_losses": {"Customers": 0.25}}
    uid = project.model("fct_orders", sql, key=("order_id",), meta=meta)
    assert project.reconcile(uid)["row-count"].status is PASSED
    project.execute("delete from raw_customers where id > 20")
    assert project.reconcile(uid)["row-count"].status is FAILED


def test_losses_at_two_joins_add_up(project: Any) -> None:
    project.execute("delete from raw_products where product_id = 0")
    sql = ENRICHED.format(kind="inner", where="").replace("left join", "inner join")
    rows = project.reconcile(project.model("fct_orders", sql, key=("order_id",)))["row-count"]
    left = 1000 - rows.metrics["rows_now"]
    assert rows.metrics["rows_lost"] == left
    assert rows.headline.startswith(f"fct_orders lost {left:,.0f} of 1,000 rows")
    assert "200 at the inner join to customers on customer_id" in rows.headline
    assert "at the inner join to products on product_id" in rows.headline


def test_staging_models_are_compared_with_their_source(project: Any) -> None:
    uid = project.model(
        "stg_orders",
        'with source as (select * from "shop"."main"."raw_orders"), renamed as ('
        "select id as order_id, note from source) select * from renamed",
        materialized="view",
    )
    found = project.reconcile(uid)
    assert set(found) == {"row-count", "key-difference"}
    assert found["row-count"].headline == "stg_orders keeps the 1,000 rows of raw_orders"
    assert found["key-difference"].headline == (
        "stg_orders and raw_orders have the same 1,000 keys"
    )


def test_a_table_that_is_older_than_its_source_is_no_false_alarm(project: Any) -> None:
    uid = project.model("fct_orders", ENRICHED.format(kind="left", where=""), key=("order_id",))
    project.execute("insert into raw_orders select i, 1, 1, 1, '' from range(1000, 1200) t(i)")
    found = project.reconcile(uid)
    assert {d.status for d in found.values()} == {PASSED}
    assert found["row-count"].metrics["stale_rows"] == 200
    assert found["key-difference"].metrics["keys_missing"] == 200
    judged = project.reconcile(uid, max_stale_share=0.1)["row-count"]
    assert judged.status is FAILED
    assert judged.headline == "fct_orders holds 1,000 rows, its SQL yields 1,200 now"


def test_aggregates_are_accounted_up_to_the_aggregation(project: Any) -> None:
    sql = (
        ORDERS
        + CUSTOMERS
        + (
            " select customer_id, max(customers.name) as name, count(*) as n from orders"
            " {kind} join customers using (customer_id) group by customer_id"
        )
    )
    found = project.reconcile(project.model("by_customer", sql.format(kind="left")))
    assert {d.status for d in found.values()} == {PASSED}
    assert found["row-count"].headline == (
        "by_customer is made of the 1,000 rows of raw_orders and no join drops any"
        " (it aggregates: rows are counted up to there)"
    )
    assert found["key-difference"].headline == "by_customer and raw_orders have the same 50 keys"
    found = project.reconcile(project.model("by_customer", sql.format(kind="inner")))
    assert found["row-count"].status is FAILED
    assert "lost 200 of 1,000 rows" in found["row-count"].headline
    assert found["key-difference"].status is PASSED
    assert found["key-difference"].metrics["keys_missing"] == 10


def test_one_to_many_joins_that_are_grouped_back_must_keep_every_row(project: Any) -> None:
    sql = (
        'select c.id, c.name, count(o.id) as n from "shop".main.raw_customers c {kind} join'
        ' "shop".main.raw_orders o on o.customer_id = c.id where c.active group by c.id, c.name'
    )
    project.execute("delete from raw_orders where customer_id = 2")
    found = project.reconcile(project.model("dim_customers", sql.format(kind="left"), key=("id",)))
    assert {d.status for d in found.values()} == {PASSED}
    found = project.reconcile(project.model("dim_customers", sql.format(kind="inner"), key=("id",)))
    assert found["row-count"].status is FAILED
    assert "lost 1 of" in found["row-count"].headline


def test_drilling_down_to_the_parts_is_no_loss_and_no_fan_out(project: Any) -> None:
    sql = (
        'select o.id, o.customer_id, c.name from "shop".main.raw_customers c inner join'
        ' "shop".main.raw_orders o on o.customer_id = c.id'
    )
    project.execute("delete from raw_orders where customer_id = 2")
    for key in ((), ("id",)):
        found = project.reconcile(project.model("customer_orders", sql, key=key))
        assert {d.status for d in found.values()} == {PASSED}


def test_a_join_that_repeats_the_models_key_is_a_fan_out(project: Any) -> None:
    project.execute("insert into raw_customers values (1, 'again', true)")
    sql = ENRICHED.format(kind="left", where="")
    rows = project.reconcile(project.model("fct_orders", sql, key=("order_id",)))["row-count"]
    assert rows.status is FAILED
    assert rows.severity is Severity.ERROR
    assert rows.headline == (
        "fct_orders: 1,000 rows became 1,020 at the left join to customers on customer_id"
        " (order_id is not unique any more, though dbt declares it)"
    )
    assert rows.metrics["rows_added"] == 20


def test_a_fan_out_shows_without_a_key_of_the_model(project: Any) -> None:
    project.execute("insert into raw_customers values (1, 'again', true)")
    uid = project.model("fct_orders", ENRICHED.format(kind="left", where=""))
    rows = project.reconcile(uid)["row-count"]
    assert rows.status is FAILED
    assert "(id is not unique there, though dbt declares it)" in rows.headline
    project.sources.clear()
    rows = project.reconcile(uid)["row-count"]
    assert rows.status is FAILED
    assert "(neither side is unique on customer_id)" in rows.headline


def test_an_incomplete_key_is_a_fan_out_and_a_bridge_is_not(project: Any) -> None:
    project.execute(
        "create table raw_prices as select p.i as product_id, m.i as month, 1.5 as price"
        " from range(7) p(i), range(12) m(i)"
    )
    project.source("raw_prices")
    project.sources["source.test.raw.raw_prices"]["primary_key"] = ["product_id", "month"]
    sql = (
        'select o.id, o.product_id, p.price{more} from "shop".main.raw_orders o'
        ' left join "shop".main.raw_prices p on p.product_id = o.product_id'
    )
    assert project.reconcile(project.model("x", sql.format(more="")))["row-count"].status is FAILED
    found = project.reconcile(project.model("x", sql.format(more=", p.month")))
    assert found["row-count"].status is PASSED


def test_unions_are_judged_branch_by_branch(project: Any) -> None:
    sql = (
        'select id from "shop".main.raw_orders union all select o.product_id from'
        ' "shop".main.raw_orders o {kind} join (select id, name as n from'
        ' "shop".main.raw_customers) c on c.id = o.customer_id {where}'
    )
    found = project.reconcile(project.model("u", sql.format(kind="left", where="")))
    assert found["row-count"].status is PASSED
    assert found["row-count"].headline == "no join drops rows of u"
    assert found["row-count"].metrics["rows_now"] == 2000
    where = "where coalesce(c.n, '') <> 'x'"
    found = project.reconcile(project.model("u", sql.format(kind="inner", where=where)))
    assert found["row-count"].status is FAILED


def test_a_lookup_in_the_making_may_lose_what_has_no_partner(project: Any) -> None:
    sql = (
        'with best as (select c.id, max(o.amount) as top from "shop".main.raw_customers c'
        ' join "shop".main.raw_orders o on o.customer_id = c.id group by 1)'
        ' select o.*, best.top from "shop".main.raw_orders o left join best'
        " on best.id = o.customer_id"
    )
    project.execute("delete from raw_orders where customer_id = 2")
    found = project.reconcile(project.model("x", sql, key=("id",)))
    assert {d.status for d in found.values()} == {PASSED}


def test_ephemeral_models_are_named(project: Any) -> None:
    sql = (
        'with __dbt__cte__eph as (select o.*, c.name from "shop".main.raw_orders o inner join'
        ' "shop".main.raw_customers c on c.id = o.customer_id) select * from __dbt__cte__eph'
    )
    rows = project.reconcile(project.model("reader", sql))["row-count"]
    assert rows.status is FAILED
    assert rows.headline.endswith("raw_customers on customer_id = id in the ephemeral model eph")
    eph = project.model("eph", sql.split("(", 1)[1].rsplit(")", 1)[0], materialized="ephemeral")
    assert project.reconcile(eph)["row-count"].status is FAILED


def test_incremental_sql_is_accounted_for_its_increment_only(project: Any) -> None:
    project.execute("create table inc as select id, customer_id from raw_orders where id < 500")
    sql = (
        'select o.id, o.customer_id, c.name from "shop".main.raw_orders o left join'
        ' "shop".main.raw_customers c on c.id = o.customer_id'
        ' where o.id > (select max(id) from "shop"."main"."inc")'
    )
    uid = project.model("inc", sql, key=("id",), materialized="incremental", build=False)
    found = project.reconcile(uid)
    assert found["row-count"].status is PASSED
    assert "compiled for the newest increment" in found["row-count"].headline
    assert "stale_rows" not in found["row-count"].metrics


def test_names_that_need_quotes(project: Any) -> None:
    project.execute(
        'create table "Größen & Co" ("Schlüs""sel" int, "Länge" int)',
        'insert into "Größen & Co" select i, i from range(30) t(i)',
    )
    sql = (
        'select o.id as "Bestell-Nr.", g."Länge" from "shop"."main"."raw_orders" o'
        ' inner join "shop"."main"."Größen & Co" g on g."Schlüs""sel" = o.customer_id'
    )
    found = project.reconcile(project.model("Übersicht", sql, key=("Bestell-Nr.",)))
    assert found["row-count"].headline == (
        "Übersicht lost 400 of 1,000 rows (40.0 %) at the inner join to Größen & Co"
        ' on customer_id = Schlüs"sel'
    )
    assert found["key-difference"].metrics["keys_missing"] == 400
