"""Any warehouse with a dbt adapter, through that adapter in a process of its own.

Slower to start than a connector of our own (3 to 8 seconds) and less informed: no primary keys,
comments, row counts or sizes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dagster_agent.connectors.warehouses import dbt_adapter_catalog as catalog
from dagster_agent.connectors.warehouses.arrow_stream import BATCH_ROWS, reader_of
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.dbt_adapter_client import AdapterError, AdapterProcess
from dagster_agent.connectors.warehouses.dbt_adapter_errors import TROUBLES
from dagster_agent.connectors.warehouses.dbt_adapter_results import (
    stream_schema,
    to_batch,
    to_cell,
)
from dagster_agent.connectors.warehouses.no_scratch import no_scratch
from dagster_agent.connectors.warehouses.relation_names import by_relation
from dagster_agent.connectors.warehouses.sqlstate_errors import translated
from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation, ResultTable, TableFacts, TableSchema
from dagster_agent.ports import Scratch
from dagster_agent.privacy.redaction import known_secrets

T = TypeVar("T")

DIALECTS = {
    "bigquery": "bigquery",
    "databricks": "databricks",
    "duckdb": "duckdb",
    "materialize": "postgres",
    "postgres": "postgres",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "spark": "spark",
}
"""sqlglot's dialect by dbt's adapter type: those whose functions the read-only guard knows."""
_MANY = 10_000_000
"""Rows of the catalogue: all of them."""


class DbtAdapterWarehouse:
    """Reads through the guard, which stands on both sides of the pipe.

    Args:
        output: The rendered target of profiles.yml.
        base_dir: Folder that relative paths in it start from.
        config: Waiting times and limits.

    Raises:
        ConfigError: The guard does not know the adapter's dialect.
    """

    def __init__(
        self, output: Mapping[str, Any], *, base_dir: Path, config: WarehouseConfig
    ) -> None:
        self._output = dict(output)
        self._kind = str(output["type"])
        if self._kind not in DIALECTS:
            raise ConfigError(
                f"the SQL of dbt's adapter {self._kind!r} is not known to the read-only guard",
                hint=f"known are {', '.join(DIALECTS)}",
            )
        self._base_dir = base_dir
        self._seconds = config.statement_seconds
        self._secrets = known_secrets({}, output)
        self._lock = threading.Lock()
        self._idle: list[AdapterProcess] = []

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect."""
        return DIALECTS[self._kind]

    @property
    def name(self) -> str:
        """`<adapter>:<database>`."""
        named = ("dbname", "database", "catalog", "project", "schema")
        database = next((self._output[key] for key in named if self._output.get(key)), "dbt")
        return f"{self._kind}:{database}"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:  # noqa: ARG002 - adapters have no query tags
        """Run one read-only statement; see `Warehouse.query`."""
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        with self._translated(), self._process() as process:
            return _fetched(process, statement, max_rows, self._seconds)

    @contextlib.contextmanager
    def batches(self, sql: str, *, purpose: str) -> Generator[Any]:  # noqa: ARG002 - adapters have no query tags
        """Stream a result; see `Warehouse.batches`. A stream has a process for itself.

        Whole numbers are int64, decimals decimal(38, 18); what does not fit is an error that names
        the column. Adapters whose driver fetches a result at once do so in that process.
        """
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        with contextlib.ExitStack() as stack:
            with self._translated():
                process = stack.enter_context(self._process())
                names, types = process.head(statement, chunk=BATCH_ROWS, seconds=self._seconds)
                first = process.rows(seconds=self._seconds)
                schema = stream_schema(names, types, first)
            yield reader_of(schema, self._read(process, first, schema))

    def bytes_scanned(self, sql: str) -> int | None:
        """None: adapters have no dry run."""
        from dagster_agent.sql.guard import read_only

        read_only(sql, self.dialect)
        return None

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """From the information schema; see `Warehouse.schemas`."""
        statements = catalog.columns_sql(relations, self.dialect)
        return self._catalogue(relations, statements, catalog.to_schemas)

    def facts(self, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
        """Which of them exist; see `Warehouse.facts`. The standard knows no counts and sizes."""
        statements = catalog.tables_sql(relations, self.dialect)
        return self._catalogue(relations, statements, catalog.to_facts)

    def scratch(self, directory: Path) -> Scratch:  # noqa: ARG002 - the port's signature
        """See `Warehouse.scratch`.

        Raises:
            ConfigError: Always.
        """
        raise no_scratch(self.name)

    def close(self) -> None:
        """End the processes; a later statement starts another one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    @contextlib.contextmanager
    def _process(self) -> Generator[AdapterProcess]:
        """One that nobody else uses meanwhile; it is kept for the next, since starting is slow."""
        with self._lock:
            process = self._idle.pop() if self._idle else None
        if process is None or process.closed:
            process = AdapterProcess(
                self._output, dialect=self.dialect, directory=self._base_dir, name=self.name
            )
        try:
            yield process
        finally:
            if not process.closed:
                with self._lock:
                    self._idle.append(process)

    def _read(self, process: AdapterProcess, first: Sequence[Any], schema: Any) -> Iterator[Any]:
        rows = first
        while rows:
            yield to_batch(rows, schema, self.name)
            with self._translated():
                rows = process.rows(seconds=self._seconds)

    def _catalogue(
        self,
        relations: Sequence[Relation],
        statements: Iterator[str],
        build: Callable[[Sequence[catalog.Row]], Mapping[catalog.Key, T]],
    ) -> dict[Relation, T]:
        found: dict[catalog.Key, T] = {}
        for statement in statements:
            table = self.query(statement, purpose="read the catalogue", max_rows=_MANY)
            found |= build(table.rows)
        database = next(iter(found), ("", "", ""))[0]
        schema = str(self._output.get("schema") or self._output.get("dataset") or "main")
        return by_relation(relations, found, database=database, schema=schema)

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except AdapterError as problem:
            raise translated(
                TROUBLES,
                problem,
                state=problem.sqlstate,
                name=self.name,
                secrets=self._secrets,
                seconds=self._seconds,
            ) from None


def _fetched(process: AdapterProcess, statement: str, max_rows: int, seconds: float) -> ResultTable:
    names, _ = process.head(statement, chunk=min(max_rows + 1, BATCH_ROWS), seconds=seconds)
    rows: list[tuple[Any, ...]] = []
    while len(rows) <= max_rows and (more := process.rows(seconds=seconds)):
        rows += more
    return ResultTable(
        columns=tuple(names),
        rows=tuple(tuple(map(to_cell, row)) for row in rows[:max_rows]),
        truncated=len(rows) > max_rows,
    )
