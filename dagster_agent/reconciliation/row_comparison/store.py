"""Statements to a store, remembered with what they brought."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from dagster_agent.model import ResultTable
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.row_comparison.landing import LandedTables


@dataclass(slots=True, kw_only=True)
class Journal:
    """What was sent and what came; grows while a plan runs."""

    queries: list[str] = field(default_factory=lambda: list[str]())
    """Statements in order."""
    bytes_moved: int = 0
    """Bytes that left the stores."""
    rows_fetched: int = 0
    """Rows that left the stores."""

    def ask(self, warehouse: Warehouse, sql: str, *, max_rows: int = 1000) -> ResultTable:
        """Run one statement.

        Raises:
            ConnectorError: As `Warehouse.query`.
        """
        self.queries.append(sql)
        result = warehouse.query(sql, purpose="row comparison", max_rows=max_rows)
        self.rows_fetched += len(result.rows)
        self.bytes_moved += sum(len(str(cell)) for row in result.rows for cell in row)
        return result

    def numbers(self, warehouse: Warehouse, sql: str) -> Mapping[str, int]:
        """The one row of a statement that yields integers; NULL is 0."""
        row = next(self.ask(warehouse, sql).records())
        return {name: int(str(value or 0)) for name, value in row.items()}

    def land(
        self,
        place: LandedTables,
        *wanted: tuple[str, Warehouse, str],
        select: Mapping[str, str] | None = None,
    ) -> None:
        """Stream results into landed tables, all at the same time: each store works by itself.

        Args:
            place: Where to.
            wanted: Table, store and statement.
            select: By table, what is kept of its rows; all of them by default.

        Raises:
            ConnectorError: As `Warehouse.batches`.
        """
        self.queries += [sql for _, _, sql in wanted]
        with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
            landed = [
                pool.submit(
                    place.land,
                    name,
                    warehouse,
                    sql,
                    purpose="row comparison",
                    select=(select or {}).get(name, "*"),
                )
                for name, warehouse, sql in wanted
            ]
        for each in landed:
            rows, size = each.result()
            self.rows_fetched += rows
            self.bytes_moved += size
