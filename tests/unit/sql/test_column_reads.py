"""Which column of which table a reference means, and where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.column_reads import ReadForm, columns_read

ORDERS, CUSTOMERS = Relation(name="orders"), Relation(name="customers")
KNOWN = {
    ORDERS: ("id", "user_id", "amount", "payload", "day"),
    CUSTOMERS: ("id", "user_id", "name"),
}


def reads(sql: str, dialect: str = "duckdb", known=None) -> list[str]:
    found = columns_read(sql, dialect, KNOWN if known is None else known)
    return [f"{r.relation}.{r.column} {r.clause}" for r in found]


CASES = {
    "a bare column": ("select user_id from orders", ["orders.user_id select"]),
    "an alias of the table": (
        "select o.user_id from orders as o",
        ["orders.user_id select"],
    ),
    "a full name in front": (
        "select main.orders.user_id from main.orders",
        ["main.orders.user_id select"],
    ),
    "through a star": (
        "with s as (select * from orders) select id as order_id, user_id from s",
        ["orders.id select", "orders.user_id select"],
    ),
    "a star in a subquery": (
        "select q.user_id from (select * from orders) as q",
        ["orders.user_id select"],
    ),
    "once only, where the table is read": (
        "with s as (select user_id from orders) select user_id from s where user_id > 1",
        ["orders.user_id select"],
    ),
    "a renamed column is no longer the table's": (
        "with s as (select user_id as buyer from orders) select buyer from s",
        ["orders.user_id select"],
    ),
    "a star that leaves it out": (
        "with s as (select * exclude (user_id) from orders) select id from s",
        ["orders.user_id exclude", "orders.id select"],
    ),
    "a star that replaces it": (
        "select o.* replace (lower(user_id) as user_id) from orders as o",
        ["orders.user_id replace"],
    ),
    "every clause": (
        "select count(*) from orders o join customers c on o.user_id = c.user_id "
        "where o.amount > 0 group by o.day having max(o.id) > 1",
        [
            "orders.user_id join",
            "customers.user_id join",
            "orders.amount where",
            "orders.day group",
            "orders.id having",
        ],
    ),
    "using reads both": (
        "select name from orders join customers using (user_id)",
        ["customers.name select", "customers.user_id using", "orders.user_id using"],
    ),
    "what using joined": (
        "select user_id from orders join customers using (user_id)",
        ["orders.user_id select", "customers.user_id using", "orders.user_id using"],
    ),
    "without a qualifier, known from the columns": (
        "select amount, name from orders, customers",
        ["orders.amount select", "customers.name select"],
    ),
    "without a qualifier, in both": ("select user_id from orders, customers", []),
    "without a qualifier, in neither": ("select nothing from orders, customers", []),
    "without a qualifier, in one that is not known": (
        "select nothing from orders, unknown",
        ["unknown.nothing select"],
    ),
    "with a qualifier, whatever is known": (
        "select o.nothing from orders o join customers c on o.id = c.id",
        ["orders.nothing select", "orders.id join", "customers.id join"],
    ),
    "order by an output column": (
        "select user_id, -amount as lost from orders order by 1, lost",
        [
            "orders.user_id select",
            "orders.amount select",
        ],
    ),
    "order by a column that is not put out": (
        "select user_id from orders order by amount",
        ["orders.user_id select", "orders.amount order"],
    ),
    "a lateral alias": (
        "select amount * 2 as twice, twice + 1 as more from orders where twice > 3",
        ["orders.amount select"],
    ),
    "an alias that hides nothing": (
        "select lower(user_id) as user_id from orders group by user_id",
        ["orders.user_id select", "orders.user_id group"],
    ),
    "a struct's field": (
        "select o.payload.user_id, payload.x from orders o",
        ["orders.payload select", "orders.payload select"],
    ),
    "the whole row": ("select count(o) as n from orders o", []),
    "a lambda's own name": (
        "select list_transform(payload, e -> e + amount) as x from orders",
        ["orders.payload select", "orders.amount select"],
    ),
    "a correlated subquery": (
        "select 1 from orders o where exists (select 1 from customers c where c.id = user_id "
        "and c.name = o.day)",
        [
            "customers.id where",
            "customers.user_id where",
            "customers.name where",
            "orders.day where",
        ],
    ),
    "a column of the outer query": (
        "select 1 from orders where id in (select id from customers where amount > 1)",
        ["orders.id where", "customers.id select", "orders.amount where"],
    ),
    "a scalar subquery": (
        "select (select max(name) from customers) as n from orders",
        ["customers.name select"],
    ),
    "both branches of a union": (
        "select user_id from orders union all select user_id from customers order by user_id",
        ["orders.user_id select", "customers.user_id select"],
    ),
    "behind a union": (
        "with u as (select * from orders union all select * from orders) select user_id from u",
        [],
    ),
    "a window": (
        "select row_number() over (partition by user_id order by amount) as n from orders "
        "qualify n = 1",
        ["orders.user_id select", "orders.amount select"],
    ),
    "a unit is no column": (
        "select date_part(year, day) as y from orders",
        ["orders.day select"],
    ),
    "rowid is there without being a column": ("select rowid from orders", []),
    "named arguments": (
        "select struct_pack(a := user_id) as s from orders",
        ["orders.user_id select"],
    ),
    "a recursive query": (
        "with recursive r as (select id from orders union all select r.id + 1 from r) "
        "select id from r",
        ["orders.id select"],
    ),
    "the CTE's own column names": (
        "with s(a, b) as (select id, user_id from orders) select a from s",
        ["orders.id select", "orders.user_id select"],
    ),
    "an unnested list": (
        "select item from orders, unnest(payload) as t(item)",
        ["orders.payload join"],
    ),
    "a later CTE hides a table": (
        "with orders as (select id from customers) select id from orders",
        ["customers.id select"],
    ),
    "joins before the output list": (
        "from orders o join customers c on o.id = c.id select o.user_id",
        ["orders.id join", "customers.id join", "orders.user_id select"],
    ),
    "a pivot": ("select user_id from orders pivot (sum(amount) for day in (1, 2))", []),
}


@pytest.mark.parametrize(("sql", "expected"), CASES.values(), ids=CASES.keys())
def test_reads(sql, expected):
    assert reads(sql) == expected


def test_place_and_form():
    sql = 'select\n  o."user_id",\n  amount as total, lower(name) as n\nfrom orders o, customers'
    first, second, third = columns_read(sql, "duckdb", KNOWN)
    assert (first.line, sql[first.start : first.end], first.quoted) == (2, '"user_id"', True)
    assert sql[first.reference_start : first.end] == 'o."user_id"'
    assert (first.form, first.output) == (ReadForm.BARE, "user_id")
    assert (second.form, second.output, second.scope) == (ReadForm.ALIASED, "total", "")
    assert (third.form, third.output) == (ReadForm.PART, "n")


def test_scopes_are_named():
    sql = "with a as (select id from orders) select id from (select name as id from customers) q"
    assert [r.scope for r in columns_read(sql, "duckdb", KNOWN)] == ["a", "q"]


def test_offsets_count_characters():
    sql = "select 'Größe ü 🦆' as t, user_id from orders"
    (read,) = columns_read(sql, "duckdb", KNOWN)
    assert sql[read.start : read.end] == "user_id"


def test_dialects():
    sql = "select amount * 2 as day, day + 1 as more from orders"
    assert "orders.day select" in reads(sql)  # a column wins over an alias
    lacking = {ORDERS: ("amount",)}
    assert reads(sql, known=lacking) == ["orders.amount select"]
    assert reads(sql, "postgres", lacking) == ["orders.amount select", "orders.day select"]
    assert reads("select a:b.c::string as x from orders", "snowflake", {}) == ["orders.a select"]
    assert reads("select `user_id` from `p`.`d`.orders", "bigquery", {}) == [
        "p.d.orders.user_id select"
    ]


def test_no_query():
    with pytest.raises(QueryRefused):
        columns_read("drop table x", "duckdb", {})


names = st.sampled_from(["id", "user_id", "amount"])


@given(depth=st.integers(0, 6), name=names)
def test_a_chain_of_stars_changes_nothing(depth, name):
    ctes = ", ".join(
        f"c{n} as (select * from {'orders' if n == 0 else f'c{n - 1}'})" for n in range(depth)
    )
    source = f"c{depth - 1}" if depth else "orders"
    sql = f"{f'with {ctes} ' if ctes else ''}select {name} as x from {source}"
    for known in ({}, KNOWN):
        (read,) = columns_read(sql, "duckdb", known)
        assert (read.relation, read.column) == (ORDERS, name)
        assert sql[read.start : read.end] == name
