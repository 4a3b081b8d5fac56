"""Snowflake, through its own connector."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dagster_agent.connectors.warehouses import snowflake_catalog as catalog
from dagster_agent.connectors.warehouses.arrow_stream import reader_of
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
from dagster_agent.connectors.warehouses.no_scratch import no_scratch
from dagster_agent.connectors.warehouses.relation_names import by_relation
from dagster_agent.connectors.warehouses.snowflake_catalog import SnowflakeCursor
from dagster_agent.connectors.warehouses.snowflake_errors import own_errors
from dagster_agent.connectors.warehouses.snowflake_profile import (
    SnowflakeTarget,
    read_target,
    unquoted,
)
from dagster_agent.connectors.warehouses.snowflake_results import (
    stream_schema,
    to_batches,
    to_cell,
)
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Relation, ResultTable, TableFacts, TableSchema
from dagster_agent.ports import Scratch, Warehouse

T = TypeVar("T")


class SnowflakeWarehouse:
    """Reads one account. A session cannot be read-only there: the guard and the role are the walls.

    A login takes long and is limited in number, so that one session is kept and shared by threads;
    it is given up when Snowflake cannot be reached.

    Args:
        target: Where, and as whom.
        config: Waiting times and limits.
    """

    def __init__(self, target: SnowflakeTarget, *, config: WarehouseConfig | None = None) -> None:
        self._target = target
        self._seconds = (config or WarehouseConfig()).statement_seconds
        self._lock = threading.Lock()
        self._kept: Any = None

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect."""
        return "snowflake"

    @property
    def name(self) -> str:
        """`snowflake:<database>`."""
        return f"snowflake:{self._target.database}"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        """Run one read-only statement; see `Warehouse.query`. Semi-structured values are JSON."""
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        with self._translated(), self._cursor(purpose) as cursor:
            return _fetched(cursor, statement, max_rows)

    @contextlib.contextmanager
    def batches(self, sql: str, *, purpose: str) -> Generator[Any]:
        """Stream a result; see `Warehouse.batches`. The connector fetches a few chunks ahead."""
        with contextlib.ExitStack() as stack:
            with self._translated():
                cursor = stack.enter_context(self._cursor(purpose))
                reader = _Stream(cursor=cursor, translated=self._translated).query(sql)
            yield reader

    def bytes_scanned(self, sql: str) -> int | None:
        """Bytes of the micro-partitions that the plan assigns; None where EXPLAIN is not there."""
        with self._translated(), self._cursor("estimate the cost of a statement") as cursor:
            return _Plan(cursor=cursor).query(sql)

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those that exist, in one statement a database; see `Warehouse.schemas`.

        Primary keys are left out: Snowflake declares but does not enforce them, and does not list
        them in its information schema.
        """
        return self._catalogue(relations, catalog.columns, catalog.to_schemas)

    def facts(self, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
        """Exact rows, bytes, time of the last change; see `Warehouse.facts`."""
        return self._catalogue(relations, catalog.tables, catalog.to_facts)

    def scratch(self, directory: Path) -> Scratch:  # noqa: ARG002 - the port's signature
        """See `Warehouse.scratch`.

        Raises:
            ConfigError: Always.
        """
        raise no_scratch(self.name)

    def close(self) -> None:
        """End the session; a later statement opens another one."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _catalogue(
        self,
        relations: Sequence[Relation],
        read: catalog.Read,
        build: Callable[[Any], Mapping[catalog.Key, T]],
    ) -> dict[Relation, T]:
        by_database: dict[str, list[Relation]] = defaultdict(list)
        for relation in relations:
            by_database[unquoted(relation.database or self._target.database)].append(relation)
        result: dict[Relation, T] = {}
        for database, asked in sorted(by_database.items()):
            names = sorted({relation.name.lower() for relation in asked})
            with self._translated(), self._cursor("read the catalogue") as cursor:
                found = build(read(cursor, database, names))
            result |= by_relation(asked, found, database=database, schema=self._target.schema)
        return result

    @contextlib.contextmanager
    def _cursor(self, purpose: str) -> Generator[SnowflakeCursor]:
        words = " ".join(purpose.split())[:200]
        with contextlib.closing(self._session().cursor()) as plain:
            yield SnowflakeCursor(
                plain=plain,
                options={
                    "_statement_params": {"QUERY_TAG": f"dagster_agent: {words}"},
                },
            )

    def _session(self) -> Any:
        connector: Any = importlib.import_module("snowflake.connector")  # ships few types
        with self._lock:
            if self._kept is None or self._kept.is_closed():
                self._kept = connector.connect(
                    **self._target.parameters,
                    application="dagster_agent",
                    arrow_number_to_decimal=True,
                    session_parameters={
                        "QUERY_TAG": "dagster_agent",
                        "STATEMENT_TIMEOUT_IN_SECONDS": max(1, round(self._seconds)),
                    },
                )
            return self._kept

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            with own_errors(self.name, secrets=self._target.secrets, seconds=self._seconds):
                yield
        except ConnectorError as problem:
            if problem.retryable:  # the session may be the trouble
                with self._lock:
                    self._kept = None
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """One result in Arrow."""

    cursor: SnowflakeCursor
    translated: Callable[[], AbstractContextManager[None]]

    def query(self, sql: str) -> Any:
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, "snowflake")
        return _streamed(self.cursor, statement, self.translated)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What reading would cost."""

    cursor: SnowflakeCursor

    def query(self, sql: str) -> int | None:
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, "snowflake")
        return _planned_bytes(self.cursor, statement)


def _fetched(cursor: SnowflakeCursor, statement: str, max_rows: int) -> ResultTable:
    cursor.plain.execute(statement, **cursor.options)
    rows = cursor.plain.fetchmany(max_rows + 1)
    return ResultTable(
        columns=tuple(column.name for column in cursor.plain.description),
        rows=tuple(tuple(map(to_cell, row)) for row in rows[:max_rows]),
        truncated=len(rows) > max_rows,
    )


def _streamed(
    cursor: SnowflakeCursor, statement: str, translated: Callable[[], AbstractContextManager[None]]
) -> Any:
    cursor.plain.execute(statement, **cursor.options)
    schema = stream_schema(cursor.plain.description)
    tables = cursor.plain.fetch_arrow_batches(force_microsecond_precision=True)

    def batches() -> Iterator[Any]:
        while True:
            with translated():
                table = next(tables, None)
            if table is None:
                return
            yield from to_batches(table, schema)

    return reader_of(schema, batches())


def _planned_bytes(cursor: SnowflakeCursor, statement: str) -> int | None:
    from snowflake.connector.errors import ProgrammingError

    try:
        cursor.plain.execute(f"EXPLAIN USING JSON {statement}", **cursor.options)
    except ProgrammingError as problem:
        if problem.sqlstate == "42000":  # a syntax error: no such EXPLAIN here
            return None
        raise
    (text,) = cursor.plain.fetchone()
    size = json.loads(text).get("GlobalStats", {}).get("bytesAssigned")
    return None if size is None else int(size)


def _open(
    output: Mapping[str, Any],
    *,
    base_dir: Path,  # noqa: ARG001 - the protocol's signature
    snapshot_dir: Path,  # noqa: ARG001
    config: WarehouseConfig,
) -> Warehouse:
    try:
        found = importlib.util.find_spec("snowflake.connector") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise ConfigError(
            "the dbt profile's target is Snowflake, but snowflake-connector-python is missing",
            hint="pip install 'dagster-agent[snowflake]'",
        )
    return SnowflakeWarehouse(read_target(output), config=config)


SNOWFLAKE = WarehouseConnector(id="snowflake", open=_open)
"""Snowflake accounts."""
