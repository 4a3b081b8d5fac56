"""PostgreSQL: rows through psycopg, streams through ADBC."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_agent.connectors.warehouses import postgres_catalog as catalog
from dagster_agent.connectors.warehouses.arrow_stream import reader_of
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
from dagster_agent.connectors.warehouses.no_scratch import no_scratch
from dagster_agent.connectors.warehouses.postgres_errors import own_errors
from dagster_agent.connectors.warehouses.postgres_plan import bytes_of_rows, whole_tables
from dagster_agent.connectors.warehouses.postgres_profile import PostgresTarget, read_target
from dagster_agent.connectors.warehouses.postgres_results import (
    arrow_sql,
    canonical_batch,
    canonical_schema,
    to_cell,
)
from dagster_agent.connectors.warehouses.postgres_session import PostgresSessions
from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation, ResultTable, TableFacts, TableSchema
from dagster_agent.ports import Scratch, Warehouse

_SIZES = """
SELECT sum(pg_table_size(format('%%I.%%I', scan.schema, scan.name)::regclass))::bigint
FROM unnest(%s::text[], %s::text[]) AS scan(schema, name)
"""


class PostgresWarehouse:
    """Reads one database; each statement has a connection and a read-only transaction of its own.

    Args:
        target: Where, and as whom.
        config: Waiting times and limits.
    """

    def __init__(self, target: PostgresTarget, *, config: WarehouseConfig | None = None) -> None:
        config = config or WarehouseConfig()
        self._target = target
        self._seconds = config.statement_seconds
        self._sessions = PostgresSessions(
            target=target,
            statement_seconds=config.statement_seconds,
            lock_seconds=config.wait_seconds,
        )

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect."""
        return "postgres"

    @property
    def name(self) -> str:
        """`postgres:<database>`."""
        return f"postgres:{self._target.database}"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        """Run one read-only statement; see `Warehouse.query`.

        What is no `Cell` (arrays, ranges, intervals, JSON, money) arrives as the server's text, and
        so do moments that Python cannot hold, such as `infinity`.
        """
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        with self._translated(), self._sessions.rows() as cursor:
            return _fetched(cursor, statement, _tag(purpose), max_rows)

    @contextlib.contextmanager
    def batches(self, sql: str, *, purpose: str) -> Generator[Any]:
        """Stream a result; see `Warehouse.batches`.

        `numeric(p, s)` streams as decimal(p, s), without a declared scale as decimal(38, 18); what
        does not fit, NaN and infinity are errors that name the column. The server's time limit
        covers the whole stream, the reader's own time included.
        """
        if importlib.util.find_spec("adbc_driver_postgresql") is None:
            raise ConfigError(
                "streaming from PostgreSQL needs the package adbc-driver-postgresql",
                hint="pip install 'dagster-agent[postgres]'",
            )
        with contextlib.ExitStack() as stack:
            with self._translated():
                cursor = stack.enter_context(self._sessions.arrow())
                stream = _Stream(name=self.name, cursor=cursor, translated=self._translated)
                reader = stream.query(sql, purpose=purpose)
            yield reader

    def bytes_scanned(self, sql: str) -> int | None:
        """By the server's plan: whole tables for sequential scans, else rows times their width."""
        with self._translated(), self._sessions.rows() as cursor:
            return _Plan(cursor=cursor).query(sql)

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those that exist; see `Warehouse.schemas`. Other databases are absent."""
        if not relations:
            return {}
        with self._translated(), self._sessions.rows() as cursor:
            return catalog.read_schemas(cursor, relations)

    def facts(self, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
        """Rows as of the last ANALYZE, bytes with indexes; see `Warehouse.facts`.

        PostgreSQL keeps no time of the last change (`track_commit_timestamp` would need a scan).
        """
        if not relations:
            return {}
        with self._translated(), self._sessions.rows() as cursor:
            return catalog.read_facts(cursor, relations)

    def scratch(self, directory: Path) -> Scratch:  # noqa: ARG002 - the port's signature
        """See `Warehouse.scratch`.

        Raises:
            ConfigError: Always: a copy of a database needs that nobody else uses it meanwhile.
        """
        raise no_scratch(self.name)

    def _translated(self) -> AbstractContextManager[None]:
        return own_errors(
            self.name,
            secrets=self._target.secrets,
            seconds=self._seconds,
            sessions=self._sessions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """One result in Arrow, on an ADBC cursor."""

    name: str
    cursor: Any
    translated: Callable[[], AbstractContextManager[None]]

    def query(self, sql: str, *, purpose: str) -> Any:
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, "postgres")
        return _streamed(self, statement, _tag(purpose))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What reading would cost, on a cursor of psycopg."""

    cursor: Any

    def query(self, sql: str) -> int:
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, "postgres")
        return _planned_bytes(self.cursor, statement)


def _fetched(cursor: Any, statement: str, tag: str, max_rows: int) -> ResultTable:
    # a cursor on the server would fetch as few rows, but is never planned in parallel
    limited = f"{tag}SELECT * FROM (\n{statement}\n) AS result LIMIT {max_rows + 1}"
    rows = cursor.execute(limited).fetchall()
    return ResultTable(
        columns=tuple(column.name for column in cursor.description),
        rows=tuple(tuple(map(to_cell, row)) for row in rows[:max_rows]),
        truncated=len(rows) > max_rows,
    )


def _streamed(stream: _Stream, statement: str, tag: str) -> Any:
    cursor = stream.cursor
    wanted = arrow_sql(statement, cursor.adbc_execute_schema(statement))
    cursor.execute(tag + wanted)
    reader = cursor.fetch_record_batch()
    target = canonical_schema(reader.schema)

    def read() -> Any:
        with stream.translated():
            return reader.read_next_batch()

    batches = (
        canonical_batch(batch, reader.schema, target, stream.name) for batch in _until_end(read)
    )
    return reader_of(target, batches)


def _until_end(read: Callable[[], Any]) -> Generator[Any]:
    while True:
        try:
            yield read()
        except StopIteration:
            return


def _planned_bytes(cursor: Any, statement: str) -> int:
    (text,) = cursor.execute(f"EXPLAIN (FORMAT JSON, VERBOSE) {statement}").fetchone()
    plan = json.loads(text)[0]["Plan"]
    tables = whole_tables(plan)
    cursor.execute(_SIZES, [[schema for schema, _ in tables], [name for _, name in tables]])
    (whole,) = cursor.fetchone()
    return int(whole or 0) + bytes_of_rows(plan)


def _tag(purpose: str) -> str:
    """A comment before the statement: what people see in the server's log and activity."""
    words = " ".join(re.sub(r"[^\w .,:=-]", " ", purpose).split())[:200]
    return f"/* dagster_agent: {words} */ "


def _open(
    output: Mapping[str, Any],
    *,
    base_dir: Path,  # noqa: ARG001 - the protocol's signature
    snapshot_dir: Path,  # noqa: ARG001
    config: WarehouseConfig,
) -> Warehouse:
    if importlib.util.find_spec("psycopg") is None:
        raise ConfigError(
            "the dbt profile's target is PostgreSQL, but the package psycopg is not installed",
            hint="pip install 'dagster-agent[postgres]'",
        )
    return PostgresWarehouse(read_target(output), config=config)


POSTGRES = WarehouseConnector(id="postgres", open=_open)
"""PostgreSQL servers."""
