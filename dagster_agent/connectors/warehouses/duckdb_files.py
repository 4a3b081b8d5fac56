"""Connections to DuckDB files that shall stand in nobody's way."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.duckdb_copy import size_of
from dagster_agent.connectors.warehouses.duckdb_errors import translate
from dagster_agent.connectors.warehouses.duckdb_profile import Attachment
from dagster_agent.connectors.warehouses.duckdb_reader import group_bits
from dagster_agent.connectors.warehouses.duckdb_snapshot import SnapshotFolder, pauses, stamp

if TYPE_CHECKING:
    import duckdb


class DuckDBFiles:
    """The files of one warehouse; safe for many threads.

    An open reader makes a dbt run fail, so a private copy is read where `snapshot_dir` allows it:
    refreshed when the file changed, made only while nobody writes. Without it, and for files above
    the size limit, the file itself is opened read-only for the length of one statement, or of
    those that `together` takes together. A connection is an in-memory database of its own with the
    files attached under their catalog names; it shares nothing with connections of other threads or
    of the customer's code.

    Args:
        files: The main file first; need not exist yet. Further ones that do not exist are left out.
        snapshot_dir: Private folder for the copies; made when needed.
        config: Waiting times and limits.
        settings: DuckDB settings to apply to each connection.
        unread: Catalogs that cannot be attached, each with its reason, for error messages.
        name: The warehouse's name, for error messages.
    """

    def __init__(
        self,
        files: Sequence[Attachment],
        *,
        snapshot_dir: Path | None,
        config: WarehouseConfig,
        settings: Mapping[str, Any],
        unread: Sequence[str],
        name: str,
    ) -> None:
        self._files = tuple(files)
        self._snapshot_dir = snapshot_dir
        self._snapshots = (
            SnapshotFolder(snapshot_dir, wait_seconds=config.wait_seconds) if snapshot_dir else None
        )
        self._config = config
        self._settings = dict(settings)
        self._unread = tuple(unread)
        self._name = name
        self._kept: tuple[tuple[Path, ...], duckdb.DuckDBPyConnection] | None = None
        self._shared: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.RLock()

    def readable(self, original: Path) -> Path:
        """The file to open: the current copy, or the original where it is not copied."""
        stamp(original)
        if self._snapshots is None or size_of(original) > self._config.snapshot_max_bytes:
            return original
        return self._snapshots.current(original)

    @contextlib.contextmanager
    def together(self) -> Generator[None]:
        """See `SharesConnection`. What reads private copies shares its connection anyway."""
        with self._lock:
            if self._shared is not None or not self._stands_in_the_way(self._present()):
                yield
                return
            with contextlib.closing(self._connect()) as self._shared:
                try:
                    yield
                finally:
                    self._shared = None

    @contextlib.contextmanager
    def opened(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection for one statement.

        One that reads nothing but private copies stands in nobody's way: it is kept for the next
        statement until a copy is renewed, since opening costs as much as a small query.
        """
        with self._lock:
            if self._shared is not None:
                yield self._shared
                return
            files = self._present()
            if self._stands_in_the_way(files):
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

    @contextlib.contextmanager
    def separate(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection that nobody else uses, for a result that is read while others query."""
        with self._lock:
            connection = self._connect()
        with contextlib.closing(connection):
            yield connection

    @contextlib.contextmanager
    def beside(
        self, prepare: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> Generator[duckdb.DuckDBPyConnection | None]:
        """A separate connection for tables of one's own in `own_catalog`, in memory, beside the
        files; for as long as rows take to come from elsewhere, so None unless all are copies.

        Args:
            prepare: Is given the connection before the files are attached and settings locked.
        """
        with self._lock:
            found = None if self._stands_in_the_way(self._present()) else self._connect(prepare)
        try:
            yield found
        finally:
            if found is not None:
                found.close()

    @property
    def own_catalog(self) -> str:
        """Name of a connection's own database, which is in memory."""
        taken = any(file.alias.lower() == "memory" for file in self._files)
        return "agent_connection" if taken else "memory"

    def close(self) -> None:
        """Give back the connection to the copies; a later statement opens another one."""
        with self._lock:
            self._forget()

    def _present(self) -> tuple[Path, ...]:
        """The files to open."""
        return tuple(
            self.readable(file.path)
            for number, file in enumerate(self._files)
            if number == 0 or file.path.exists()
        )

    def _stands_in_the_way(self, files: tuple[Path, ...]) -> bool:
        return bool(set(files) & {file.path for file in self._files})

    def _forget(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()

    def _connect(
        self, prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection with all files attached; waits while a writer holds one of them."""
        import duckdb

        deadline = time.monotonic() + self._config.wait_seconds
        options: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "perfect_ht_threshold": group_bits(),
            "temp_directory": str(self._spill_parent() / f"spill-{uuid.uuid4().hex}"),
        }
        for pause in pauses():
            connection = duckdb.connect(":memory:", config=options)
            try:
                if prepare is not None:
                    prepare(connection)
                self._attach(connection)
            except duckdb.Error as problem:
                connection.close()
                error = translate(problem, name=self._name, seconds=0, unread=self._unread)
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
        if self.own_catalog != "memory":
            own = _quoted(self.own_catalog)
            connection.execute(f"ATTACH ':memory:' AS {own}; USE {own}; DETACH memory")
        for file in (main, *(other for other in others if other.path.exists())):
            path = _literal(self.readable(file.path))
            connection.execute(f"ATTACH {path} AS {_quoted(file.alias)} (READ_ONLY)")
        connection.execute(f"USE {_quoted(main.alias)}")
        for name, value in self._settings.items():
            connection.execute(f"SET {_quoted(name)} = {_literal(value)}")
        if not self._config.allow_external:
            connection.execute("SET enable_external_access = false")
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
