"""`MemoryWarehouse`: a DuckDB in memory behind the `Warehouse` port, fast enough for many tests."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBReader
from dagster_agent.errors import ConfigError
from dagster_agent.model import ResultTable
from dagster_agent.ports import Scratch

if TYPE_CHECKING:
    from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBConnection


class MemoryWarehouse(DuckDBReader):
    """Reads what the test writes through the same connection; the guard and the limits are real.

    Args:
        connection: In memory, and the test's own: it makes the tables there and closes it.
        catalog: Meant where a relation names none; the connection's present one.
        seconds: Time limit of a statement.
    """

    def __init__(
        self,
        connection: DuckDBConnection,
        *,
        catalog: str = "memory",
        seconds: float = 60.0,
    ) -> None:
        super().__init__(
            _One(connection, catalog), name=f"duckdb:{catalog}", catalog=catalog, seconds=seconds
        )
        self.connection = connection
        """The test's own."""
        self.sent: list[str] = []
        """Every statement of `query` and `batches`, as it was given."""

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        """Run one read-only statement; see `Warehouse.query`."""
        self.sent.append(sql)
        return super().query(sql, purpose=purpose, max_rows=max_rows)

    @contextlib.contextmanager
    def batches(self, sql: str, *, purpose: str) -> Generator[Any]:
        """Stream a result; see `Warehouse.batches`."""
        self.sent.append(sql)
        with super().batches(sql, purpose=purpose) as reader:
            yield reader

    def scratch(self, directory: Path) -> Scratch:  # noqa: ARG002 - the port's signature
        """See `Warehouse.scratch`.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            f"{self.name} is in memory, so that dbt cannot build in a copy of it",
            hint="use DuckDBWarehouse on a file where a test needs a sandbox",
        )


class _One:
    """The same connection for all statements, others of the same database for streams."""

    def __init__(self, connection: DuckDBConnection, catalog: str) -> None:
        self._connection = connection
        self._catalog = catalog

    @contextlib.contextmanager
    def opened(self) -> Generator[DuckDBConnection]:
        yield self._connection

    @contextlib.contextmanager
    def separate(self) -> Generator[DuckDBConnection]:
        with contextlib.closing(self._connection.cursor()) as connection:
            connection.sql(f'USE "{self._catalog}"')
            yield connection
