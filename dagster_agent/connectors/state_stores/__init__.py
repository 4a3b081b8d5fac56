"""Where the agent remembers: SQLite by default, PostgreSQL where a team runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_agent.connectors.state_stores.sql_store import SqlStateStore

__all__ = ["open_store"]


def open_store(url: str) -> SqlStateStore:
    """Open the state database, creating or upgrading it as needed.

    Args:
        url: SQLAlchemy URL: `sqlite:////absolute/path.db` (its folder is created) or
            `postgresql://user:password@host/database`, which takes psycopg or psycopg2, whichever
            is installed; the extra `postgres` brings psycopg.

    Raises:
        ConfigError: The URL is malformed, its driver is missing, the place cannot be written, the
            server refuses the login or the rights, or a newer version of the package wrote the
            database.
        ConnectorError: The file is no database, or the server does not answer (retryable).
    """
    from dagster_agent.connectors.state_stores.sql_store import SqlStateStore

    return SqlStateStore(url)
