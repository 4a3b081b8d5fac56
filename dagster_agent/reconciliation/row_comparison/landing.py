"""`Landing`: a private place where rows of several stores are brought together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from dagster_agent.ports import Warehouse


class LandedTables(Protocol):
    """What has been brought together so far."""

    @property
    def warehouse(self) -> Warehouse:
        """Reads the landed tables, by their bare names; its dialect is DuckDB's."""
        ...

    def land(self, name: str, warehouse: Warehouse, sql: str, *, purpose: str) -> tuple[int, int]:
        """Stream the result of a statement into a table, which is made or added to.

        Args:
            name: Of the table.
            warehouse: Where the rows come from.
            sql: A single SELECT in its dialect.
            purpose: A few words for logs and query tags.

        Returns:
            Rows and bytes (of Arrow memory) that came.

        Raises:
            ConnectorError: As `Warehouse.batches`.
        """
        ...


Landing = Callable[[], AbstractContextManager[LandedTables]]
"""Opens such a place, empty; everything in it is gone when the context ends."""
