"""The connection to the state database: SQLite that many processes may write, or PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    OperationalError,
    SQLAlchemyError,
)

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.privacy.redaction import redact

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""
CONNECT_SECONDS = 10
"""How long a PostgreSQL server may take to answer, where the URL does not say `connect_timeout`."""

_WRITES = "dagster_agent_writes"
_DRIVERS = {"sqlite": ("pysqlite",), "postgresql": ("psycopg", "psycopg2")}
"""By database; the first that is installed is taken where the URL names none."""
_EXAMPLE = "use sqlite:////absolute/path/state.db or postgresql://user@host/database"
_INSTALL = "pip install 'dagster-agent[postgres]'"


class Database:
    """An engine, and the two ways to use it. Errors of both: `ConnectorError`."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.name = _name(self.url)
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
    backend, _, driver = url.drivername.partition("+")
    backend = {"postgres": "postgresql"}.get(backend, backend)  # libpq and many hosts say postgres
    if backend not in _DRIVERS:
        raise ConfigError(f"state cannot be kept in {backend!r}", hint=_EXAMPLE)
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError(
            f"state URL {text!r} means a database in memory, gone with the process", hint=_EXAMPLE
        )
    return url.set(drivername=_drivername(url, backend, driver))


def _drivername(url: URL, backend: str, named: str) -> str:
    name, known = _name(url), _DRIVERS[backend]
    if named and named not in known:
        raise ConfigError(
            f"the driver {named!r} of state URL {name} is not one of {', '.join(known)}",
            hint=_EXAMPLE,
        )
    if backend == "sqlite":  # a part of Python
        return backend
    wanted = (named,) if named else known
    for driver in wanted:
        if importlib.util.find_spec(driver):
            return f"{backend}+{driver}"
    raise ConfigError(
        f"no driver for state URL {name} is installed ({' or '.join(wanted)})", hint=_INSTALL
    )


def _name(url: URL) -> str:
    # libpq takes the password as a parameter, too
    return redact(url.render_as_string(hide_password=True))


def _create(url: URL, name: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        _create_folder(Path(str(url.database)))
    timeout = {"timeout": BUSY_SECONDS} if sqlite else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(
            url,
            connect_args={k: v for k, v in timeout.items() if k not in url.query},
            pool_pre_ping=not sqlite,
        )
    except ImportError as error:
        raise ConfigError(
            f"the driver for state URL {name} does not load: {error}", hint=_INSTALL
        ) from None
    _leave_connections_to_their_process(engine)
    event.listen(engine, "connect", _prepare_sqlite if sqlite else _prepare_postgres)
    if sqlite:
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


def _prepare_postgres(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    cursor.close()
    connection.commit()


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


_RIGHT = "give this user the right to write the file and its folder"
_BACKUP = "put a backup in its place, or move it away to begin with an empty one"
_LOGIN = "check the user, the password and the database of the setting state.url"
_GRANT = "grant this user CREATE on the schema, or give the agent a database of its own"
_VERIFY = "somebody changed the log by hand: `dagster-agent audit verify` shows where"
_REASONS: tuple[tuple[tuple[str, ...], type[ConfigError | ConnectorError], str, str], ...] = (
    (
        ("unable to open database file", "readonly database"),
        ConfigError,
        "cannot be written",
        _RIGHT,
    ),
    (("not a database", "malformed", "Could not decode"), ConnectorError, "is damaged", _BACKUP),
    (
        (
            "authentication failed",
            "no password supplied",
            "pg_hba.conf",
            "FATAL:  role",
            "FATAL:  database",
        ),
        ConfigError,
        "cannot be opened",
        _LOGIN,
    ),
    (("permission denied",), ConfigError, "cannot be used", _GRANT),
    (("the audit log only grows",), ConnectorError, "refuses a record", _VERIFY),
)
"""What the vendors say, who must react, what it means, the next step."""


def _raise_for(error: DBAPIError, name: str) -> NoReturn:
    reason = str(error.orig).strip()
    for words, kind, meaning, hint in _REASONS:
        if any(word in reason for word in words):
            raise kind(f"state database {name} {meaning}: {reason}", hint=hint) from error
    away = isinstance(error, OperationalError) or error.connection_invalidated
    raise ConnectorError(
        f"state database {name}: {reason}",
        hint="check that the database answers" if away else "",
        retryable=away,
    ) from error
