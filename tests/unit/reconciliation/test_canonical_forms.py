"""Values of every type, in DuckDB and PostgreSQL: equal ones never differ, unequal ones always.

This file is long because most of it is the table of values of every type.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.canonical import common_kind, kind_of
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.difference import RowDifference
from dagster_agent.reconciliation.row_comparison.value_forms import plain_form
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

# name, DuckDB type and literals, PostgreSQL type and literals; two equal lines, never two equal
# neighbours
SAME: list[tuple[str, str, list[str], str, list[str]]] = [
    ("small", "integer", ["1", "-2", "0"], "bigint", ["1", "-2", "0"]),
    (
        "huge",
        "bigint",
        [f"{2**62}", f"{2**62 + 1}"],
        "numeric(38, 0)",
        [f"{2**62}", f"{2**62 + 1}"],
    ),
    (
        "money",
        "decimal(18, 2)",
        ["1.50", "-0.01", "1.51"],
        "numeric(12, 2)",
        ["1.50", "-0.01", "1.51"],
    ),
    (
        "scale",
        "decimal(18, 4)",
        ["1.5", "1.5001", "100"],
        "numeric",
        ["1.5000000", "1.5001", "100.0"],
    ),
    (
        "wide",
        "decimal(38, 10)",
        ["12345678901234567890.5", "12345678901234567891"],
        "numeric(38, 12)",
        ["12345678901234567890.5", "12345678901234567891"],
    ),
    (
        "ratio",
        "double",
        [
            "0.1",
            "'nan'",
            "'inf'",
            "'-inf'",
            "-0.0",
            "1e300",
            "5e-324",
            "1e15",
            "-123456.789",
            "1e-7",
            "2e-7",
            "123456789012345680",
        ],
        "double precision",
        [
            "0.1",
            "'nan'",
            "'infinity'",
            "'-infinity'",
            "0.0",
            "1e300",
            "5e-324",
            "1e15",
            "-123456.789",
            "1e-7",
            "2e-7",
            "123456789012345680",
        ],
    ),
    (
        "single",
        "float",
        ["0.1", "16777216", "-1e-30"],
        "double precision",
        ["0.1", "16777216", "-1e-30"],
    ),
    ("mixed", "double", ["0.25", "1e5", "3"], "numeric(10, 4)", ["0.25", "100000", "3"]),
    (
        "at",
        "timestamp",
        ["'2024-03-10 02:30:00.123456'", "'1969-12-31 23:59:59.5'", "'infinity'"],
        "timestamp",
        ["'2024-03-10 02:30:00.123456'", "'1969-12-31 23:59:59.5'", "'infinity'"],
    ),
    (
        "instant",
        "timestamptz",
        ["'2024-03-10 02:30:00+00'", "'2024-03-10 02:30:00+01'"],
        "timestamp",
        ["'2024-03-10 02:30:00'", "'2024-03-10 01:30:00'"],
    ),
    (
        "coarse",
        "timestamp_ns",
        ["'2024-01-01 00:00:00.123999999'", "'1960-01-01 00:00:00.000000001'"],
        "timestamp(3)",
        ["'2024-01-01 00:00:00.123'", "'1960-01-01 00:00:00'"],
    ),
    (
        "day",
        "date",
        ["'1969-12-31'", "'2024-02-29'"],
        "timestamptz",
        ["'1969-12-31 00:00:00+00'", "'2024-02-29 00:00:00+00'"],
    ),
    ("date", "date", ["'0001-01-01'", "'2024-02-29'"], "date", ["'0001-01-01'", "'2024-02-29'"]),
    ("clock", "time", ["'12:00:00.5'", "'00:00:00'"], "time", ["'12:00:00.500000'", "'00:00:00'"]),
    ("flag", "boolean", ["true", "false"], "boolean", ["true", "false"]),
    ("bit", "boolean", ["true", "false"], "integer", ["1", "0"]),
    ("letter", "boolean", ["true", "false", "true"], "text", ["'t'", "'FALSE'", "'1'"]),
    (
        "word",
        "varchar",
        ["''", "' '", "'a '", "'Ü😀'", "'a''|~'"],
        "text",
        ["''", "' '", "'a '", "'Ü😀'", "'a''|~'"],
    ),
    ("padded", "varchar", ["'ab'", "'abc  '", "''"], "char(5)", ["'ab'", "'abc'", "''"]),
    (
        "typed",
        "varchar",
        ["'12.50'", "'-0.0'", "' +007 '", "'x'"],
        "text",
        ["'12.50'", "'-0.0'", "' +007 '", "'x'"],
    ),
    ("number", "varchar", ["'12.50'", "'-0.0'", "' +007 '"], "numeric(10, 3)", ["12.5", "0", "7"]),
    (
        "told",
        "varchar",
        ["'2024-01-02 03:04:05'", "'2024-01-02T03:04:05.25+01:00'"],
        "timestamp",
        ["'2024-01-02 03:04:05'", "'2024-01-02 02:04:05.25'"],
    ),
    (
        "id",
        "uuid",
        ["'0F000000-0000-0000-0000-00000000000a'"],
        "text",
        ["'0f000000-0000-0000-0000-00000000000A'"],
    ),
    ("raw", "blob", ["'\\xAB\\x00'::blob", "''::blob"], "bytea", ["'\\xab00'", "''"]),
]


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set timezone = 'America/New_York'")
        yield connection


@pytest.fixture
def ours(duck: Any, tmp_path: Path, across: str) -> Iterator[Any]:
    """How to fill a table in DuckDB, and who reads it: in memory, or from a copy of a file."""
    if across != "beside":
        yield duck.execute, MemoryWarehouse(duck)
        return
    path = tmp_path / "shop.duckdb"

    def execute(sql: str) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("set timezone = 'America/New_York'")
            connection.execute(sql)

    zone = {"timezone": "America/New_York"}
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "copies", settings=zone)
    yield execute, warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def post(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL database: `execute` and the warehouse that reads it."""
    name = "canonical_forms"
    postgres_server.create(name)
    folder: Path = tmp_path_factory.mktemp("canonical")
    warehouse = open_warehouse(postgres_server.target(name), base_dir=folder, snapshot_dir=folder)
    with psycopg.connect(postgres_server.url(name), autocommit=True) as connection:
        yield connection, warehouse


