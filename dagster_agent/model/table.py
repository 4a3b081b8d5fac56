"""Tables as the warehouse shows them: names, schemas, and small results of queries."""

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
    default: str | None = None
    """Default expression as the warehouse writes it; None where there is none or it is unknown."""
    primary_key: bool = False
    """Part of the declared primary key."""
    collation: str | None = None
    """Collation of a text column; None for the database's own or where it is unknown."""
    comment: str = ""
    """As kept in the warehouse."""


class _ByName:
    """Place for what is found by name: no field, so that neither equality nor what is stored of a
    schema knows of it."""

    __slots__ = ("_by_name",)
    _by_name: Mapping[str, ColumnSchema]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema(_ByName):
    """The columns of one relation at one moment."""

    relation: Relation
    """The table or view."""
    columns: tuple[ColumnSchema, ...]
    """In the order of their positions."""
    kind: str = "table"
    """`table` or `view`."""
    comment: str = ""
    """As kept in the warehouse."""

    def column(self, name: str) -> ColumnSchema | None:
        """The column of that name, letter case ignored."""
        try:
            by_name = self._by_name
        except AttributeError:
            # asked for each of 2,000 columns, a search would cost seconds
            by_name = {c.name.casefold(): c for c in reversed(self.columns)}
            object.__setattr__(self, "_by_name", by_name)
        return by_name.get(name.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What the warehouse's own catalogue says of a table, without reading it."""

    relation: Relation
    """The table."""
    row_count: int | None = None
    """Rows; None for views and where the catalogue does not say."""
    exact: bool = False
    """Whether the row count is exact; estimates serve as a hint only."""
    bytes: int | None = None
    """Bytes stored; None where the catalogue does not say."""
    last_altered: datetime | None = None
    """When its data or definition changed last, UTC; None where the catalogue does not say."""


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
