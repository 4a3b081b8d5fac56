"""What every `Warehouse` owes, run on each connector and on its fake.

This file is long because it is the contract of one port, which a new warehouse has to meet
whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConfigError, ConnectorError, QueryRefused
from dagster_agent.model import Relation
from tests.conformance.warehouse_makers import MAKERS, Made

pytestmark = pytest.mark.filterwarnings(
    "ignore:Arrow output on a DB-API result:UserWarning"  # in fakesnow's own server
)

Failed = pytest.fail.Exception
GAPS: dict[tuple[str, str], tuple[type[BaseException], str]] = {
    ("memory", "test_what_passes_the_guard_meets_a_session_that_cannot_write"): (
        Failed,
        "its only connection is the one that the test writes through",
    ),
    ("memory", "test_what_cannot_be_reached_may_be_tried_again"): (
        AssertionError,
        "a closed connection in memory does not come back",
    ),
    ("snowflake", "test_what_passes_the_guard_meets_a_session_that_cannot_write"): (
        Failed,
        "Snowflake has no read-only sessions: the guard and the role's grants are the walls",
    ),
    ("snowflake", "test_nulls_stay_nulls"): (
        AssertionError,
        "fakesnow's server sends a NULL moment as 1970-01-01",
    ),
    ("snowflake", "test_nulls_stream_as_nulls"): (
        AssertionError,
        "fakesnow's server sends a NULL moment as 1970-01-01",
    ),
    ("snowflake", "test_a_statement_that_takes_too_long_is_interrupted"): (
        Failed,
        "fakesnow has no STATEMENT_TIMEOUT_IN_SECONDS",
    ),
    ("snowflake", "test_facts_of_what_is_there"): (
        AssertionError,
        "fakesnow's INFORMATION_SCHEMA.TABLES lists no views",
    ),
    ("dbt-postgres", "test_a_declared_decimal_streams_as_declared"): (
        AssertionError,
        "drivers of dbt adapters do not pass on what is declared: all are decimal(38, 18)",
    ),
}
"""By connector and test: the exception, and why."""


@pytest.fixture(scope="module", params=MAKERS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    with MAKERS[request.param](tmp_path_factory.mktemp(request.param), request) as made:
        yield made


@pytest.fixture(autouse=True)
def _gap(request: pytest.FixtureRequest) -> None:
    found = GAPS.get((request.node.callspec.params["made"], request.node.originalname))
    if found:
        request.applymarker(pytest.mark.xfail(strict=True, raises=found[0], reason=found[1]))


FIRST = (
    1,
    Decimal("12.50"),
    datetime(2026, 3, 1, 8, tzinfo=UTC),
    datetime(2026, 3, 1, 10, 0, 0, 123456),  # noqa: DTZ001 - a naive one is meant
    date(2026, 3, 1),
    time(10),
    True,
    "first ",
    b"ab",
    0.5,
)
LAST = (
    2,
    Decimal("-3.00"),
    datetime(2026, 3, 2, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59),  # noqa: DTZ001 - a naive one is meant
    date(1969, 12, 31),
    time(0),
    False,
    "",
    None,
    -1e300,
)
COLUMNS = ("id", "amount", "placed", "naive", "day", "clock", "paid", "note", "raw", "ratio")
NINES = "FROM digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c CROSS JOIN digits AS d"


def _rows(made: Made, sql: str, **options: Any) -> tuple[tuple[Any, ...], ...]:
    return made.warehouse.query(sql, purpose="test", **options).rows


def _table(made: Made, sql: str) -> Any:
    with made.warehouse.batches(sql, purpose="test") as reader:
        return reader.read_all()


# rows


def test_values_keep_their_types(made: Made) -> None:
    found = made.warehouse.query("SELECT * FROM orders ORDER BY amount DESC", purpose="test")
    assert found.columns == tuple(map(made.name, COLUMNS))
    by_amount = {row[1]: row for row in found.rows}
    for expected in (FIRST, LAST):
        row = by_amount[expected[1]]
        assert row == expected
        assert [type(value) for value in row] == [type(value) for value in expected]
    assert str(by_amount[Decimal("-3.00")][1]) == "-3.00"


def test_moments_are_in_utc(made: Made) -> None:
    ((moment,),) = _rows(made, "SELECT placed FROM orders WHERE id = 1")
    assert moment.tzinfo is UTC


def test_nulls_stay_nulls(made: Made) -> None:
    sql = "SELECT * FROM orders WHERE amount IS NULL"
    assert _rows(made, sql) == ((2, *[None] * 9),)


def test_not_a_number_infinity_and_minus_zero(made: Made) -> None:
    (nan, infinity, below, zero) = (x for (x,) in _rows(made, "SELECT x FROM floats ORDER BY id"))
    assert math.isnan(nan)
    assert (infinity, below) == (math.inf, -math.inf)
    assert (zero, math.copysign(1, zero)) == (0, -1)


def test_says_when_rows_were_cut(made: Made) -> None:
    cut = made.warehouse.query("SELECT d FROM digits", purpose="test", max_rows=9)
    whole = made.warehouse.query("SELECT d FROM digits", purpose="test", max_rows=10)
    assert (len(cut.rows), cut.truncated) == (9, True)
    assert (len(whole.rows), whole.truncated) == (10, False)


def test_order_is_kept_where_rows_are_cut(made: Made) -> None:
    sql = f"SELECT a.d * 1000 + b.d * 100 + c.d * 10 + d.d AS n {NINES} ORDER BY n DESC"
    assert _rows(made, sql, max_rows=3) == ((9999,), (9998,), (9997,))


def test_an_empty_table_is_no_error(made: Made) -> None:
    found = made.warehouse.query("SELECT id FROM nothing", purpose="test")
    assert (found.columns, found.rows, found.truncated) == ((made.name("id"),), (), False)


def test_equal_column_names_are_kept(made: Made) -> None:
    found = made.warehouse.query("SELECT 1 AS a, 2 AS a", purpose="test")
    assert (found.columns, found.rows) == ((made.name("a"),) * 2, ((1, 2),))


def test_quoted_and_reserved_names(made: Made) -> None:
    relation = Relation(schema="Größe", name='Bad "Name')
    sql = f'SELECT "Ä b", "select" FROM {relation.sql()}'
    found = made.warehouse.query(sql, purpose="what's 100 %? */ --")
    assert (found.columns, found.rows) == (("Ä b", "select"), ((7, "sévén 𝄞"),))


def test_percent_signs_and_comments_are_text(made: Made) -> None:
    sql = "SELECT id /* 5 % */, '%s -- ; 100 %' AS t FROM orders WHERE note LIKE 'fir%'"
    assert _rows(made, sql) == ((1, "%s -- ; 100 %"),)


# refusals and errors


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE orders",
        "CREATE TABLE t AS SELECT 1 AS one",
        "INSERT INTO nothing VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT * FROM '/etc/hostname'",
        "COPY orders TO 'out.csv'",
        "SET search_path = 'x'",
    ],
)
def test_only_single_reads_pass(made: Made, sql: str) -> None:
    for call in (lambda: _rows(made, sql), lambda: _table(made, sql)):
        with pytest.raises(QueryRefused):
            call()
    with pytest.raises(QueryRefused):
        made.warehouse.bytes_scanned(sql)


@pytest.mark.parametrize("sql", ["INSERT INTO scrap VALUES (1)", "CREATE TABLE made (id INTEGER)"])
def test_what_passes_the_guard_meets_a_session_that_cannot_write(made: Made, sql: str) -> None:
    with pytest.raises(Exception, match=r"read.only|not SELECT"):
        made.write(sql)


@pytest.mark.parametrize("missing", ["nope", '"Größe".nope', "nowhere.nope"])
def test_a_missing_table_is_named(made: Made, missing: str) -> None:
    sql = f"SELECT 1 AS one FROM {missing}"
    for call in (lambda: _rows(made, sql), lambda: _table(made, sql)):
        with pytest.raises(ConnectorError, match=r"(?i)no such table.*(nope|nowhere)") as caught:
            call()
        assert caught.value.hint
        assert not caught.value.retryable


def test_a_missing_column_is_named(made: Made) -> None:
    for call in (_rows, _table):
        with pytest.raises(ConnectorError, match=r"(?i)no such column.*amuont") as caught:
            call(made, "SELECT amuont FROM orders")
        assert not caught.value.retryable


def test_a_statement_that_takes_too_long_is_interrupted(made: Made) -> None:
    names = [f"t{number}" for number in range(made.slow)]
    sql = (
        f"SELECT COUNT(*) AS n FROM {' CROSS JOIN '.join(f'digits AS {name}' for name in names)}"
        f" WHERE {' + '.join(f'{name}.d' for name in names)} = 1"
    )
    with pytest.raises(ConnectorError, match=r"interrupted after 0\.4 s") as caught:
        made.hasty().query(sql, purpose="test")
    assert "statement_seconds" in caught.value.hint


def test_what_cannot_be_reached_may_be_tried_again(made: Made) -> None:
    with made.away() as away, pytest.raises(ConnectorError) as caught:
        away.query("SELECT 1 AS one", purpose="test")
    assert caught.value.retryable
    assert caught.value.hint
    assert not [secret for secret in made.secrets if secret in str(caught.value)]


def test_names_say_no_secret(made: Made) -> None:
    said = f"{made.warehouse.name} {made.warehouse!r}"
    assert not [secret for secret in made.secrets if secret in said]


# the catalogue


def test_schemas_of_tables_and_views(made: Made) -> None:
    orders, view = Relation(name="orders"), Relation(schema=made.schema, name="paid_orders")
    found = made.warehouse.schemas([orders, view, Relation(name="nope")])
    assert set(found) == {orders, view}
    columns = found[orders].columns
    assert [c.name for c in columns] == list(map(made.name, COLUMNS))
    assert [c.type for c in columns[:4]] == list(made.types)
    assert [(c.nullable, c.position) for c in columns[:3]] == [(False, 1), (True, 2), (True, 3)]
    assert [bool(c.default) for c in columns] == [c.name.lower() == "note" for c in columns]
    assert "'none'" in str(columns[7].default)
    assert (found[orders].kind, found[view].kind) == ("table", "view")
    assert [c.name for c in found[view].columns] == [made.name("id"), made.name("amount")]
    named = Relation(database=made.database, schema=made.schema, name=made.name("orders"))
    assert found[orders].relation == named


def test_schemas_ignore_letter_case_and_know_quoted_names(made: Made) -> None:
    loud = Relation(database=made.database.lower(), schema=made.schema.upper(), name="Orders")
    odd = Relation(schema="Größe", name='Bad "Name')
    found = made.warehouse.schemas([loud, odd])
    assert found[loud].relation.name == made.name("orders")
    assert [c.name for c in found[odd].columns] == ["Ä b", "select"]


def test_a_table_elsewhere_is_absent(made: Made) -> None:
    elsewhere = [
        Relation(database="nowhere", name="orders"),
        Relation(schema="nowhere", name="orders"),
    ]
    assert dict(made.warehouse.schemas(elsewhere)) == {}
    assert dict(made.warehouse.facts(elsewhere)) == {}


def test_a_very_wide_table(made: Made) -> None:
    wide = Relation(name="wide")
    columns = made.warehouse.schemas([wide])[wide].columns
    assert [c.position for c in columns] == list(range(1, made.wide + 1))
    assert [c.name for c in columns[::500]] == [
        made.name(f"c{n}") for n in range(0, made.wide, 500)
    ]
    assert len(made.warehouse.query("SELECT * FROM wide", purpose="test").columns) == made.wide


def test_no_relations_nothing_found(made: Made) -> None:
    assert dict(made.warehouse.schemas([])) == {}
    assert dict(made.warehouse.facts([])) == {}


def test_facts_of_what_is_there(made: Made) -> None:
    digits, view = Relation(name="digits"), Relation(name="paid_orders")
    found = made.warehouse.facts([digits, view, Relation(name="nope")])
    assert set(found) == {digits, view}
    assert found[digits].relation.name == made.name("digits")
    assert found[digits].row_count in ({10} if found[digits].exact else {10, None})
    assert found[digits].bytes is None or found[digits].bytes >= 0
    assert (found[view].row_count, found[view].exact) == (None, False)


def test_an_estimate_of_bytes_or_none(made: Made) -> None:
    estimate = made.warehouse.bytes_scanned("SELECT * FROM digits")
    assert estimate is None or estimate > 0


# streams


def test_a_stream_keeps_its_types(made: Made) -> None:
    table = _table(made, "SELECT * FROM orders ORDER BY amount DESC")
    assert table.column_names == list(map(made.name, COLUMNS))
    amount, placed, naive, day, clock, paid, note, raw, ratio = list(table.schema.types)[1:]
    assert pa.types.is_decimal(amount)
    assert (placed, naive) == (pa.timestamp("us", tz="UTC"), pa.timestamp("us"))
    assert (day, clock, paid) == (pa.date32(), pa.time64("us"), pa.bool_())
    assert (note, raw, ratio) == (pa.string(), pa.binary(), pa.float64())
    rows = {row[1]: row for row in zip(*(c.to_pylist() for c in table.columns), strict=True)}
    assert rows[FIRST[1]] == FIRST
    assert rows[LAST[1]] == LAST


def test_a_declared_decimal_streams_as_declared(made: Made) -> None:
    assert _table(made, "SELECT amount FROM orders").schema.types == [pa.decimal128(12, 2)]


def test_nulls_stream_as_nulls(made: Made) -> None:
    table = _table(made, "SELECT * FROM orders WHERE amount IS NULL")
    assert [column.null_count for column in table.columns[1:]] == [1] * 9


def test_floats_stream_bit_by_bit(made: Made) -> None:
    nan, infinity, below, zero = _table(made, "SELECT x FROM floats ORDER BY id")[0].to_pylist()
    assert math.isnan(nan)
    assert (infinity, below, math.copysign(1, zero)) == (math.inf, -math.inf, -1)


def test_an_empty_stream_has_its_columns(made: Made) -> None:
    table = _table(made, "SELECT id, 'x' AS t FROM nothing")
    assert (table.num_rows, table.column_names) == (0, [made.name("id"), made.name("t")])


def test_a_large_stream_comes_in_parts_and_others_may_ask_meanwhile(made: Made) -> None:
    sql = (
        "SELECT a.d + 10 * b.d + 100 * c.d AS n, REPEAT('text', 50) AS t"
        f" {NINES} CROSS JOIN digits AS e"
    )
    total, parts = 0, 0
    with made.warehouse.batches(sql, purpose="test") as reader:
        for batch in reader:
            if parts == 0:
                assert _rows(made, "SELECT COUNT(*) AS n FROM digits") == ((10,),)
            parts += 1
            total += batch.num_rows
    assert total == 100_000
    assert parts > 1


def test_a_stream_may_be_left_early(made: Made) -> None:
    with made.warehouse.batches(f"SELECT a.d AS n {NINES}", purpose="test") as reader:
        assert reader.read_next_batch().num_rows > 0
    assert _rows(made, "SELECT COUNT(*) AS n FROM digits") == ((10,),)


def test_the_readers_own_trouble_stays_its_own(made: Made) -> None:
    def read() -> None:
        with made.warehouse.batches("SELECT d FROM digits", purpose="test"):
            raise OSError("disk full")

    with pytest.raises(OSError, match=r"^disk full$"):
        read()


# the sandbox


def test_scratch_is_a_writable_copy_or_refused_with_a_reason(made: Made, tmp_path: Path) -> None:
    count = "SELECT COUNT(*) AS n FROM digits"
    if isinstance(made.warehouse, DuckDBWarehouse):
        scratch = made.warehouse.scratch(tmp_path)
        with duckdb.connect(scratch.dbt_output["path"]) as connection:
            connection.execute("DELETE FROM digits")
        assert scratch.warehouse.query(count, purpose="test").scalar() == 0
    else:
        with pytest.raises(ConfigError, match=re.escape(made.warehouse.name)) as caught:
            made.warehouse.scratch(tmp_path)
        assert caught.value.hint
    assert made.warehouse.query(count, purpose="test").scalar() == 10
