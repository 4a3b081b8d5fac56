"""What is PostgreSQL's own: types, kinds of tables, plans, roles, locks and errors.

This file is long because its tests share one server and one schema.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_agent.connectors.warehouses import WarehouseConfig, open_warehouse
from dagster_agent.connectors.warehouses.postgres_errors import TROUBLES, own_errors
from dagster_agent.connectors.warehouses.postgres_profile import read_target
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Relation

TABLES = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE odd (i INTEGER[], j JSONB, m mood, u UUID, r INT4RANGE, v INTERVAL, ip INET,
                  c CHAR(5), t TIME WITH TIME ZONE, b BIT(3));
INSERT INTO odd VALUES ('{1,2}', '{"a": 1}', 'sad', '6b6d3c1e-0000-4000-8000-000000000001',
                        '[1,5)', '1 month', '10.0.0.1', 'ab', '10:00+02', '101');
CREATE TABLE keyed (a INTEGER, b TEXT COLLATE "C" NOT NULL, c INTEGER GENERATED ALWAYS AS IDENTITY,
                    PRIMARY KEY (b, a));
COMMENT ON TABLE keyed IS 'of keys';
COMMENT ON COLUMN keyed.b IS 'second';
ALTER TABLE keyed DROP COLUMN c;
ALTER TABLE keyed ADD COLUMN d NUMERIC DEFAULT 1.5;
CREATE TABLE filled AS SELECT n AS id, repeat('x', 100) AS t FROM generate_series(1, 1000) AS g(n);
ANALYZE filled;
CREATE TABLE fresh (id INTEGER);
CREATE MATERIALIZED VIEW stored AS SELECT * FROM filled;
CREATE TABLE parted (id INTEGER) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted SELECT n FROM generate_series(0, 14) AS g(n);
ANALYZE parted;
CREATE TABLE without_columns ();
CREATE TABLE hundreds (n NUMERIC(3, -2));
INSERT INTO hundreds VALUES (1200);
CREATE SCHEMA other;
CREATE TABLE other.filled (id INTEGER);
CREATE ROLE reader LOGIN PASSWORD 'hunter2-reader';
GRANT SELECT ON fresh TO reader;
"""


@pytest.fixture(scope="module")
def target(postgres_server: Any) -> dict[str, Any]:
    name = postgres_server.create("warehouse_own")
    with psycopg.connect(postgres_server.url(name), autocommit=True) as connection:
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
    return postgres_server.target(name)


def _open(target: dict[str, Any], **config: Any) -> Any:
    return open_warehouse(
        target, base_dir=Path(), snapshot_dir=Path(), config=WarehouseConfig(**config)
    )


@pytest.fixture(scope="module")
def warehouse(target: dict[str, Any]) -> Any:
    return _open(target, wait_seconds=0.2)


def _stream(warehouse: Any, sql: str) -> Any:
    with warehouse.batches(sql, purpose="test") as reader:
        return reader.read_all()


ODD = (
    *("{1,2}", '{"a": 1}', "sad", "6b6d3c1e-0000-4000-8000-000000000001", "[1,5)", "1 mon"),
    *("10.0.0.1", "ab   ", "10:00:00+02", "101"),
)


def test_what_is_no_cell_arrives_as_the_servers_text(warehouse: Any) -> None:
    assert warehouse.query("SELECT * FROM odd", purpose="test").rows == (ODD,)


def test_what_arrow_has_not_streams_as_the_servers_text(warehouse: Any) -> None:
    (row,) = zip(*(c.to_pylist() for c in _stream(warehouse, "SELECT * FROM odd")), strict=True)
    assert row == (*ODD[:6], "10.0.0.1/32", *ODD[7:])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamp", "-infinity"),
        ("'infinity'::timestamptz", "infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'24:00'::time", "24:00:00"),
        ("'9999-12-31'::date", date(9999, 12, 31)),
        ("'2026-01-01 00:30+01'::timestamptz", datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
    ],
)
def test_moments_beyond_python_arrive_as_text(warehouse: Any, value: str, expected: Any) -> None:
    assert warehouse.query(f"SELECT {value} AS x", purpose="test").scalar() == expected