def side(warehouse: Warehouse, name: str, schema: str | None = None) -> Side:
    relation = Relation(schema=schema, name=name)
    (found,) = warehouse.schemas([relation]).values()
    return Side(label=name, warehouse=warehouse, schema=found)


def fill(execute: Any, columns: list[tuple[str, str, list[str]]]) -> None:
    """One row per literal, under the key n; a further row of NULLs."""
    rows = max(len(values) for _, _, values in columns) + 1
    selects = [
        "select " + ", ".join(
            [f"{n} as n"]
            + [
                f"cast({values[n] if n < len(values) else 'null'} as {type_}) as {name}"
                for name, type_, values in columns
            ]
        )
        for n in range(rows)
    ]  # fmt: skip
    execute("drop table if exists typed")
    execute(f"create table typed as {' union all '.join(selects)}")


def compare(ours: Side, theirs: Side, across: str | None, names: list[str]) -> RowDifference:
    pair = TablePair(ours=ours, theirs=theirs, keys=("n",), columns=dict.fromkeys(names, EXACT))
    plan = "stream" if across == "beside" else across
    config = ReconciliationConfig(across=plan)  # pyright: ignore[reportArgumentType] - a parameter of the test
    return compare_rows(pair, config, landing=landed_tables)


@pytest.mark.parametrize("across", ["stream", "checksum", "beside"])
def test_equal_values_in_two_stores_are_equal(ours: Any, post: Any, across: str) -> None:
    (execute, reader), (connection, warehouse) = ours, post
    fill(execute, [(name, type_, values) for name, type_, values, _, _ in SAME])
    fill(connection.execute, [(name, type_, values) for name, _, _, type_, values in SAME])
    names = [name for name, *_ in SAME]
    found = compare(side(reader, "typed"), side(warehouse, "typed", "public"), across, names)
    assert [(c.column, c.rows) for c in found.columns] == []
    assert found.differing == 0
    assert found.rows_ours == found.rows_theirs == 13
    if across != "checksum":
        assert found.plan.rows_fetched == (13 if across == "beside" else 26)
    if across == "checksum":  # sizes, sums, no rows, duplicates: no bucket differed
        assert (found.plan.statements, found.plan.rows_fetched) == (7, 5)


