"""What a dbt profile's target says about a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_agent.errors import ConfigError

_KEYS = {
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "pass": "password",
    "dbname": "dbname",
    "database": "dbname",
    "sslmode": "sslmode",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslrootcert": "sslrootcert",
    "connect_timeout": "connect_timeout",
    "keepalives_idle": "keepalives_idle",
}
"""dbt's keys and libpq's."""
_CONNECT_SECONDS = "10"
"""As in dbt-postgres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTarget:
    """How to connect, and as whom."""

    parameters: Mapping[str, str] = field(repr=False)
    """libpq's; hold the password."""
    database: str
    """Name of the database."""
    role: str = ""
    """Role to take on after the login; empty for the user's own."""
    search_path: str = ""
    """Schemas of names without one; empty for the server's own."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not be shown."""
        password = self.parameters.get("password", "")
        return (password,) if password else ()


def read_target(output: Mapping[str, Any]) -> PostgresTarget:
    """Read a rendered target of profiles.yml.

    Raises:
        ConfigError: A key is missing or malformed.
    """
    parameters = {"connect_timeout": _CONNECT_SECONDS, "application_name": "dagster_agent"}
    for key, name in _KEYS.items():
        value = output.get(key)
        if value not in (None, "", 0):  # dbt's 0 stands for the default
            parameters[name] = str(value)
    missing = [key for key in ("host", "user", "dbname") if key not in parameters]
    if missing:
        raise ConfigError(
            f"the dbt profile's PostgreSQL target has no {', '.join(missing)}",
            hint="add what `dbt debug` asks for",
        )
    port = parameters.get("port", "5432")
    if not port.isascii() or not port.isdigit():
        raise ConfigError(f"`port` of the dbt profile's target is {port!r}", hint="give a number")
    return PostgresTarget(
        parameters=parameters,
        database=parameters["dbname"],
        role=str(output.get("role") or ""),
        search_path=str(output.get("search_path") or ""),
    )
