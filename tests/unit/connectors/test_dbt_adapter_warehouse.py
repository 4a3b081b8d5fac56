"""What is the dbt adapter's own: which warehouse is chosen, types, its process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dagster_agent.connectors.warehouses import WarehouseConfig, open_warehouse
from dagster_agent.connectors.warehouses import dbt_adapter_catalog as catalog
from dagster_agent.connectors.warehouses.dbt_adapter import DIALECTS, DbtAdapterWarehouse
from dagster_agent.connectors.warehouses.dbt_adapter_client import AdapterError, adapter_installed
from dagster_agent.connectors.warehouses.dbt_adapter_results import stream_schema, to_batch
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Relation


def test_a_connector_of_our_own_comes_first(tmp_path: Path) -> None:
    output = {"type": "duckdb", "path": "x.duckdb"}
    assert isinstance(
        open_warehouse(output, base_dir=tmp_path, snapshot_dir=tmp_path), DuckDBWarehouse
    )


@pytest.mark.parametrize("kind", ["trino", "", "../x"])
def test_a_type_without_either_names_both(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{kind}'.*no connector.*no dbt adapter") as caught:
        open_warehouse({"type": kind}, base_dir=tmp_path, snapshot_dir=tmp_path)
    assert "duckdb, postgres, snowflake" in caught.value.hint


def test_which_adapters_are_installed() -> None:
    assert adapter_installed("postgres")
    assert not adapter_installed("bigquery")
    assert "dbt.adapters.postgres" not in sys.modules


def test_a_dialect_that_the_guard_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'trino'.*guard"):
        DbtAdapterWarehouse({"type": "trino"}, base_dir=tmp_path, config=WarehouseConfig())


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtAdapterWarehouse]:
    folder = tmp_path_factory.mktemp("dbt duckdb")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE t (i INTEGER, n DECIMAL(12, 2), d DATE, l INTEGER[])")
        connection.execute("INSERT INTO t VALUES (1, 1.50, NULL, [1, 2])")
        connection.execute("CREATE VIEW v AS SELECT i FROM t")
    opened = DbtAdapterWarehouse(
        {"type": "duckdb", "path": "shop.duckdb", "schema": "main"},  # starts at base_dir
        base_dir=folder,
        config=WarehouseConfig(),
    )
    yield opened
    opened.close()


def test_the_duckdb_adapter_reads_too(adapter: DbtAdapterWarehouse) -> None:
    found = adapter.query("SELECT * FROM t", purpose="test")
    assert found.rows == ((1, Decimal("1.50"), None, "[1, 2]"),)
    table, view = Relation(name="T"), Relation(name="v")
    schemas = adapter.schemas([table, view, Relation(name="nope")])
    assert [(c.name, c.type) for c in schemas[table].columns] == [
        *(("i", "INTEGER"), ("n", "DECIMAL(12,2)"), ("d", "DATE"), ("l", "INTEGER[]")),
    ]
    assert [schemas[r].kind for r in (table, view)] == ["table", "view"]
    assert schemas[table].relation == Relation(database="shop", schema="main", name="t")
    with adapter.batches("SELECT * FROM t", purpose="test") as reader:
        streamed = reader.read_all()
    assert [str(t) for t in streamed.schema.types] == [
        *("int64", "decimal128(38, 18)", "date32[day]", "string"),
    ]


def test_the_process_refuses_on_its_own(adapter: DbtAdapterWarehouse) -> None:
    with (
        adapter._process() as process,
        pytest.raises(AdapterError, match="not SELECT"),
    ):
        process.head("DELETE FROM t", chunk=1, seconds=60)
    assert adapter.query("SELECT COUNT(*) AS n FROM t", purpose="test").scalar() == 1


def test_nothing_of_dbt_is_loaded_here(adapter: DbtAdapterWarehouse) -> None:
    before = set(sys.modules)
    adapter.query("SELECT 1 AS one", purpose="test")
    loaded = set(sys.modules) - before
    assert not [name for name in loaded if name.startswith("dbt.adapters.duckdb")]


def test_a_process_that_died_is_replaced(adapter: DbtAdapterWarehouse) -> None:
    with adapter._process() as process:
        process._process.kill()
        process._process.wait()
        with pytest.raises(ConnectorError, match="has ended") as caught:
            process.head("SELECT 1 AS one", chunk=1, seconds=60)
    assert caught.value.retryable
    assert adapter.query("SELECT 1 AS one", purpose="test").scalar() == 1


# without a process

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_types_come_from_the_first_values_or_the_adapters_names() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    types = ["", "NUMBER", "timestamp with time zone", "INTEGER[]", "VARCHAR", "boolean"]
    first = [(None, None, None, None, None, None), (True, None, None, None, None, None)]
    schema = stream_schema(names, types, first)
    assert [str(t) for t in schema.types] == [
        *("bool", "decimal128(38, 18)", "timestamp[us, tz=UTC]", "int64", "string", "bool"),
    ]
    batch = to_batch([(None, Decimal("1.5"), NOON, 1, 7, None)], schema, "x:y")
    assert batch.to_pylist()[0] | {"c": None} == {
        **dict.fromkeys("acf"), "b": Decimal("1.5"), "d": 1, "e": "7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (1, 2**63),
        (1, "text"),
        (1, 1.5),
        (1.5, 1),
        (1, True),
        (date(2026, 1, 1), NOON),
        (Decimal(1), Decimal("1e-19")),
        (Decimal(1), Decimal("NaN")),
        (Decimal(1), Decimal("1e20")),
        (date(2026, 1, 1), "text"),
        (NOON, NOON.replace(tzinfo=None)),
    ],
)
def test_a_value_that_does_not_fit_names_the_column(first: Any, later: Any) -> None:
    schema = stream_schema(["the value"], [""], [(first,)])
    with pytest.raises(ConnectorError, match="x:y: a value of 'the value'"):
        to_batch([(first,), (later,)], schema, "x:y")


def test_an_empty_result_is_an_empty_batch() -> None:
    schema = stream_schema(["a", "b"], ["INTEGER", ""], [])
    assert schema.types == [pa.int64(), pa.string()]
    assert to_batch([], schema, "x").num_rows == 0


RELATIONS = [
    Relation(database="db", schema="one", name="T"),
    Relation(database="db", schema="two", name="it's"),
]


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS.values()) - {"spark"}))
def test_the_catalogues_statements_pass_the_guard(dialect: str) -> None:
    from dagster_agent.sql.guard import read_only

    statements = [*catalog.columns_sql(RELATIONS, dialect), *catalog.tables_sql(RELATIONS, dialect)]
    assert len(statements) == (4 if dialect == "bigquery" else 2)
    for statement in statements:
        assert read_only(statement, dialect)


def test_spark_has_no_information_schema() -> None:
    with pytest.raises(ConfigError, match="Unity"):
        list(catalog.columns_sql(RELATIONS, "spark"))
