"""Arrows among the arguments of functions read a column; lambdas do not."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp

from dagster_agent.sql.guard import parse_select

DOCUMENT = (
    """select json('{"x": {"z": "7", "y": [5, 6]}, "n": 3}') as payload, 'x' as wanted, [1] as xs"""
)
READS = (
    ("coalesce(payload -> 'x', '{}')", {"payload"}),
    ("coalesce(t.payload -> 'x', '{}')", {"payload"}),
    ("coalesce(payload -> 'x' ->> 'z', wanted)", {"payload", "wanted"}),
    ("coalesce(payload -> 'x' -> 'y' ->> 1, wanted)", {"payload", "wanted"}),
    ("concat(payload -> '$.x.z', '!')", {"payload"}),
    ("json_keys(payload -> wanted)", {"payload", "wanted"}),
    ("concat(payload -> lower('X'), payload -> ('n' || ''))", {"payload"}),
    ("coalesce(payload -> 'n'::varchar, '0')", {"payload"}),
    ("list_transform(xs, x -> x + 1)", {"xs"}),
    ("list_filter(xs, x -> x > 0)", {"xs"}),
)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
@pytest.mark.parametrize(("expression", "columns"), READS)
def test_the_columns_are_those_that_the_database_reads(
    expression: str, columns: set[str], dialect: str
) -> None:
    tree = parse_select(f"select {expression} as y from t", dialect)
    assert {column.name for column in tree.find_all(exp.Column)} == columns


@pytest.mark.parametrize("expression", [expression for expression, _ in READS])
def test_what_was_read_means_the_same_when_it_is_written_out(expression: str) -> None:
    query = f"select {expression} as y from t"
    written = parse_select(query, "duckdb").sql("duckdb")
    with duckdb.connect() as connection:
        connection.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        connection.execute(f"create table t as {DOCUMENT}")
        assert connection.execute(written).fetchall() == connection.execute(query).fetchall()


def test_the_key_is_read_as_outside_of_functions() -> None:
    inside = parse_select("select coalesce(payload -> '$.x.z', '') from t", "duckdb")
    outside = parse_select("select (payload -> '$.x.z') || '' from t", "duckdb")
    (one,), (other,) = (tree.find_all(exp.JSONExtract) for tree in (inside, outside))
    assert (one.this, one.expression) == (other.this, other.expression)


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("f(payload -> 'x' = '1')", "(payload -> 'x') = '1'"),
        ("f(payload -> 'x' ->> 0 || 'a')", "((payload -> 'x') ->> 0) || 'a'"),
    ],
)
def test_an_arrow_of_postgresql_binds_what_follows_it(expression: str, written: str) -> None:
    inside = parse_select(f"select {expression} from t", "postgres").selects[0].expressions[0]
    outside = parse_select(f"select {written} from t", "postgres").selects[0]
    assert inside.sql("postgres") == outside.sql("postgres").replace("(", "").replace(")", "")


def test_elsewhere_an_arrow_is_a_lambda() -> None:
    tree = parse_select("select filter(xs, x -> true) from t", "snowflake")
    assert tree.find(exp.Lambda) is not None