@pytest.mark.parametrize(
    "value",
    [
        "'infinity'::date",
        "'-infinity'::timestamp",
        "'infinity'::timestamptz",
        "'294276-12-31'::timestamp",
        "'NaN'::numeric",
        "'-Infinity'::numeric",
        "1e20::numeric",
        "-123456789012345678901.5::numeric",
        "1e60::numeric",
        "0.0000000000000000001::numeric",
    ],
)
def test_what_arrow_cannot_hold_is_an_error_that_names_the_column(
    warehouse: Any, value: str
) -> None:
    with pytest.raises(ConnectorError, match="'the value'") as caught:
        _stream(warehouse, f'SELECT {value} AS "the value" UNION ALL SELECT NULL')
    assert "cast" in caught.value.hint
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("12.50::numeric(12,2)", "decimal128(12, 2)", "12.50"),
        ("(SELECT n FROM hundreds)", "decimal128(5, 0)", "1200"),
        ("0.00012::numeric(2,5)", "decimal128(5, 5)", "0.00012"),
        ("1e50::numeric(60,2)", "decimal256(60, 2)", "1" + 50 * "0" + ".00"),
        ("1.5::numeric", "decimal128(38, 18)", "1.500000000000000000"),
        (
            "-12345678901234567890.123456789012345678::numeric",
            "decimal128(38, 18)",
            "-12345678901234567890.123456789012345678",
        ),
    ],
)
def test_decimals_stream_exactly(warehouse: Any, value: str, type_: str, expected: str) -> None:
    table = _stream(warehouse, f"SELECT {value} AS x")
    assert str(table.schema.field("x").type) == type_
    assert table["x"].to_pylist() == [Decimal(expected)]


def test_a_schema_tells_keys_defaults_collations_and_comments(warehouse: Any) -> None:
    keyed = Relation(name="keyed")
    schema = warehouse.schemas([keyed])[keyed]
    assert schema.comment == "of keys"
    found = [
        (c.name, c.position, c.nullable, c.primary_key, c.default, c.collation, c.comment)
        for c in schema.columns
    ]
    assert found == [
        ("a", 1, False, True, None, None, ""),
        ("b", 2, False, True, None, "C", "second"),
        ("d", 3, True, False, "1.5", None, ""),
    ]


def test_every_kind_of_relation_is_seen(warehouse: Any) -> None:
    names = ("stored", "parted", "without_columns", "filled")
    relations = {name: Relation(name=name) for name in names}
    found = warehouse.schemas(list(relations.values()))
    assert {n: (found[r].kind, len(found[r].columns)) for n, r in relations.items()} == {
        "stored": ("view", 2),
        "parted": ("table", 1),
        "without_columns": ("table", 0),
        "filled": ("table", 2),
    }


def test_equal_names_in_two_schemas_are_told_apart(warehouse: Any, target: Any) -> None:
    here, there = Relation(schema="public", name="filled"), Relation(schema="other", name="filled")
    unnamed = Relation(name="filled")
    found = warehouse.schemas([here, there, unnamed])
    assert [len(found[r].columns) for r in (here, there, unnamed)] == [2, 1, 2]
    elsewhere = _open(target | {"search_path": "other, public"})
    assert len(elsewhere.schemas([unnamed])[unnamed].columns) == 1


def test_facts_are_estimates_of_the_last_analyze(warehouse: Any) -> None:
    names = ("filled", "fresh", "parted")
    relations = {name: Relation(name=name) for name in names}
    found = warehouse.facts(list(relations.values()))
    facts = {name: found[relation] for name, relation in relations.items()}
    assert {n: (f.row_count, f.exact, f.last_altered) for n, f in facts.items()} == {
        "filled": (1000, False, None),
        "fresh": (None, False, None),
        "parted": (15, False, None),
    }
    assert facts["filled"].bytes > 100_000
    assert facts["fresh"].bytes == 0
    assert facts["parted"].bytes >= 2 * 8192


def test_a_plan_counts_whole_tables_however_few_rows_pass(warehouse: Any) -> None:
    few = warehouse.bytes_scanned("SELECT id FROM filled WHERE id = 7")
    twice = warehouse.bytes_scanned("SELECT a.id FROM filled AS a JOIN filled AS b ON a.t = b.t")
    assert few > 100_000
    assert twice == 2 * few
    assert warehouse.bytes_scanned("SELECT 1 AS one") == 0


