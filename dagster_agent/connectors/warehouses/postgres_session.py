"""Sessions on a PostgreSQL server that can only read, in either driver."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from dagster_agent.connectors.warehouses.postgres_profile import PostgresTarget
from dagster_agent.connectors.warehouses.postgres_results import adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSessions:
    """Opens one connection for one statement.

    Everything happens in one transaction that is read-only from its first statement on: unlike a
    session's default, that cannot be switched off by what runs inside. All settings are local to
    it, so that a pooler between us and the server hands nothing on to others.
    """

    target: PostgresTarget
    """Where, and as whom."""
    statement_seconds: float
    """A statement that runs longer is cancelled; a stream's reader counts with it."""
    lock_seconds: float
    """How long a statement waits for a table that another session holds."""

    @contextlib.contextmanager
    def rows(self) -> Generator[Any]:
        """A cursor of psycopg.

        Raises:
            psycopg.Error: The server cannot be reached or refuses.
        """
        import psycopg

        parameters: dict[str, Any] = dict(self.target.parameters)
        with contextlib.closing(
            psycopg.connect(**parameters, context=adapters(), prepare_threshold=None)
        ) as connection:
            cursor = connection.cursor()
            self._prepare(cursor)
            yield cursor

    @contextlib.contextmanager
    def arrow(self) -> Generator[Any]:
        """A cursor of ADBC.

        Raises:
            adbc_driver_manager.Error: The server cannot be reached or refuses.
        """
        from psycopg.conninfo import make_conninfo

        text = make_conninfo(**self.target.parameters)
        adbc: Any = importlib.import_module("adbc_driver_postgresql.dbapi")  # ships few types
        connection: Any = adbc.connect(text)
        with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
            self._prepare(cursor)
            yield cursor

    def _prepare(self, cursor: Any) -> None:
        statement_ms = int(self.statement_seconds * 1000)
        lock_ms = int(self.lock_seconds * 1000)
        role, path = self.target.role or "none", self.target.search_path
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(
            f"SELECT set_config('statement_timeout', {_literal(statement_ms)}, true),"
            f" set_config('lock_timeout', {_literal(lock_ms)}, true),"
            " set_config('search_path',"
            f" COALESCE(NULLIF({_literal(path)}, ''), current_setting('search_path')), true),"
            f" set_config('role', {_literal(role)}, true)"
        )
        cursor.fetchall()


def _literal(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "''")
    return f"E'{text}'"
