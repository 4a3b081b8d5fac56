"""The connection to the state database: SQLite that many processes may write, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from dagster_agent.errors import ConfigError, ConnectorError

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""

_WRITES = "dagster_agent_writes"
_KNOWN = {"sqlite", "postgresql"}
_EXAMPLE = "use sqlite:////absolute/path/state.db or postgresql+psycopg://user@host/database"


class Database:
    """An engine, and the two ways to use it. Errors of both: `ConnectorError`."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.name = self.url.render_as_string(hide_password=True)
        self.engine = _create(self.url, self.name)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """One consistent read."""
        with _translated(self.name), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One transaction; on SQLite it holds the write lock from its first statement."""
        with _translated(self.name), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close the pooled connections; the next use opens new ones."""
        self.engine.dispose()


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError("the state URL is no database URL", hint=_EXAMPLE) from None
    if url.get_backend_name() not in _KNOWN:
        raise ConfigError(f"state cannot be kept in {url.get_backend_name()!r}", hint=_EXAMPLE)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError(
            f"state URL {text!r} means a database in memory, gone with the process", hint=_EXAMPLE
        )
    return url


def _create(url: URL, name: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        _create_folder(Path(str(url.database)))
    try:
        engine = create_engine(
            url,
            connect_args={"timeout": BUSY_SECONDS} if sqlite else {},
            pool_pre_ping=not sqlite,
        )
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            f"the driver for {name} is missing: {error}", hint="install it beside dagster-agent"
        ) from None
    _leave_connections_to_their_process(engine)
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the folder of the state file {file} cannot be created: {error.strerror}",
            hint="choose another place with the setting state.directory",
        ) from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # transactions are begun by `_begin_sqlite`, not guessed by the driver, so that DDL is in them
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Needs the file for itself for a moment; whoever comes second finds it done later."""
    try:
        cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _leave_connections_to_their_process(engine: Engine) -> None:
    """A forked child must not use its parent's connections (SQLAlchemy's recipe for pools)."""

    def remember(_connection: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    def refuse(_connection: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("connection belongs to the parent process")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", refuse)


@contextmanager
def _translated(name: str) -> Generator[None]:
    try:
        yield
    except DBAPIError as error:
        _raise_for(error, name)
    except SQLAlchemyError as error:
        raise ConnectorError(f"state database {name}: {error}") from error


def _raise_for(error: DBAPIError, name: str) -> None:
    reason = str(error.orig).strip()
    if "unable to open database file" in reason or "readonly database" in reason:
        raise ConfigError(
            f"state database {name} cannot be written: {reason}",
            hint="give this user the right to write the file and its folder",
        ) from error
    if "not a database" in reason or "malformed" in reason:
        raise ConnectorError(
            f"state database {name} is damaged: {reason}",
            hint="put a backup in its place, or move it away to begin with an empty one",
        ) from error
    raise ConnectorError(
        f"state database {name}: {reason}",
        hint="check that the database answers" if isinstance(error, OperationalError) else "",
        retryable=isinstance(error, OperationalError),
    ) from error
