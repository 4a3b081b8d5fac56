"""The warehouses of the conformance suite: each with the same tables in its own dialect.

A connector joins with one entry in `MAKERS`, and one in `GAPS` for each thing it cannot do.

This file is long because the same tables stand side by side in every dialect.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from dagster_agent.connectors.warehouses import WarehouseConfig, open_warehouse
from dagster_agent.connectors.warehouses.dbt_adapter import DbtAdapterWarehouse
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.ports import Warehouse
from dagster_agent.testing.memory_warehouse import MemoryWarehouse
from tests.snowflake_server import snowflake_server

PATIENT = WarehouseConfig(statement_seconds=60, wait_seconds=1)
HASTY = WarehouseConfig(statement_seconds=0.4, wait_seconds=0.1)

TABLES = """
CREATE TABLE orders (id INTEGER NOT NULL, amount DECIMAL(12, 2), placed {zoned},
                     naive {plain}, day DATE, clock TIME, paid BOOLEAN,
                     note VARCHAR(20) DEFAULT 'none', raw {binary}, ratio {double});
INSERT INTO orders SELECT 1, 12.50, '2026-03-01 10:00:00+02:00', '2026-03-01 10:00:00.123456',
  '2026-03-01', '10:00:00', true, 'first ', {bytes}, 0.5;
INSERT INTO orders SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;
INSERT INTO orders SELECT 2, -3.00, '2026-03-02 00:00:00+00:00', '1969-12-31 23:59:59',
  '1969-12-31', '00:00:00', false, '', NULL, -1e300;
CREATE TABLE floats (id INTEGER, x {double});
INSERT INTO floats VALUES (1, 'NaN'), (2, 'Infinity'), (3, '-Infinity'), (4, '-0.0');
CREATE TABLE nothing (id INTEGER);
CREATE VIEW paid_orders AS SELECT id, amount FROM orders WHERE paid;
CREATE TABLE digits (d INTEGER);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE wide ({wide});
CREATE TABLE scrap (id INTEGER);
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Bad ""Name" ("Ä b" INTEGER, "select" VARCHAR(20));
INSERT INTO "Größe"."Bad ""Name" VALUES (7, 'sévén 𝄞');
"""
PORTABLE = {
    "zoned": "TIMESTAMP WITH TIME ZONE",
    "plain": "TIMESTAMP",
    "double": "DOUBLE PRECISION",
    "columns": "2000",
}


def statements(**words: str) -> list[str]:
    words = PORTABLE | words
    wide = ", ".join(f"c{number} INTEGER" for number in range(int(words["columns"])))
    return [s for s in TABLES.format(**words, wide=wide).split(";\n") if s.strip()]


@dataclass(kw_only=True)
class Made:
    """A warehouse with the tables, and what the suite needs to know of it."""

    warehouse: Warehouse
    database: str
    schema: str
    types: Sequence[str]
    """Of the first four columns of `orders`."""
    wide: int = 2000
    slow: int = 9
    """Digits that are counted through by a statement that takes seconds."""
    upper: bool = False
    """Whether names without quotes become upper case."""
    write: Callable[[str], object]
    """Sends a statement past the guard, through the warehouse's own kind of session."""
    hasty: Callable[[], Warehouse]
    """The same with a time limit of 0.4 s."""
    away: Callable[[], contextlib.AbstractContextManager[Warehouse]]
    """One whose data cannot be reached for now."""
    secrets: Sequence[str] = field(default=())

    def name(self, lower: str) -> str:
        return lower.upper() if self.upper else lower


