"""A DuckDB in memory behind the `Warehouse` port: fast enough for property tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from dagster_agent.errors import ConnectorError
from dagster_agent.model import ColumnSchema, Relation, ResultTable, TableSchema
from dagster_agent.ports import Scratch
from dagster_agent.sql.guard import read_only


class MemoryWarehouse:
    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        self.sent: list[str] = []

    @property
    def dialect(self) -> str:
        return "duckdb"

    @property
    def name(self) -> str:
        return "duckdb:memory"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        self.sent.append(sql)
        try:
            cursor = self.connection.execute(read_only(sql, "duckdb"))
        except duckdb.Error as error:
            raise ConnectorError(str(error)) from error
        rows = cursor.fetchmany(max_rows + 1)
        columns = tuple(d[0] for d in cursor.description or ())
        cut = len(rows) > max_rows
        return ResultTable(columns=columns, rows=tuple(rows[:max_rows]), truncated=cut)

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        found: dict[Relation, TableSchema] = {}
        for relation in relations:
            try:
                rows = self.connection.execute(f"describe {relation.sql()}").fetchall()
            except duckdb.Error:
                continue
            columns = tuple(ColumnSchema(name=row[0], type=row[1]) for row in rows)
            found[relation] = TableSchema(relation=relation, columns=columns)
        return found

    def scratch(self, directory: Path) -> Scratch:
        raise NotImplementedError


@pytest.fixture
def memory() -> Iterator[MemoryWarehouse]:
    warehouse = MemoryWarehouse()
    yield warehouse
    warehouse.connection.close()