@pytest.mark.parametrize("across", ["stream", "checksum", "beside"])
def test_every_unequal_value_is_found(ours: Any, post: Any, across: str) -> None:
    """The values of a column moved by one row: each row then differs from the one before it."""
    (execute, reader), (connection, warehouse) = ours, post
    moved = [(name, type_, [*values[1:], "null"]) for name, _, _, type_, values in SAME]
    fill(execute, [(name, type_, values) for name, type_, values, _, _ in SAME])
    fill(connection.execute, moved)
    names = [name for name, *_ in SAME]
    found = compare(side(reader, "typed"), side(warehouse, "typed", "public"), across, names)
    assert {c.column: c.rows for c in found.columns} == {
        name: len(values) for name, _, values, _, _ in SAME
    }


@pytest.mark.parametrize("type_", ["timestamp", "timestamptz"])
@pytest.mark.parametrize("scale", [3, 6])
def test_moments_are_exact_to_their_last_digit(post: Any, type_: str, scale: int) -> None:
    """The cheap form of moments between 1850 and 2100 against exact numbers, up to its bounds."""
    connection, _ = post
    kind = kind_of(f"{type_}({scale})", "postgres")
    unit = f"{10 ** (6 - scale)} * interval '1 microsecond'"
    moments = (
        "select cast(timestamp '1970-01-01' + (x / {per}) * interval '1 second' + (x % {per}) * {u}"
        " as {t}) as at from (select cast(i as bigint) * {step} - {low} as x"
        " from generate_series(0, 60000) i union all"
        " select {edge} + i from generate_series(-2000, 2000) i union all"
        " select -{past} + i from generate_series(-2000, 2000) i) as n"
    ).format(
        per=10**scale,
        u=unit,
        t=type_,
        step=131_313_131_313 // 10 ** (6 - scale),
        low=3_790_000_000 * 10**scale,
        edge=4_102_444_800 * 10**scale,
        past=3_786_912_000 * 10**scale,
    )
    wrong = connection.execute(
        f"select count(*), count(*) filter (where {plain_form('at', kind, kind, 'postgres')} is "
        f"distinct from cast(extract(epoch from at) * {10**scale} as bigint)) from ({moments}) as m"
    ).fetchone()
    assert wrong == (68_003, 0)


def test_types_of_one_store_compare_by_value(duck: Any) -> None:
    duck.execute(
        "create or replace table a as select i as n, i::int as x, (i / 4)::decimal(9, 2) as m,"
        " i::double as d, {'k': i} as nested, [i] as list, i::varchar as t from range(50) r(i)"
    )
    duck.execute(
        "create or replace table b as select n, x::bigint as x, m::decimal(20, 5) as m,"
        " d::decimal(9, 1) as d, nested, list, n::int as t from a"
    )
    warehouse = MemoryWarehouse(duck)
    names = ["x", "m", "d", "nested", "list", "t"]
    found = compare(side(warehouse, "a"), side(warehouse, "b"), None, names)
    assert found.differing == 0
    duck.execute("update b set m = m + 0.00001, t = t + 1 where n = 3")
    duck.execute("update b set list = [n, n] where n = 4")
    found = compare(side(warehouse, "a"), side(warehouse, "b"), None, names)
    assert [(c.column, c.rows, c.largest) for c in found.columns] == [
        ("m", 1, 1e-05),
        ("list", 1, None),
        ("t", 1, None),
    ]


def test_types_of_one_postgres_compare_by_value(post: Any) -> None:
    connection, warehouse = post
    connection.execute("drop table if exists a, b")
    connection.execute(
        "create table a as select i as n, 1.50::numeric as m, '-0'::float8 as d, 'x'::char(3) as c,"
        " '{\"a\": 1, \"b\": 2}'::json as j, array[i] as list, timestamptz '2024-01-01' as at"
        " from generate_series(1, 300) i"
    )
    connection.execute(
        "create table b as select n, 1.5::numeric as m, 0::float8 as d, 'x'::char(3) as c,"
        ' \'{"b":2,"a":1}\'::json as j, list, at from a'
    )
    names = ["m", "d", "c", "j", "list", "at"]
    sides = side(warehouse, "a", "public"), side(warehouse, "b", "public")
    found = compare(*sides, None, names)
    assert (found.differing, found.plan.name) == (0, "range buckets")
    connection.execute("update b set list = array[n, n], m = 2 where n = 7")
    connection.execute("insert into b select * from b where n = 9")
    connection.execute("delete from b where n = 11")
    found = compare(*sides, None, names)
    assert [(c.column, c.rows, c.total) for c in found.columns] == [
        ("m", 1, -0.5),
        ("list", 1, None),
    ]
    counts = (found.missing, found.extra, found.changed, found.duplicated_theirs)
    assert counts == (1, 1, 1, 1)


