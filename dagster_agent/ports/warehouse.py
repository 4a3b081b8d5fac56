"""`Warehouse`: read-only access to the customer's tables, and scratch copies to try changes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dagster_agent.model import Relation, ResultTable, TableFacts, TableSchema


class Warehouse(Protocol):
    """Read-only access, from any number of threads. No call leaves a transaction or lock behind.

    A relation without a database or schema means the connection's own; letter case is ignored as
    long as that leaves one table. In SQL use the spelling of `TableSchema.relation`: where names
    without quotes are upper case, `"orders"` is another table than `ORDERS`.

    Errors of all methods: `ConnectorError` (unreachable, locked, refused, no such table; says
    which, `retryable` set), `QueryRefused` (the statement is not a single read).
    """

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect, such as `duckdb`."""
        ...

    @property
    def name(self) -> str:
        """What a person calls it, without secrets: `duckdb:shop.duckdb`."""
        ...

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        """Run one read-only statement.

        What is no `Cell` (nested values, intervals, UUIDs, moments that Python cannot hold) arrives
        as the warehouse's own text.

        Args:
            sql: A single SELECT in `dialect`; passes the guard of `dagster_agent.sql`.
            purpose: A few words for logs and query tags.
            max_rows: Rows fetched at the most; the result says when it was cut.
        """
        ...

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those relations that exist, in one statement a database.

        Missing ones are absent. A connector that cannot tell defaults, keys, collations or comments
        leaves them empty.
        """
        ...

    def facts(self, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
        """What the catalogue says of those relations that exist, reading none; as `schemas`."""
        ...

    def batches(self, sql: str, *, purpose: str) -> AbstractContextManager[Any]:
        """Stream a large result as Arrow record batches, in constant memory.

        Yields a `pyarrow.RecordBatchReader` (pyarrow ships no types) with the same kinds of types
        on every warehouse: whole numbers, decimals, doubles, booleans, strings, binaries, dates,
        times, timestamps without a zone or in `UTC`; all else as text. A decimal has the declared
        precision and scale where the driver passes them on, else (38, 18). What does not fit (NaN
        in a decimal, infinity as a date) is an error that names the column, never another value.
        Errors while reading are `ConnectorError`s too. The connection is open, and others may
        query, for as long as the context is.

        Args:
            sql: A single SELECT in `dialect`; passes the guard of `dagster_agent.sql`.
            purpose: A few words for logs and query tags.
        """
        ...

    def bytes_scanned(self, sql: str) -> int | None:
        """What the statement would read, in bytes, by the warehouse's own dry run or plan.

        None where the warehouse cannot tell without running it.
        """
        ...

    def scratch(self, directory: Path) -> Scratch:
        """A writable copy of (or a scratch area beside) the data, for the sandbox.

        Args:
            directory: An existing, private, empty folder; removing it removes the copy where the
                copy is a file.

        Raises:
            ConfigError: This kind of warehouse has no private copy to build in.
        """
        ...


@runtime_checkable
class SharesConnection(Protocol):
    """A warehouse whose statements each open a connection, unless they are told to share one."""

    def together(self) -> AbstractContextManager[None]:
        """Statements of this thread share a connection until the context ends, and so see the same
        data; other threads wait. Not for longer than statements that belong together take."""
        ...


@runtime_checkable
class TellsStamp(Protocol):
    """A warehouse that can tell, without opening anything, whether it is as it was."""

    def stamp(self) -> str:
        """A short text that changes whenever a table may have.

        Raises:
            ConnectorError: What it is told from cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Where a sandbox may build."""

    warehouse: Warehouse
    """Reads the scratch copy."""
    dbt_output: Mapping[str, Any]
    """Keys that replace those of the dbt profile's target, such as `{"path": ...}`."""
