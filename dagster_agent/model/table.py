"""Tables as the warehouse shows them: names, schemas, profiles, and small results of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

Cell = None | bool | int | float | Decimal | str | bytes | date | datetime | time | timedelta
"""A value of a query result. Nested values arrive as their text."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Relation:
    """The three-part name of a table or view, as the warehouse spells it, without quotes."""

    database: str | None = None
    """Catalog or database; None where the connection's own is meant."""
    schema: str | None = None
    """Schema or dataset; None where the connection's own is meant."""
    name: str
    """Table or view."""

    def sql(self, quote: str = '"') -> str:
        """The name with every part quoted, quotes inside doubled."""
        parts = (self.database, self.schema, self.name)
        return ".".join(
            f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in parts if part is not None
        )

    def __str__(self) -> str:
        return ".".join(p for p in (self.database, self.schema, self.name) if p is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSchema:
    """One column as declared in the warehouse."""

    name: str
    """Name in the warehouse's own spelling."""
    type: str
    """Type in the warehouse's own words, upper case."""
    nullable: bool = True
    """False only where the warehouse enforces it."""
    position: int = 0
    """1-based; 0 when unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """The columns of one relation at one moment."""

    relation: Relation
    """The table or view."""
    columns: tuple[ColumnSchema, ...]
    """In the order of their positions."""
    kind: str = "table"
    """`table` or `view`."""

    def column(self, name: str) -> ColumnSchema | None:
        """The column of that name, letter case ignored."""
        wanted = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """Aggregates of one column; a field is None where the type has no such aggregate."""

    name: str
    """Column name."""
    type: str
    """Type in the warehouse's own words."""
    null_count: int
    """Rows in which the column is NULL."""
    distinct_estimate: int | None = None
    """Approximate number of distinct values (HyperLogLog, about 4 % error)."""
    minimum: float | None = None
    """Smallest value, numeric columns only."""
    maximum: float | None = None
    """Largest value, numeric columns only."""
    sum: float | None = None
    """Sum, numeric columns only."""
    mean: float | None = None
    """Mean of the values that are not NULL, numeric columns only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """Aggregates of one table at one moment; holds no value of a text column."""

    relation: Relation
    """The profiled table."""
    row_count: int
    """Number of rows."""
    columns: tuple[ColumnProfile, ...]
    """In table order."""
    profiled_at: datetime
    """UTC."""

    def metrics(self) -> Mapping[str, float]:
        """Flat metric series by name: `row_count`, `null_share.<column>`, `sum.<column>`."""
        found: dict[str, float] = {"row_count": float(self.row_count)}
        for column in self.columns:
            if self.row_count:
                found[f"null_share.{column.name}"] = column.null_count / self.row_count
            if column.sum is not None:
                found[f"sum.{column.name}"] = column.sum
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTable:
    """A small result of a query, or a small table to show."""

    columns: tuple[str, ...]
    """Column names."""
    rows: tuple[tuple[Cell, ...], ...]
    """Row values in column order."""
    truncated: bool = False
    """True when rows were left out because a limit was reached."""

    def scalar(self) -> Cell:
        """The only value of a one-row, one-column result."""
        ((value,),) = self.rows
        return value

    def records(self) -> Iterator[dict[str, Cell]]:
        """Each row as a mapping from column name to value."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))