def test_what_cannot_be_compared_is_named(duck: Any, post: Any) -> None:
    connection, warehouse = post
    duck.execute(
        "create or replace table typed as select 1 as n, {'a': 1} as nested, '{}'::json as j"
    )
    connection.execute("drop table if exists typed")
    connection.execute("create table typed as select 1 as n, 1 as nested, '{}'::jsonb as j")
    ours, theirs = side(MemoryWarehouse(duck), "typed"), side(warehouse, "typed", "public")
    with pytest.raises(ConfigError, match=r"'nested'.*STRUCT\(a INTEGER\) in typed and INTEGER"):
        compare(ours, theirs, None, ["nested"])
    with pytest.raises(ConfigError, match="'j' cannot be compared: it is JSON in typed and JSONB"):
        compare(ours, theirs, None, ["j"])


def test_a_number_that_overflows_is_an_error(duck: Any, post: Any) -> None:
    connection, warehouse = post
    duck.execute("create or replace table typed as select 1 as n, 1::bigint as x")
    connection.execute("drop table if exists typed")
    connection.execute("create table typed as select 1 as n, 1e18::numeric(19, 0) * 9.9 as x")
    connection.execute("alter table typed alter x type numeric(19, 0)")
    ours, theirs = side(MemoryWarehouse(duck), "typed"), side(warehouse, "typed", "public")
    with pytest.raises(ConnectorError, match="out of range"):
        compare(ours, theirs, "stream", ["x"])


TYPES = [
    ("INTEGER", "", "integer", 0),
    ("UHUGEINT", "", "integer", 0),
    ("NUMBER(38,0)", "snowflake", "integer", 0),
    ("NUMBER", "snowflake", "integer", 0),
    ("NUMERIC", "postgres", "decimal", -1),
    ("NUMERIC", "bigquery", "decimal", 9),
    ("BIGNUMERIC", "bigquery", "decimal", 38),
    ("DECIMAL(18,3)", "", "decimal", 3),
    ("numeric(10, 2)", "", "decimal", 2),
    ("DOUBLE PRECISION", "", "float", 0),
    ("FLOAT64", "bigquery", "float", 0),
    ("TIMESTAMP WITH TIME ZONE", "duckdb", "timestamp", 6),
    ("TIMESTAMP_NTZ(9)", "snowflake", "timestamp", 9),
    ("TIMESTAMP_MS", "duckdb", "timestamp", 3),
    ("TIMESTAMP(3) WITHOUT TIME ZONE", "postgres", "timestamp", 3),
    ("DATE", "", "date", 0),
    ("BOOLEAN", "", "boolean", 0),
    ("VARCHAR(20)", "", "text", 0),
    ("JSONB", "postgres", "json", 0),
    ("STRUCT(a INTEGER)", "duckdb", "other", 0),
    ("INTERVAL", "", "other", 0),
]


@pytest.mark.parametrize(("name", "dialect", "kind", "scale"), TYPES)
def test_kinds_of_types(name: str, dialect: str, kind: str, scale: int) -> None:
    found = kind_of(name, dialect)
    assert (found.name, found.scale) == (kind, scale)


def test_common_kinds() -> None:
    def common(one: str, other: str) -> str:
        kind = common_kind(kind_of(one, "duckdb"), kind_of(other, "duckdb"))
        return f"{kind.name} {kind.scale}" if kind else "none"

    assert common("INTEGER", "DECIMAL(9,2)") == "decimal 2"
    assert common("DECIMAL(9,4)", "DECIMAL(9,2)") == "decimal 4"
    assert common("DECIMAL(38,30)", "DECIMAL(38,2)") == "decimal -1"
    assert common("DOUBLE", "DECIMAL(9,2)") == "float 0"
    assert common("DATE", "TIMESTAMP") == "timestamp 6"
    assert common("TIMESTAMP_NS", "TIMESTAMP_MS") == "timestamp 3"
    assert common("VARCHAR", "BIGINT") == "decimal -1"
    assert common("VARCHAR", "JSON") == "none"
    assert common("DATE", "BOOLEAN") == "none"
    assert common("UUID", "VARCHAR") == "uuid 0"
    assert common_kind(None, kind_of("DATE")) == kind_of("DATE")
