"""Places for state databases: SQLite, and a database of a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dagster_agent.connectors.state_stores.engine import Database


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
