"""`RowDifference`: what a comparison of rows found, by which plan and at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.model import ResultTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDifference:
    """How far one compared column is off, over the rows that both tables have."""

    column: str
    """Our name of it."""
    rows: int
    """Rows whose values differ beyond the tolerance; NULL against a value is a difference."""
    largest: float | None = None
    """Largest distance of two numbers, in their unit; of dates in days, of timestamps in seconds.
    None for other types, and where one value is always NULL."""
    total: float | None = None
    """Sum of ours minus theirs over these rows, in the same unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChosen:
    """How the tables were compared."""

    name: str
    """`range buckets`, `hash buckets`, `row buckets` (no key), `join`, `stream` or `checksum`."""
    reason: str
    """Why this one, with the deciding numbers."""
    bytes_moved: int = 0
    """What left the stores, in bytes as held in memory here."""
    statements: int = 0
    """Statements sent to the stores."""
    rows_fetched: int = 0
    """Rows that left the stores, those of aggregates counted too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """Where two tables differ, row by row.

    Rows of one key are paired: first those that are equal, then the rest in the order of their
    values. Rows whose key has a NULL in it are counted and not compared: NULL equals nothing.
    Without a key, rows are compared as a whole, so none is changed.
    """

    rows_ours: int
    """Our rows."""
    rows_theirs: int
    """Their rows."""
    null_ours: int = 0
    """Our rows whose key has a NULL in it."""
    null_theirs: int = 0
    """Their rows whose key has a NULL in it."""
    keys_theirs: int = 0
    """Different keys there; rows where there is no key."""
    duplicated_ours: int = 0
    """Keys that several of our rows have."""
    duplicated_theirs: int = 0
    """Keys that several of their rows have."""
    missing: int = 0
    """Rows there that we lack."""
    extra: int = 0
    """Rows of ours that are not there."""
    changed: int = 0
    """Rows on both sides with a value that differs beyond its tolerance."""
    keys_missing: int = 0
    """Keys there of which we have no row at all."""
    keys_extra: int = 0
    """Keys of ours of which there is no row at all."""
    columns: tuple[ColumnDifference, ...] = ()
    """Compared columns that differ somewhere, in the order of the pair."""
    examples: ResultTable
    """Columns `difference`, the keys, `column`, `ours`, `theirs`; not masked. Of `changed` rows one
    line per differing column with both values; of `duplicated` keys, the number of rows on each
    side."""
    plan: PlanChosen
    """How it was found."""
    queries: tuple[str, ...] = ()
    """Statements that were sent, in order."""

    @property
    def differing(self) -> int:
        """Rows that are missing, extra or changed."""
        return self.missing + self.extra + self.changed
