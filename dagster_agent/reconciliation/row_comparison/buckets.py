"""How rows fall into buckets."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.row_hash import (
    BITMAP_BITS,
    distinct_positions,
    remainder,
    row_hash,
    whole_quotient,
)
from dagster_agent.reconciliation.row_comparison.value_forms import plain_form

MAX_DRILLED_SHARE = 0.3
"""Share of the rows in differing buckets from which reading everything is cheaper."""
MAX_HASHED_SHARE = 0.7
"""The same where of those rows only keys and hashes are kept at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """How rows fall into buckets."""

    bucket: str
    """SQL of the bucket's number from k0, k1, ... and h; NULL where a key is NULL."""
    distinct: str | None
    """SQL aggregate: different keys in a bucket; None where only a distinct count could tell."""
    by: str
    """`range`, `hash` or `row`."""
    rows: int
    """Rows per bucket that were aimed at."""
    low: int = 0
    """Of ranges: the smallest key."""
    width: int | None = None
    """Of ranges over a plain integer column: integers that one bucket spans."""
    busy: bool = False
    """Many rows may differ: only keys and hashes of differing buckets are kept at first."""
    calm: bool = False
    """Nothing is expected to differ: sums are asked for alone at first."""

    def matched(self, dialect: str) -> bool:
        """Whether unequal rows are found by joining hashes."""
        return self.distinct is not None and dialect == "duckdb"

    @property
    def limit(self) -> float:
        """Share of the rows in differing buckets from which they are not drilled."""
        return MAX_HASHED_SHARE if self.busy else MAX_DRILLED_SHARE


def range_buckets(
    number: str, low: int, width: int, *, rows: int, dialect: str, plain: bool = False
) -> Buckets:
    """Neighbouring keys share a bucket: the cheapest, and rows stay where they lie.

    Args:
        number: SQL of the key as an integer.
        low: The smallest key of both tables.
        width: Integers that one bucket spans.
        rows: Rows per bucket aimed at.
        dialect: sqlglot's name.
        plain: The key is an integer column as it is.
    """
    offset = f"({number} - {low})" if low else f"({number})"
    distinct = None
    if width <= BITMAP_BITS:
        distinct = distinct_positions(remainder(offset, width, dialect), dialect)
    return Buckets(
        bucket=whole_quotient(offset, width, dialect),
        distinct=distinct,
        by="range",
        rows=rows,
        low=low,
        width=width if plain else None,
    )


def integer_key(columns: ComparedColumns, dialect: str) -> str | None:
    """SQL of the only key as a 64-bit integer; None where it is something else."""
    if len(columns.keys) != 1:
        return None
    (key,) = columns.keys
    if key.text or key.kind.name != "integer" or not key.kind.small:
        return None
    # a smaller integer would overflow when the smallest key is taken off
    return plain_form("k0", key.kind, key.kind, dialect)


def aligned_buckets(number: str, dialect: str) -> Buckets | None:
    """Ranges of 64 integers wherever the keys lie, with an aggregate that tells them apart; None
    where the dialect has none.

    Negative keys may share a bucket with positive ones: two of them then look like one that comes
    twice, which costs reading the bucket and nothing else.
    """
    distinct = distinct_positions(remainder(number, BITMAP_BITS, dialect), dialect)
    bucket = whole_quotient(number, BITMAP_BITS, dialect)
    if distinct is None:
        return None
    return Buckets(bucket=bucket, distinct=distinct, by="range", rows=BITMAP_BITS)


def hash_buckets(columns: ComparedColumns, count: int, *, rows: int, dialect: str) -> Buckets:
    """Keys without a usable order, or none at all: buckets by their hash."""
    names = columns.key_names
    if not names:
        return Buckets(bucket=f"mod(h, {count})", distinct=None, by="row", rows=rows)
    hashed = f"mod({row_hash(names, dialect)}, {count})"
    null = " or ".join(f"{name} is null" for name in names)
    return Buckets(
        bucket=f"case when {null} then null else {hashed} end",
        distinct=None,
        by="hash",
        rows=rows,
    )