def test_permission_denied_names_the_table(target: Any) -> None:
    allowed = _open(target | {"user": "reader", "password": "hunter2-reader"})
    assert allowed.query("SELECT COUNT(*) AS n FROM fresh", purpose="test").scalar() == 0
    with pytest.raises(ConnectorError, match=r"permission denied.*filled"):
        allowed.query("SELECT id FROM filled", purpose="test")
    assert Relation(name="filled") in allowed.schemas([Relation(name="filled")])
    with pytest.raises(ConnectorError, match=r"permission denied.*filled"):
        _open(target | {"role": "reader"}).query("SELECT id FROM filled", purpose="test")


@pytest.mark.parametrize(
    "wrong",
    [{"user": "nobody"}, {"role": "nobody"}, {"dbname": "nowhere"}, {"host": "no.invalid"}],
)
def test_a_wrong_target_is_told_without_its_password(target: Any, wrong: dict[str, Any]) -> None:
    warehouse = _open(target | wrong)
    sql = "SELECT 1 AS one"
    for read in (lambda: warehouse.query(sql, purpose="test"), lambda: _stream(warehouse, sql)):
        with pytest.raises(ConnectorError, match=r"nobody|nowhere|invalid") as caught:
            read()
        assert caught.value.retryable == ("host" in wrong)
        assert target["password"] not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


@pytest.fixture
def locked(target: Any) -> Iterator[None]:
    with psycopg.connect(
        host=target["host"], user="postgres", dbname=target["dbname"]
    ) as connection:
        connection.execute("LOCK TABLE fresh IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def test_a_table_held_by_another_session_may_be_tried_again(locked: None, warehouse: Any) -> None:
    with pytest.raises(ConnectorError, match="held by another session") as caught:
        warehouse.query("SELECT id FROM fresh", purpose="test")
    assert caught.value.retryable


def test_people_see_who_asks_and_why(target: Any, warehouse: Any) -> None:
    many = "SELECT g.n AS n, repeat('x', 1000) AS t FROM generate_series(1, 50000) AS g(n)"
    asked = "SELECT application_name, query FROM pg_stat_activity WHERE query LIKE %s"
    with (
        warehouse.batches(many, purpose="compare */ orders"),
        psycopg.connect(host=target["host"], user="postgres", dbname=target["dbname"]) as other,
    ):
        seen = other.execute(asked, ["%COPY%compare%"]).fetchall()
    assert seen[0][0] == "dagster_agent"
    assert "/* dagster_agent: compare orders */" in seen[0][1]


def test_many_threads_read_at_once(warehouse: Any) -> None:
    found: list[Any] = []

    def read() -> None:
        found.append(warehouse.query("SELECT COUNT(*) AS n FROM filled", purpose="t").scalar())

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1000] * 8


@pytest.mark.parametrize("keys", [{"host": ""}, {"dbname": None}, {"port": "54x"}])
def test_what_a_target_lacks_is_named(keys: dict[str, Any]) -> None:
    target = {"type": "postgres", "host": "h", "user": "u", "dbname": "d", "port": 5432} | keys
    with pytest.raises(ConfigError, match=next(iter(keys))):
        read_target(target)


def test_dbts_aliases_are_understood() -> None:
    target = read_target({"host": "h", "user": "u", "pass": "p", "database": "d", "port": 0})
    assert target.parameters["password"] == "p"
    assert (target.database, "port" in target.parameters) == ("d", False)
    assert "p" not in repr(target).replace("parameters", "").split("role")[0].split("'")


@pytest.mark.parametrize(
    ("state", "words", "retryable"),
    [
        ("40001", "given up", True),
        ("40P01", "given up", True),
        ("53300", "too little left", True),
        ("57P01", "cannot be reached", True),
        ("57P03", "cannot be reached", True),
        ("08006", "cannot be reached", True),
        ("42501", "permission denied", False),
        ("22012", "division", False),
    ],
)
def test_errors_are_told_by_their_state(state: str, words: str, retryable: bool) -> None:
    assert len(TROUBLES) == len({row.message for row in TROUBLES})
    problem = psycopg.errors.lookup(state)("division by hunter2-x")
    with pytest.raises(ConnectorError, match=words) as caught:  # noqa: SIM117
        with own_errors("postgres:shop", secrets=["hunter2-x"], seconds=1):
            raise problem
    assert caught.value.retryable is retryable
    assert "hunter2" not in str(caught.value)
