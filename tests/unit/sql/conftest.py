"""A DuckDB in memory behind the `Warehouse` port: fast enough for property tests."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dagster_agent.testing.memory_warehouse import MemoryWarehouse


@pytest.fixture
def memory() -> Iterator[MemoryWarehouse]:
    with duckdb.connect(":memory:") as connection:
        yield MemoryWarehouse(connection)
