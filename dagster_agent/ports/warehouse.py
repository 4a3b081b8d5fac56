"""`Warehouse`: read-only access to the customer's tables, and scratch copies to try changes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dagster_agent.model import Relation, ResultTable, TableSchema


class Warehouse(Protocol):
    """Read-only access. Every call opens and closes its own connection.

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

        Args:
            sql: A single SELECT in `dialect`; passes the guard of `dagster_agent.sql`.
            purpose: A few words for logs and query tags.
            max_rows: Rows fetched at the most; the result says when it was cut.
        """
        ...

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those relations that exist, in one statement. Missing ones are absent."""
        ...

    def scratch(self, directory: Path) -> Scratch:
        """A writable copy of (or a scratch area beside) the data, for the sandbox.

        Args:
            directory: An existing, private, empty folder; removing it removes the copy where the
                copy is a file.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Where a sandbox may build."""

    warehouse: Warehouse
    """Reads the scratch copy."""
    dbt_output: Mapping[str, Any]
    """Keys that replace those of the dbt profile's target, such as `{"path": ...}`."""
