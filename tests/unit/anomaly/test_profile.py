"""One statement, right numbers, no text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.anomaly.profile import metric_points, profile_table
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Relation, ResultTable, TableProfile

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class _Counted(DuckDBWarehouse):
    """Remembers the statements."""

    statements: tuple[str, ...] = ()

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        self.statements += (sql,)
        return super().query(sql, purpose=purpose, max_rows=max_rows)


def _profile(directory: Path, sql: str, name: str = "t") -> tuple[TableProfile, _Counted]:
    with duckdb.connect(str(directory / "shop.duckdb")) as connection:
        connection.execute(sql)
    warehouse = _Counted(directory / "shop.duckdb")
    relation = Relation(name=name)
    schema = warehouse.schemas([relation])[relation]
    return profile_table(schema.relation, schema, warehouse, NOW), warehouse


def test_numbers_of_every_kind_of_column(tmp_path: Path) -> None:
    profile, warehouse = _profile(
        tmp_path,
        """CREATE TABLE t (id INTEGER, amount DECIMAL(10, 2), ratio DOUBLE, note VARCHAR,
                           day DATE, paid BOOLEAN, list INTEGER[], ssn BIGINT, span INTERVAL);
           INSERT INTO t VALUES
             (1, 1.50, 0.5, 'secret', '2026-01-01', true, [1], 123, INTERVAL 1 DAY),
             (2, NULL, 'inf', NULL, NULL, NULL, NULL, 456, NULL),
             (3, 2.50, 0.5, 'secret', '2026-01-01', false, [1], NULL, NULL)""",
    )
    assert len(warehouse.statements) == 1
    assert profile.row_count == 3
    found = {c.name: c for c in profile.columns}
    amount = found["amount"]
    assert (amount.null_count, amount.minimum, amount.maximum) == (1, 1.5, 2.5)
    assert (amount.sum, amount.mean, amount.distinct_estimate) == (4.0, 2.0, 2)
    assert (found["ratio"].sum, found["ratio"].maximum, found["ratio"].minimum) == (None, None, 0.5)
    assert (found["note"].null_count, found["note"].minimum, found["note"].sum) == (1, None, None)
    assert (found["ssn"].minimum, found["ssn"].maximum, found["ssn"].null_count) == (None, None, 1)
    assert found["day"].distinct_estimate == 1
    assert found["span"].sum is None
    assert "secret" not in repr(profile)


def test_an_empty_table(tmp_path: Path) -> None:
    profile, _ = _profile(tmp_path, "CREATE TABLE t (id INTEGER, note VARCHAR)")
    assert profile.row_count == 0
    assert dict(profile.metrics()) == {"row_count": 0.0}
    assert (profile.columns[0].mean, profile.columns[0].sum) == (None, None)


def test_odd_names(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        'CREATE TABLE "Größe ""x""" AS SELECT 1 AS "a ""b""", 2 AS "select", 3 AS "ä.ö"',
        name='Größe "x"',
    )
    assert [(c.name, c.sum) for c in profile.columns] == [
        ('a "b"', 1.0),
        ("select", 2.0),
        ("ä.ö", 3.0),
    ]


def test_a_wide_table_is_one_statement(tmp_path: Path) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(300))
    profile, warehouse = _profile(tmp_path, f"CREATE TABLE t AS SELECT {columns}")
    assert (len(profile.columns), len(warehouse.statements)) == (300, 1)
    assert profile.columns[299].sum == 299.0


def test_a_vanished_table_is_named(tmp_path: Path) -> None:
    _, warehouse = _profile(tmp_path, "CREATE TABLE t AS SELECT 1 AS id")
    relation = Relation(name="t")
    schema = warehouse.schemas([relation])[relation]
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("DROP TABLE t")
    with pytest.raises(ConnectorError, match="no such table"):
        profile_table(relation, schema, warehouse, NOW)


def test_points_to_keep(tmp_path: Path) -> None:
    profile, _ = _profile(tmp_path, "CREATE TABLE t AS SELECT 1.5 AS amount, NULL::INTEGER AS n")
    assert [(p.metric, p.value, p.at) for p in metric_points("m", profile)] == [
        ("null_share.amount", 0.0, NOW),
        ("null_share.n", 1.0, NOW),
        ("row_count", 1.0, NOW),
        ("sum.amount", 1.5, NOW),
    ]
