"""A private DuckDB file in which rows of several stores are brought together."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBReader
from dagster_agent.connectors.warehouses.no_scratch import no_scratch
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.ports import Scratch, Warehouse

if TYPE_CHECKING:
    import duckdb

_SECONDS = 3_600.0
"""Time limit of one statement on landed rows."""


@contextlib.contextmanager
def landed_tables(folder: Path | None = None) -> Generator[LandedFile]:
    """A private, empty DuckDB file; it is gone when the context ends.

    Args:
        folder: Where it is made; the system's temporary folder by default.

    Raises:
        ConfigError: The package duckdb is not installed.
    """
    if importlib.util.find_spec("duckdb") is None:
        raise ConfigError(
            "rows of two stores are compared in a DuckDB file, but duckdb is not installed",
            hint="pip install 'dagster-agent[duckdb]'",
        )
    import duckdb

    # mkdtemp's folders are readable by their owner only
    with tempfile.TemporaryDirectory(prefix="rows-", dir=folder) as private:
        path = Path(private)
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(path / "spill"),
        }
        with duckdb.connect(str(path / "landed.duckdb"), config=config) as connection:
            yield LandedFile(connection)


class LandedFile:
    """Tables that were brought together so far.

    Args:
        connection: To the private file; whoever opened it closes it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._reader = LandedReader(
            _Cursors(connection), name="duckdb:landed rows", catalog="landed", seconds=_SECONDS
        )

    @property
    def warehouse(self) -> LandedReader:
        """Reads the landed tables, by their bare names."""
        return self._reader

    def land(self, name: str, warehouse: Warehouse, sql: str, *, purpose: str) -> tuple[int, int]:
        """Stream a result into a table, which is made or added to, in constant memory.

        Args:
            name: Of the table.
            warehouse: Where the rows come from.
            sql: A single SELECT in its dialect.
            purpose: A few words for logs and query tags.

        Returns:
            Rows and bytes (of Arrow memory) that came.

        Raises:
            ConnectorError: As `Warehouse.batches`.
        """
        import duckdb

        with warehouse.batches(sql, purpose=purpose) as reader:
            incoming = _Counted(reader)
            with contextlib.closing(_quiet(self._connection)) as cursor:
                cursor.register("incoming_shape", reader.schema.empty_table())
                cursor.register("incoming_rows", incoming.reader())
                try:
                    table = _quoted(name)
                    cursor.execute(f"create table if not exists {table} as from incoming_shape")
                    cursor.execute(f"insert into {table} from incoming_rows")
                except duckdb.Error:
                    # what the store said says more than DuckDB's words about it
                    if incoming.problem is not None:
                        raise incoming.problem from None
                    raise
                finally:
                    cursor.unregister("incoming_rows")
                    cursor.unregister("incoming_shape")
        return incoming.rows, incoming.bytes


class LandedReader(DuckDBReader):
    """Reads landed tables; no place for dbt to build in."""

    def scratch(self, directory: Path) -> Scratch:  # noqa: ARG002 - the port's signature
        """See `Warehouse.scratch`.

        Raises:
            ConfigError: Always.
        """
        raise no_scratch(self.name)


class _Cursors:
    """Connections to the landed file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def opened(self) -> Generator[duckdb.DuckDBPyConnection]:
        with contextlib.closing(_quiet(self._connection)) as cursor:
            yield cursor

    separate = opened


class _Counted:
    """Counts the batches of a reader as they pass."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.rows = 0
        """Seen so far."""
        self.bytes = 0
        """Of Arrow memory, seen so far."""
        self.problem: DagsterAgentError | None = None
        """Why reading stopped."""

    def reader(self) -> Any:
        """The same batches, once. pyarrow ships no types."""
        from dagster_agent.connectors.warehouses.arrow_stream import reader_of

        return reader_of(self._reader.schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        try:
            for batch in self._reader:
                self.rows += batch.num_rows
                self.bytes += batch.nbytes
                yield batch
        except DagsterAgentError as problem:
            self.problem = problem
            raise


def _quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A cursor of its own that draws no progress bar, which each cursor has to be told."""
    cursor = connection.cursor()
    cursor.execute("set enable_progress_bar = false")
    return cursor


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
