"""What every `Warehouse` owes, run on each connector.

A connector joins with one entry in `MAKERS`: a function that loads `TABLES` and opens itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConnectorError, QueryRefused
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse

TABLES = """
CREATE TABLE orders (id INTEGER NOT NULL, amount DECIMAL(12, 2), placed TIMESTAMP WITH TIME ZONE,
                     day DATE, clock TIME, paid BOOLEAN, note VARCHAR, raw BLOB, ratio DOUBLE);
INSERT INTO orders VALUES
  (1, 12.50, '2026-03-01 10:00:00+02', '2026-03-01', '10:00', true, 'first', 'ab'::BLOB, 0.5),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, -3.00, '2026-03-02 00:00:00+00', '2026-03-02', '00:00', false, '', ''::BLOB, 'inf');
CREATE TABLE nested AS SELECT [1, 2] AS list, {'a': 'x'} AS struct, MAP {'k': 1} AS map,
  '6b6d3c1e-0000-4000-8000-000000000001'::UUID AS uuid, INTERVAL 1 MONTH AS span;
CREATE TABLE empty (id INTEGER);
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Bad ""Name" ("Ä b" INTEGER, "select" VARCHAR);
INSERT INTO "Größe"."Bad ""Name" VALUES (7, 'seven');
CREATE VIEW paid_orders AS SELECT id, amount FROM orders WHERE paid;
CREATE TABLE gone (id INTEGER);
CREATE VIEW broken AS SELECT id FROM gone;
DROP TABLE gone;
"""


def _duckdb_file(directory: Path) -> Path:
    path = directory / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
    return path


def _duckdb_copied(directory: Path) -> Warehouse:
    return DuckDBWarehouse(
        _duckdb_file(directory), snapshot_dir=directory / "snapshots", wait_seconds=1
    )


def _duckdb_opened(directory: Path) -> Warehouse:
    return DuckDBWarehouse(_duckdb_file(directory), wait_seconds=1)


MAKERS: dict[str, Callable[[Path], Warehouse]] = {
    "duckdb-copied": _duckdb_copied,
    "duckdb-opened": _duckdb_opened,
}


@pytest.fixture(scope="module", params=MAKERS)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param))


def test_values_keep_their_types(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT * FROM orders WHERE note = 'first'", purpose="test")
    assert found.columns == (
        "id", "amount", "placed", "day", "clock", "paid", "note", "raw", "ratio",
    )  # fmt: skip
    assert found.rows == (
        (
            1,
            Decimal("12.50"),
            datetime(2026, 3, 1, 8, tzinfo=UTC),
            date(2026, 3, 1),
            time(10),
            True,
            "first",
            b"ab",
            0.5,
        ),
    )
    assert isinstance(found.rows[0][2], datetime)
    assert found.rows[0][2].tzinfo is UTC


def test_nulls_stay_nulls(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT * FROM orders WHERE amount IS NULL", purpose="test")
    assert found.rows == ((2, *[None] * 8),)


def test_nested_values_arrive_as_text(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT * FROM nested", purpose="test")
    assert found.columns == ("list", "struct", "map", "uuid", "span")
    assert found.rows == (
        ("[1, 2]", "{'a': x}", "{k=1}", "6b6d3c1e-0000-4000-8000-000000000001", "1 month"),
    )


def test_order_survives_the_wrapping_of_nested_values(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT id, [id] AS l FROM orders ORDER BY id DESC", purpose="test")
    assert found.rows == ((2, "[2]"), (2, "[2]"), (1, "[1]"))


def test_equal_column_names_are_kept(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT 1 AS a, 2 AS a, [3] AS a", purpose="test")
    assert (found.columns, found.rows) == (("a", "a", "a"), ((1, 2, "[3]"),))


def test_says_when_rows_were_cut(warehouse: Warehouse) -> None:
    cut = warehouse.query("SELECT id FROM orders", purpose="test", max_rows=2)
    whole = warehouse.query("SELECT id FROM orders", purpose="test", max_rows=3)
    assert (len(cut.rows), cut.truncated) == (2, True)
    assert (len(whole.rows), whole.truncated) == (3, False)


def test_an_empty_table_is_no_error(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT id FROM empty", purpose="test")
    assert (found.columns, found.rows, found.truncated) == (("id",), (), False)


def test_quoted_names(warehouse: Warehouse) -> None:
    relation = Relation(schema="Größe", name='Bad "Name')
    sql = f'SELECT "Ä b", "select" FROM {relation.sql()}'
    assert warehouse.query(sql, purpose="test").rows == ((7, "seven"),)


@pytest.mark.parametrize("missing", ["nope", "shop.main.nope", '"Größe".nope', "db.main.orders"])
def test_a_missing_table_is_named(warehouse: Warehouse, missing: str) -> None:
    with pytest.raises(ConnectorError, match=r"no such table.*(nope|db\.main)") as caught:
        warehouse.query(f"SELECT 1 AS one FROM {missing}", purpose="test")
    assert caught.value.hint
    assert not caught.value.retryable


def test_a_missing_column_is_named_with_its_neighbours(warehouse: Warehouse) -> None:
    with pytest.raises(ConnectorError, match=r'no such column.*"amuont".*"amount"'):
        warehouse.query("SELECT amuont FROM orders", purpose="test")


def test_a_broken_view_is_an_error_not_a_crash(warehouse: Warehouse) -> None:
    with pytest.raises(ConnectorError, match="gone"):
        warehouse.query("SELECT * FROM broken", purpose="test")


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE orders",
        "CREATE TABLE t AS SELECT 1 AS one",
        "INSERT INTO empty VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "COPY orders TO 'out.csv'",
        "ATTACH 'other.duckdb'",
        "SET memory_limit = '1GB'",
    ],
)
def test_only_single_reads_pass(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(QueryRefused):
        warehouse.query(sql, purpose="test")
    assert warehouse.query("SELECT count(*) AS n FROM orders", purpose="test").scalar() == 3


def test_schemas_of_tables_and_views(warehouse: Warehouse) -> None:
    orders, view = Relation(name="orders"), Relation(name="paid_orders")
    found = warehouse.schemas([orders, view, Relation(name="nope")])
    assert set(found) == {orders, view}
    assert [(c.name, c.type, c.nullable, c.position) for c in found[orders].columns[:3]] == [
        ("id", "INTEGER", False, 1),
        ("amount", "DECIMAL(12,2)", True, 2),
        ("placed", "TIMESTAMP WITH TIME ZONE", True, 3),
    ]
    assert (found[orders].kind, found[view].kind) == ("table", "view")
    assert [c.name for c in found[view].columns] == ["id", "amount"]
    assert found[orders].relation == Relation(database="shop", schema="main", name="orders")


def test_schemas_ignore_letter_case_and_know_quoted_names(warehouse: Warehouse) -> None:
    loud, odd = Relation(schema="MAIN", name="ORDERS"), Relation(schema="Größe", name='Bad "Name')
    found = warehouse.schemas([loud, odd])
    assert found[loud].relation.name == "orders"
    assert [c.name for c in found[odd].columns] == ["Ä b", "select"]


def test_schemas_of_a_broken_view_do_not_raise(warehouse: Warehouse) -> None:
    broken, orders = Relation(name="broken"), Relation(name="orders")
    assert orders in warehouse.schemas([broken, orders])


def test_no_relations_no_schemas(warehouse: Warehouse) -> None:
    assert dict(warehouse.schemas([])) == {}


def test_name_and_dialect_say_no_path(warehouse: Warehouse) -> None:
    assert (warehouse.name, warehouse.dialect) == ("duckdb:shop.duckdb", "duckdb")


def test_scratch_is_a_copy_that_can_be_written_to(warehouse: Warehouse, tmp_path: Path) -> None:
    scratch = warehouse.scratch(tmp_path)
    with duckdb.connect(scratch.dbt_output["path"]) as connection:
        connection.execute("DELETE FROM shop.main.orders")
    count = "SELECT count(*) AS n FROM shop.main.orders"
    assert scratch.warehouse.query(count, purpose="test").scalar() == 0
    assert warehouse.query(count, purpose="test").scalar() == 3
