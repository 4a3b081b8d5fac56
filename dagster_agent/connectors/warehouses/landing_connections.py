"""Connections to the private database of landed rows, and their settings."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBConnection

_GROUP_BITS = 17
"""What `group_bits` is elsewhere. Here few rows are grouped by keys of a large range: to clear an
array of a million groups for them takes longer than all the rest."""
_GIB = {"bytes": 2.0**-30, "KiB": 2.0**-20, "MiB": 2.0**-10, "GiB": 1.0, "TiB": 1024.0}


def prepare(connection: DuckDBConnection, most: float) -> None:
    """Settings for landed rows.

    Args:
        connection: To an empty database.
        most: GiB of memory, where that is less than DuckDB would take, which knows the machine and
            its container.
    """
    (shown,) = connection.sql("select current_setting('memory_limit')").fetchall()[0]
    number, unit = str(shown).split()
    _limit(connection, min(most, float(number) * _GIB[unit]))
    # several threads may insert
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"set perfect_ht_threshold = {_GROUP_BITS}")


def _limit(connection: DuckDBConnection, gib: float) -> None:
    connection.execute(f"set memory_limit = '{gib:.3f}GiB'")


class Cursors:
    """Connections to a database of its own, one for each statement."""

    def __init__(self, connection: DuckDBConnection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def opened(self) -> Generator[DuckDBConnection]:
        with contextlib.closing(quiet(self._connection)) as cursor:
            yield cursor

    separate = opened


class One:
    """The same connection for every statement, one at a time."""

    def __init__(self, connection: DuckDBConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def opened(self) -> Generator[DuckDBConnection]:
        with self._lock:
            yield self._connection

    separate = opened


def quiet(connection: DuckDBConnection) -> DuckDBConnection:
    """A cursor of its own that draws no progress bar, which each cursor has to be told."""
    cursor = connection.cursor()
    cursor.execute("set enable_progress_bar = false")
    return cursor
