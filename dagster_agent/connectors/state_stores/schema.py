"""The schema of the state database: created and upgraded when a store is opened."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dagster_agent.connectors.state_stores.engine import Database
from dagster_agent.errors import ConfigError

HEAD = "0002"
"""Newest revision in `migrations/versions`."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x64616773  # any number, as long as nobody else uses it
_alembic = threading.Lock()  # its environment is a global of the process


def ensure_schema(database: Database) -> None:
    """Bring the database to `HEAD`; one cheap query when it is there already.

    Raises:
        ConfigError: A newer version of the package wrote the database.
    """
    with database.read() as connection:
        if _revision(connection) == HEAD:
            return
    with _alembic, database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _POSTGRES_LOCK})
        # another process may have upgraded it while this one waited
        if _revision(connection) != HEAD:
            _upgrade(connection, database.name)


def _revision(connection: Connection) -> str | None:
    """The revision of the database; None when it is empty."""
    try:
        with connection.begin_nested():
            return connection.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return None
        raise


def _upgrade(connection: Connection, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _revision(connection)
    if found is not None and found not in known:
        raise ConfigError(
            f"state database {name} has the schema {found!r}, this version knows up to {HEAD!r}",
            hint="a newer dagster-agent wrote it: upgrade the package (pip install -U)",
        )
    command.upgrade(config, "head")
