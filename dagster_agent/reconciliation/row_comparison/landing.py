"""`Landing`: a private place where rows of several stores are brought together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse


class LandedTables(Protocol):
    """What has been brought together so far."""

    @property
    def warehouse(self) -> Warehouse:
        """Reads the landed tables and those of `near`; its dialect is DuckDB's."""
        ...

    @property
    def near(self) -> Warehouse | None:
        """The store whose tables need not be landed, since `warehouse` reads them where they are,
        as they were when the place was opened; None where there is none."""
        ...

    def relation(self, name: str) -> Relation:
        """The landed table of that name."""
        ...

    def land(
        self, name: str, warehouse: Warehouse, sql: str, *, purpose: str, select: str = "*"
    ) -> tuple[int, int]:
        """Stream the result of a statement into a table, which is made or added to.

        Args:
            name: Of the table.
            warehouse: Where the rows come from.
            sql: A single SELECT in its dialect.
            purpose: A few words for logs and query tags.
            select: What is kept of each row: a select list in DuckDB's SQL, computed while rows
                come.

        Returns:
            Rows and bytes (of Arrow memory) that came.

        Raises:
            ConnectorError: As `Warehouse.batches`.
        """
        ...

    def keep(self, name: str, sql: str) -> None:
        """Make a landed table of what a statement for `warehouse` reads.

        Args:
            name: Of the table.
            sql: A single SELECT.

        Raises:
            ConnectorError: As `Warehouse.query`.
        """
        ...


class Landing(Protocol):
    """Opens such a place, empty; everything in it is gone when the context ends."""

    def __call__(self, *, near: Sequence[Warehouse] = ()) -> AbstractContextManager[LandedTables]:
        """Open one.

        Args:
            near: Stores of which the place may have one beside itself, the first that it can.
        """
        ...
