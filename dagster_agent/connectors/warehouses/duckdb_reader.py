"""The reading half of `Warehouse` on DuckDB connections, wherever they come from."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dagster_agent.connectors.warehouses.arrow_stream import (
    BATCH_ROWS,
    in_utc,
    paced,
    reader_of,
)
from dagster_agent.connectors.warehouses.duckdb_catalog import read_facts, read_schemas
from dagster_agent.connectors.warehouses.duckdb_errors import translate
from dagster_agent.connectors.warehouses.duckdb_results import arrow_sql, cell_sql, to_cells
from dagster_agent.model import Relation, ResultTable, TableFacts, TableSchema

if TYPE_CHECKING:
    import duckdb

    DuckDBConnection = duckdb.DuckDBPyConnection

T = TypeVar("T")

_GROUP_BITS = 20
"""A million groups with a count and two checksums are 40 MB a thread."""
_FEW_THREADS = 8


def group_bits() -> int:
    """DuckDB's `perfect_ht_threshold`: integers known to lie within so many bits are grouped in an
    array of each thread, which halves what reading and grouping a table costs."""
    return _GROUP_BITS if (os.cpu_count() or 1) <= _FEW_THREADS else _GROUP_BITS - 2


class Connections(Protocol):
    """Where DuckDB connections come from."""

    def opened(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection for one statement."""
        ...

    def separate(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection that nobody else uses meanwhile."""
        ...


class DuckDBReader:
    """Reads through the guard; each statement has a time limit.

    Args:
        connections: Where connections come from.
        name: See `Warehouse.name`.
        catalog: Meant where a relation names none.
        seconds: Time limit of a statement; of a stream, the time spent in DuckDB counts.
        unread: Catalogs of the profile that are not attached, each with its reason.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        name: str,
        catalog: str,
        seconds: float,
        unread: Sequence[str] = (),
    ) -> None:
        self._connections = connections
        self._name = name
        self._catalog = catalog
        self._seconds = seconds
        self._not_attached = tuple(unread)

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect."""
        return "duckdb"

    @property
    def name(self) -> str:
        """`duckdb:<file name>`."""
        return self._name

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:  # noqa: ARG002 - DuckDB has no query tags
        """Run one read-only statement; see `Warehouse.query`."""
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        return self._run(lambda connection: _fetch(connection, statement, max_rows))

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those that exist; see `Warehouse.schemas`. Letter case is ignored."""
        return self._run(lambda c: read_schemas(c, relations, catalog=self._catalog))

    def facts(self, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
        """Row counts as DuckDB estimates them, deleted rows included; see `Warehouse.facts`.

        DuckDB keeps no bytes and no times of change by table.
        """
        return self._run(lambda c: read_facts(c, relations, catalog=self._catalog))

    def bytes_scanned(self, sql: str) -> int | None:
        """None: DuckDB's plan estimates rows and says nothing of bytes."""
        from dagster_agent.sql.guard import read_only

        read_only(sql, self.dialect)
        return None

    @contextlib.contextmanager
    def batches(self, sql: str, *, purpose: str) -> Generator[Any]:  # noqa: ARG002 - DuckDB has no query tags
        """Stream a result; see `Warehouse.batches`.

        Where the file itself is read (no copy), no dbt run can write to it meanwhile.
        """
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        with self._connections.separate() as connection:
            with self._limited(connection, self._seconds):
                # unlike `execute`, which holds all rows before the first is read, this streams
                plain = connection.sql(statement)
                types = [str(type_) for type_ in plain.types]
                wanted = connection.sql(arrow_sql(statement, plain.columns, types))
                reader: Any = wanted.to_arrow_reader(BATCH_ROWS)
            schema = in_utc(reader.schema)
            read = paced(
                reader.read_next_batch,
                seconds=self._seconds,
                limit=lambda seconds: self._limited(connection, seconds),
            )
            yield reader_of(schema, (batch.cast(schema) for batch in read))

    def _run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        with (
            self._connections.opened() as connection,
            self._limited(connection, self._seconds),
        ):
            return work(connection)

    @contextlib.contextmanager
    def _limited(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> Generator[None]:
        with self._translated(), _time_limit(connection, seconds):
            yield

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as problem:
            raise translate(
                problem, name=self._name, seconds=self._seconds, unread=self._not_attached
            ) from problem


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int) -> ResultTable:
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    types = [str(row[1]) for row in described]
    rows = connection.execute(cell_sql(sql, types)).fetchmany(max_rows + 1)
    return ResultTable(
        columns=tuple(str(row[0]) for row in described),
        rows=to_cells(rows[:max_rows], types),
        truncated=len(rows) > max_rows,
    )


@contextlib.contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, seconds: float) -> Generator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