_DUCKDB_TYPES = ("INTEGER", "DECIMAL(12,2)", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP")
_DUCKDB = {"binary": "BLOB", "bytes": "'ab'::BLOB"}


def _duckdb(directory: Path, open_: Callable[..., Warehouse]) -> Made:
    path = directory / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in statements(**_DUCKDB):
            connection.execute(statement)
    warehouse: Any = open_(path, config=PATIENT)

    def write(sql: str) -> None:
        with warehouse._connections.opened() as connection:
            connection.execute(sql)

    @contextlib.contextmanager
    def away() -> Iterator[Warehouse]:
        held = directory / "held.duckdb"
        with duckdb.connect(str(held)):
            yield open_(held, config=HASTY)

    return Made(
        warehouse=warehouse,
        database="shop",
        schema="main",
        types=_DUCKDB_TYPES,
        write=write,
        hasty=lambda: open_(path, config=HASTY),
        away=away,
    )


@contextlib.contextmanager
def _duckdb_copied(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    def open_(path: Path, config: WarehouseConfig) -> Warehouse:
        return DuckDBWarehouse(path, snapshot_dir=directory / "snapshots", config=config)

    yield _duckdb(directory, open_)


@contextlib.contextmanager
def _duckdb_opened(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    yield _duckdb(directory, lambda path, config: DuckDBWarehouse(path, config=config))


@contextlib.contextmanager
def _memory(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    with duckdb.connect(":memory:") as connection:
        for statement in statements(**_DUCKDB):
            connection.execute(statement)

        @contextlib.contextmanager
        def away() -> Iterator[Warehouse]:
            closed = duckdb.connect(":memory:")
            closed.close()
            yield MemoryWarehouse(closed)

        yield Made(
            warehouse=MemoryWarehouse(connection),
            database="memory",
            schema="main",
            types=_DUCKDB_TYPES,
            write=connection.execute,
            hasty=lambda: MemoryWarehouse(connection, seconds=0.4),
            away=away,
        )


_POSTGRES_TYPES = (
    "INTEGER",
    "NUMERIC(12,2)",
    "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP WITHOUT TIME ZONE",
)


def _postgres_target(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A database with the tables; made once for all that read it."""
    server = request.getfixturevalue("postgres_server")
    target = server.target("warehouse_tables")
    if not getattr(server, "has_warehouse_tables", False):
        server.create("warehouse_tables")
        made = statements(binary="BYTEA", bytes="'ab'::BYTEA", columns="1600")
        with psycopg.connect(server.url("warehouse_tables"), autocommit=True) as connection:
            for statement in made:
                connection.execute(statement)
        server.has_warehouse_tables = True
    return target


def _unreachable(target: dict[str, Any]) -> dict[str, Any]:
    return target | {"host": "127.0.0.1", "port": 1}


@contextlib.contextmanager
def _postgres(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    target = _postgres_target(request)

    def open_(output: dict[str, Any], config: WarehouseConfig) -> Any:
        return open_warehouse(output, base_dir=directory, snapshot_dir=directory, config=config)

    warehouse = open_(target, PATIENT)

    def write(sql: str) -> None:
        with warehouse._translated(), warehouse._sessions.rows() as cursor:
            cursor.execute(sql)

    yield Made(
        warehouse=warehouse,
        database="warehouse_tables",
        schema="public",
        types=_POSTGRES_TYPES,
        wide=1600,
        write=write,
        hasty=lambda: open_(target, HASTY),
        away=lambda: contextlib.nullcontext(open_(_unreachable(target), HASTY)),
        secrets=[target["password"]],
    )


@contextlib.contextmanager
def _snowflake(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from snowflake.connector import connect
    with snowflake_server() as login:
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        keys = ("account", "host", "port", "protocol", "user", "password")
        target = {"type": "snowflake", "database": "shop", "schema": "public"}
        target |= {key: login[key] for key in keys}
        target |= {"connect_timeout": 1, "password": "hunter2-hidden"}  # it takes any
        with connect(**login, database="SHOP", schema="PUBLIC") as connection:
            cursor = connection.cursor()
            for statement in statements(
                zoned="TIMESTAMP_TZ",
                plain="TIMESTAMP_NTZ",
                binary="BINARY",
                bytes="TO_BINARY('6162', 'HEX')",
            ):
                cursor.execute(statement)
            cursor.execute("USE SCHEMA shop.public")
            yield from _snowflake_made(target, directory)


def _snowflake_made(target: dict[str, Any], directory: Path) -> Iterator[Made]:
    def open_(output: dict[str, Any], config: WarehouseConfig) -> Any:
        return open_warehouse(output, base_dir=directory, snapshot_dir=directory, config=config)

    warehouse = open_(target, PATIENT)

    def write(sql: str) -> None:
        with warehouse._translated(), warehouse._cursor("test") as cursor:
            cursor.plain.execute(sql)

    try:
        yield Made(
            warehouse=warehouse,
            database="SHOP",
            schema="PUBLIC",
            types=("NUMBER(38,0)", "NUMBER(12,2)", "TIMESTAMP_TZ", "TIMESTAMP_NTZ"),
            upper=True,
            slow=5,
            write=write,
            hasty=lambda: open_(target, HASTY),
            away=lambda: contextlib.nullcontext(open_(_unreachable(target), HASTY)),
            secrets=[str(target["password"])],
        )
    finally:
        warehouse.close()


@contextlib.contextmanager
def _adapter(target: dict[str, Any], directory: Path, **made: Any) -> Iterator[Made]:
    opened: list[DbtAdapterWarehouse] = []

    def open_(output: dict[str, Any], config: WarehouseConfig) -> DbtAdapterWarehouse:
        opened.append(DbtAdapterWarehouse(output, base_dir=directory, config=config))
        return opened[-1]

    def write(sql: str) -> None:
        with opened[0]._translated(), opened[0]._process() as process:
            process.head(sql, chunk=1, seconds=60)

    try:
        yield Made(
            warehouse=open_(target, PATIENT),
            write=write,
            hasty=lambda: open_(target, HASTY),
            away=lambda: contextlib.nullcontext(open_(_unreachable(target), PATIENT)),
            **made,
        )
    finally:
        for warehouse in opened:
            warehouse.close()


@contextlib.contextmanager
def _dbt_postgres(directory: Path, request: pytest.FixtureRequest) -> Iterator[Made]:
    target = _postgres_target(request)
    words = {"database": "warehouse_tables", "schema": "public", "types": _POSTGRES_TYPES}
    with _adapter(target, directory, **words, wide=1600, secrets=[target["password"]]) as made:
        yield made


Maker = Callable[[Path, pytest.FixtureRequest], contextlib.AbstractContextManager[Made]]
MAKERS: dict[str, Maker] = {
    "duckdb-copied": _duckdb_copied,
    "duckdb-opened": _duckdb_opened,
    "memory": _memory,
    "postgres": _postgres,
    "snowflake": _snowflake,
    "dbt-postgres": _dbt_postgres,
}
