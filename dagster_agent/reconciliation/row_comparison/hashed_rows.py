"""Which keys differ, told by keys and row hashes alone: what stores send is hashed as it comes.

Sums of the hashes by bucket of keys first, then the keys of the buckets that differ; only rows of
differing keys are read as a whole. Equal hashes are taken for equal rows (64 bits), and rows of
unequal ones are compared value by value afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.model import ResultTable
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.buckets import (
    Buckets,
    hash_buckets,
    range_buckets,
)
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.landing import LandedTables
from dagster_agent.reconciliation.row_comparison.pairing import KEY_COUNTS, unequal_keys
from dagster_agent.reconciliation.row_comparison.row_hash import BITMAP_BITS
from dagster_agent.sql.identifiers import relation_sql

DIFFERING = "differing"
"""Landed table of the keys whose rows differ; those that come twice are among them where a bitmap
of the keys tells."""
_COMPARED = "compared"
_SIDES = ("o", "t")
_WIDEST = 2**62
"""Ranges of keys beyond it overflow when they are shifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedTotals:
    """What the hashes say of both tables."""

    rows: tuple[int, int]
    """Of ours and theirs."""
    nulls: tuple[int, int]
    """Those whose key has a NULL in it."""
    differing: int
    """Keys in the table `DIFFERING`; 0 where there is no such table."""
    repeated: bool
    """Every key that comes twice is among them."""


def differing_keys(
    place: LandedTables, columns: ComparedColumns, config: ReconciliationConfig, tables: list[str]
) -> HashedTotals:
    """Compare two tables by their hashes.

    Args:
        place: Where they are.
        columns: With at least one key.
        config: Rows per bucket.
        tables: Names of ours and theirs, which have the keys k0, k1, ... and the row hash h.
    """
    named = [relation_sql(place.relation(table), "duckdb") for table in tables]
    buckets = _buckets(place, columns, config, named)
    place.keep(_COMPARED, _compared(buckets, named))
    compared = relation_sql(place.relation(_COMPARED), "duckdb")
    totals = _numbers(
        place,
        "select sum(no) as ours, sum(nt) as theirs, sum(no) filter (b is null) as null_ours, "
        "sum(nt) filter (b is null) as null_theirs, "
        f"count(*) filter (differs and b is not null) as differing from {compared}",
    )
    differing = 0
    if totals["differing"]:
        bad = f"select b from {compared} where differs and b is not null"
        place.keep(DIFFERING, _unequal(columns, buckets, named, bad))
        kept = relation_sql(place.relation(DIFFERING), "duckdb")
        differing = _numbers(place, f"select count(*) as n from {kept}")["n"]
    return HashedTotals(
        rows=(totals["ours"], totals["theirs"]),
        nulls=(totals["null_ours"], totals["null_theirs"]),
        differing=differing,
        repeated=buckets.distinct is not None,
    )


def repeated_keys(place: LandedTables, columns: ComparedColumns, table: str) -> tuple[int, int]:
    """Keys that several rows of a table have, and how many rows they have too many."""
    listed = ", ".join(columns.key_names)
    present = " and ".join(f"{name} is not null" for name in columns.key_names)
    found = _numbers(
        place,
        "select count(*) as repeated, sum(n - 1) as surplus from (select count(*) as n from "
        f"{relation_sql(place.relation(table), 'duckdb')} where {present} group by {listed} "
        "having count(*) > 1) as repeated_keys",
    )
    return found["repeated"], found["surplus"]


def _buckets(
    place: LandedTables, columns: ComparedColumns, config: ReconciliationConfig, tables: list[str]
) -> Buckets:
    number = _ordered(columns)
    extremes = f", min({number}) as low, max({number}) as high" if number else ""
    each = " union all ".join(f"select count(*) as n{extremes} from {table}" for table in tables)
    extremes = ", min(low) as low, max(high) as high" if number else ""
    result = _asked(place, f"select max(n) as n{extremes} from ({each}) as both_sides")
    row = next(result.records())
    rows, low, high = (row.get(name) for name in ("n", "low", "high"))
    count = max(1, int(str(rows)))
    span = int(str(high)) - int(str(low)) + 1 if low is not None else None
    if number is None or span is None or span >= _WIDEST:
        size = max(1, -(-count // config.bucket_rows))
        return hash_buckets(columns, size, rows=config.bucket_rows, dialect="duckdb")
    width = max(1, span * config.bucket_rows // count)
    # twice as many buckets cost less than looking for keys that come twice
    width = BITMAP_BITS if BITMAP_BITS < width <= 2 * BITMAP_BITS else width
    return range_buckets(number, int(str(low)), width, rows=config.bucket_rows, dialect="duckdb")


def _ordered(columns: ComparedColumns) -> str | None:
    """The only key as a 64-bit integer, where it is one in its plain form."""
    if len(columns.keys) != 1 or columns.keys[0].text:
        return None
    kind = columns.keys[0].kind
    return "cast(k0 as bigint)" if kind.small or kind.name in ("date", "timestamp") else None


def _compared(buckets: Buckets, tables: list[str]) -> str:
    """A line for each bucket of either side."""
    # cheaper, and safe where no key comes twice; hashed once more, since the hash of a row is
    # itself an XOR with the hash of its last column
    total = "bit_xor(hash(h))" if buckets.distinct else "sum(h)"
    distinct = f", {buckets.distinct} as d" if buckets.distinct else ""
    sums = ", ".join(
        f"b{side} as (select {buckets.bucket} as b, count(*) as n, {total} as s{distinct} "
        f"from {table} group by b)"
        for side, table in zip(_SIDES, tables, strict=True)
    )
    repeated = " or o.n > o.d or t.n > t.d" if buckets.distinct else ""
    return (
        f"with {sums} select coalesce(o.b, t.b) as b, coalesce(o.n, 0) as no, "
        "coalesce(t.n, 0) as nt, coalesce(o.n is distinct from t.n or o.s is distinct from t.s"
        f"{repeated}, false) as differs from bo as o full join bt as t on o.b = t.b"
    )


def _unequal(columns: ComparedColumns, buckets: Buckets, tables: list[str], bad: str) -> str:
    listed = ", ".join(columns.key_names)
    drilled = ", ".join(
        f"drilled_{side} as (select {listed}, h from {table} where {buckets.bucket} in ({bad}))"
        for side, table in zip(_SIDES, tables, strict=True)
    )
    return f"with {drilled}, {unequal_keys(columns, 'duckdb')} select {listed} from {KEY_COUNTS}"


def _asked(place: LandedTables, sql: str) -> ResultTable:
    return place.warehouse.query(sql, purpose="rows that were hashed")


def _numbers(place: LandedTables, sql: str) -> dict[str, int]:
    row = next(_asked(place, sql).records())
    return {name: int(str(value or 0)) for name, value in row.items()}
