"""DuckDB files, read without ever standing in the way of a dbt run."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
from dagster_agent.connectors.warehouses.duckdb_catalog import read_schemas
from dagster_agent.connectors.warehouses.duckdb_copy import size_of
from dagster_agent.connectors.warehouses.duckdb_errors import translate
from dagster_agent.connectors.warehouses.duckdb_profile import Attachment, catalog_of, read_target
from dagster_agent.connectors.warehouses.duckdb_results import cell_sql, to_cells
from dagster_agent.connectors.warehouses.duckdb_snapshot import (
    SnapshotFolder,
    copy_when_free,
    pauses,
    stamp,
)
from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation, ResultTable, TableSchema
from dagster_agent.ports import Scratch, Warehouse

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


class DuckDBWarehouse:
    """Reads a DuckDB file, and those attached to it.

    An open reader makes a dbt run fail, so a private copy is read where `snapshot_dir` allows it:
    refreshed when the file changed, made only while nobody writes. Without it, and for files above
    the size limit, the file itself is opened read-only for the length of one statement. A
    connection is an in-memory database of its own with the files attached under their catalog
    names; it shares nothing with connections of other threads or of the customer's code.

    Args:
        path: The main file; need not exist yet.
        attach: Further DuckDB files. One that does not exist is left out.
        snapshot_dir: Private folder for the copies; made when needed.
        config: Waiting times and limits.
        wait_seconds: Replaces the one of `config`.
        settings: DuckDB settings to apply to each connection.
        unread: Catalogs that cannot be attached, each with its reason, for error messages.
    """

    def __init__(
        self,
        path: Path,
        *,
        attach: Sequence[Attachment] = (),
        snapshot_dir: Path | None = None,
        config: WarehouseConfig | None = None,
        wait_seconds: float | None = None,
        settings: Mapping[str, Any] | None = None,
        unread: Sequence[str] = (),
    ) -> None:
        config = config or WarehouseConfig()
        if wait_seconds is not None:
            config = config.model_copy(update={"wait_seconds": wait_seconds})
        self._config = config
        self._files = (Attachment(alias=catalog_of(path), path=path), *attach)
        self._snapshot_dir = snapshot_dir
        self._snapshots = (
            SnapshotFolder(snapshot_dir, wait_seconds=config.wait_seconds) if snapshot_dir else None
        )
        self._settings = dict(settings or {})
        self._unread = tuple(unread)
        self._kept: tuple[tuple[Path, ...], duckdb.DuckDBPyConnection] | None = None
        self._lock = threading.Lock()

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL dialect."""
        return "duckdb"

    @property
    def name(self) -> str:
        """`duckdb:<file name>`."""
        return f"duckdb:{self._files[0].path.name}"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:  # noqa: ARG002 - DuckDB has no query tags
        """Run one read-only statement; see `Warehouse.query`."""
        from dagster_agent.sql.guard import read_only

        statement = read_only(sql, self.dialect)
        return self._run(lambda connection: _fetch(connection, statement, max_rows))

    def schemas(self, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
        """Schemas of those that exist; see `Warehouse.schemas`. Letter case is ignored."""
        catalog = self._files[0].alias
        return self._run(lambda connection: read_schemas(connection, relations, catalog=catalog))

    def scratch(self, directory: Path) -> Scratch:
        """Copies of all files, the main one as `<directory>/<its name>`; see `Warehouse.scratch`.

        dbt gets copies of the attached files too; catalogs that are no DuckDB files are left out,
        so that the sandbox cannot write to them.
        """
        main, *others = self._files
        copy = self._copy(main.path, directory)
        attach: list[Attachment] = []
        for other in others:
            if other.path.exists():
                folder = directory / "attached" / other.alias
                folder.mkdir(parents=True)
                attach.append(Attachment(alias=other.alias, path=self._copy(other.path, folder)))
        warehouse = DuckDBWarehouse(
            copy, attach=attach, config=self._config, settings=self._settings, unread=self._unread
        )
        output: dict[str, Any] = {"path": str(copy)}
        if others or self._unread:
            output["attach"] = [{"alias": a.alias, "path": str(a.path)} for a in attach]
        return Scratch(warehouse=warehouse, dbt_output=output)

    def _copy(self, original: Path, folder: Path) -> Path:
        copy_when_free(self._readable(original), folder, wait_seconds=self._config.wait_seconds)
        return folder / original.name

    def _readable(self, original: Path) -> Path:
        """The file to open: the current copy, or the original where it is not copied."""
        stamp(original)
        if self._snapshots is None or size_of(original) > self._config.snapshot_max_bytes:
            return original
        return self._snapshots.current(original)

    def _run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        import duckdb

        seconds = self._config.statement_seconds
        with self._opened() as connection:
            try:
                with _time_limit(connection, seconds):
                    return work(connection)
            except duckdb.Error as problem:
                raise translate(
                    problem, name=self.name, seconds=seconds, unread=self._unread
                ) from problem

    @contextlib.contextmanager
    def _opened(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection for one statement.

        One that reads nothing but private copies stands in nobody's way: it is kept for the next
        statement until a copy is renewed, since opening costs as much as a small query.
        """
        with self._lock:
            files = tuple(
                self._readable(file.path)
                for number, file in enumerate(self._files)
                if number == 0 or file.path.exists()
            )
            if set(files) & {file.path for file in self._files}:
                with contextlib.closing(self._connect()) as connection:
                    yield connection
                return
            if self._kept is None or self._kept[0] != files:
                self._forget()
                self._kept = files, self._connect()
            try:
                yield self._kept[1]
            except BaseException:
                self._forget()
                raise

    def close(self) -> None:
        """Give back the connection to the copies; a later statement opens another one."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        """A connection with all files attached; waits while a writer holds one of them."""
        import duckdb

        deadline = time.monotonic() + self._config.wait_seconds
        options: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(self._spill_parent() / f"spill-{uuid.uuid4().hex}"),
        }
        for pause in pauses():
            connection = duckdb.connect(":memory:", config=options)
            try:
                self._attach(connection)
            except duckdb.Error as problem:
                connection.close()
                error = translate(problem, name=self.name, seconds=0, unread=self._unread)
                if not error.retryable or time.monotonic() + pause > deadline:
                    raise error from problem
                time.sleep(pause)
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise AssertionError("pauses() never ends")

    def _spill_parent(self) -> Path:
        """Where statements larger than memory may spill: as private as the data itself."""
        if self._snapshot_dir is not None and self._snapshot_dir.exists():
            return self._snapshot_dir
        return self._files[0].path.parent

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        main, *others = self._files
        if any(file.alias.lower() == "memory" for file in self._files):
            connection.execute("ATTACH ':memory:' AS agent_connection")
            connection.execute("USE agent_connection; DETACH memory")
        for file in (main, *(other for other in others if other.path.exists())):
            path = _literal(self._readable(file.path))
            connection.execute(f"ATTACH {path} AS {_quoted(file.alias)} (READ_ONLY)")
        connection.execute(f"USE {_quoted(main.alias)}")
        for name, value in self._settings.items():
            connection.execute(f"SET {_quoted(name)} = {_literal(value)}")
        if not self._config.allow_external:
            connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


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


def _open(
    output: Mapping[str, Any], *, base_dir: Path, snapshot_dir: Path, config: WarehouseConfig
) -> Warehouse:
    if importlib.util.find_spec("duckdb") is None:
        raise ConfigError(
            "the dbt profile's target is DuckDB, but the package duckdb is not installed",
            hint="pip install 'dagster-agent[duckdb]'",
        )
    target = read_target(output, base_dir=base_dir)
    return DuckDBWarehouse(
        target.path,
        attach=target.attach,
        snapshot_dir=snapshot_dir,
        config=config,
        settings=target.settings,
        unread=target.unread,
    )


DUCKDB = WarehouseConnector(id="duckdb", open=_open)
"""Local DuckDB files."""
