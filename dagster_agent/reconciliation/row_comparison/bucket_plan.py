"""One store, few differences: sums of row hashes by bucket of keys, then the differing buckets.

One statement reads both tables once and adds up a hash and a count per bucket; only rows of
buckets that differ are read again, paired and judged, all inside the store. Where nothing differs
the second part reads nothing. Measured at 10 million rows with 0.01 % differences: 2.2 times the
CPU of a bare scan that hashes every column of both tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.pairing import (
    KEY_COUNTS,
    difference_counts,
    pairing_tables,
    result_rows,
    unequal_keys,
)
from dagster_agent.reconciliation.row_comparison.result import (
    TOTALS,
    RawResult,
    read_result,
)
from dagster_agent.reconciliation.row_comparison.row_hash import (
    BITMAP_BITS,
    distinct_positions,
    materialized,
    remainder,
    row_hash,
    whole_quotient,
)
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.value_forms import hash_sum

MAX_DRILLED_SHARE = 0.3
"""Share of the rows in differing buckets from which reading everything is cheaper."""
MAX_HASHED_SHARE = 0.7
"""The same where of those rows only keys and hashes are kept at first."""

_FEW_ROWS = 10_000
"""Drilled whatever their share."""


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


def compare_buckets(
    pair: TablePair, columns: ComparedColumns, buckets: Buckets, examples: int, journal: Journal
) -> RawResult | None:
    """Compare two tables of one store.

    Args:
        pair: The tables.
        columns: As `compared_columns` gives them.
        buckets: How rows fall into buckets.
        examples: Of each kind of difference.
        journal: Remembers the statements.

    Returns:
        None where so many buckets differ that they were not drilled.
    """
    warehouse = pair.ours.warehouse
    raw = read_result(
        journal.ask(
            warehouse, _statement(pair, columns, buckets, examples), max_rows=5 * examples + 2
        ),
        columns,
    )
    if raw.totals["buckets_differing"] and not raw.totals["drilled"]:
        return None
    if buckets.distinct is None and columns.keys and not unique_keys(pair):
        return _with_duplicates(pair, columns, raw, journal)
    return raw


def unique_keys(pair: TablePair) -> bool:
    """The store itself keeps the key of either table from coming twice."""
    for side in (pair.ours, pair.theirs):
        columns = [side.column(key) for key in pair.keys]
        wanted = {c.name for c in columns if c is not None}
        declared = {c.name for c in side.schema.columns if c.primary_key}
        enforced = side.warehouse.dialect in ("duckdb", "postgres")
        if enforced and declared and declared <= wanted:
            return True
    return False


def _with_duplicates(
    pair: TablePair, columns: ComparedColumns, raw: RawResult, journal: Journal
) -> RawResult:
    """Duplicates in buckets that agree are the same on both sides: ours are counted, once."""
    listed = ", ".join(columns.key_names)
    present = " and ".join(f"{name} is not null" for name in columns.key_names)
    counted = journal.numbers(
        pair.ours.warehouse,
        f"select count(*) as duplicated, sum(n - 1) as surplus from (select {listed}, "
        f"count(*) as n from (select {columns.selected(ours=True)} from {pair.ours.rows_sql}) as r "
        f"where {present} group by {listed} having count(*) > 1) as repeated",
    )
    found = dict(raw.totals)
    alike = counted["duplicated"] - found["duplicated_ours"]
    surplus = counted["surplus"] - found["surplus_ours"]
    found["duplicated_ours"] += alike
    found["duplicated_theirs"] += alike
    found["surplus_all"] = found["surplus_theirs"] + surplus
    return replace(raw, totals=found)


def _statement(pair: TablePair, columns: ComparedColumns, buckets: Buckets, examples: int) -> str:
    dialect = pair.ours.warehouse.dialect
    kept = materialized(dialect)
    sources = [_rows(pair, columns, buckets, ours=ours) for ours in (True, False)]
    tables = [
        *(
            f"b{side} as {kept}({_sums(source, buckets, dialect, ours=side == 'o')})"
            for side, source in zip("ot", sources, strict=True)
        ),
        f"compared as {kept}({_compared(buckets)})",
        f"bad as {kept}({_bad(columns, buckets)})",
        *(
            f"drilled_{side} as {kept}({_drilled(pair, columns, buckets, ours=ours)})"
            for side, ours in zip("ot", (True, False), strict=True)
        ),
        unequal_keys(columns, dialect),
        *(
            f"{side} as {kept}({_suspects(pair, columns, buckets, ours=ours)})"
            for side, ours in zip("ot", (True, False), strict=True)
        ),
        pairing_tables(columns, dialect),
    ]
    totals = _totals(dialect)
    return f"with {', '.join(tables)} {result_rows(columns, totals, examples, dialect)}"


def _rows(pair: TablePair, columns: ComparedColumns, buckets: Buckets, *, ours: bool) -> str:
    """Keys, values, row hash h and bucket b of one side."""
    side = pair.ours if ours else pair.theirs
    names = (*columns.key_names, *columns.value_names)
    hashed = row_hash(names, side.warehouse.dialect)
    return (
        f"(select *, {buckets.bucket} as b from (select *, {hashed} as h from "
        f"(select {columns.selected(ours=ours)} from {side.rows_sql}) as r) as hashed) as placed"
    )


def _drilled(pair: TablePair, columns: ComparedColumns, buckets: Buckets, *, ours: bool) -> str:
    """Rows of the bad buckets; where the bucket follows from the key, only they are hashed."""
    bad = "b in (select b from bad)"
    if not columns.keys:
        return f"select * from {_rows(pair, columns, buckets, ours=ours)} where {bad}"
    side = pair.ours if ours else pair.theirs
    dialect = side.warehouse.dialect
    hashed = row_hash((*columns.key_names, *columns.value_names), dialect)
    kept = ", ".join(columns.key_names) if buckets.busy else "*"
    rows = f"(select {columns.selected(ours=ours)} from {side.rows_sql}) as r"
    if dialect == "duckdb" and buckets.width and not buckets.busy:
        # a list of keys, unlike one of buckets, lets DuckDB skip the other columns of a row
        first = f"b * {buckets.width} + {buckets.low}"
        keys = f"select {first} + unnest(range({buckets.width})) from bad"
        return f"select {kept}, {hashed} as h from {rows} where k0 in ({keys})"
    placed = f"(select *, {buckets.bucket} as b from {rows}) as placed"
    return f"select {kept}, {hashed} as h from {placed} where {bad}"


def _suspects(pair: TablePair, columns: ComparedColumns, buckets: Buckets, *, ours: bool) -> str:
    """Drilled rows, without the keys that have one equal row on either side."""
    drilled = "drilled_o" if ours else "drilled_t"
    if not columns.keys:
        return f"select * from {drilled}"
    rows = f"{drilled} as r"
    hashed = ""
    if buckets.busy:
        side = pair.ours if ours else pair.theirs
        rows = f"(select {columns.selected(ours=ours)} from {side.rows_sql}) as r"
        names = (*columns.key_names, *columns.value_names)
        hashed = f", {row_hash(names, side.warehouse.dialect)} as h"
    same = " and ".join(f"x.{name} = r.{name}" for name in columns.key_names)
    return (
        f"select *{hashed} from {rows} where exists (select 1 from {KEY_COUNTS} as x where {same})"
    )


def _sums(source: str, buckets: Buckets, dialect: str, *, ours: bool) -> str:
    """One line per bucket. Keys are told apart on our side only: a bucket there without a double
    key can equal one in number and hash only if that has none either."""
    total = hash_sum("h", dialect)
    distinct = ""
    if buckets.distinct:
        distinct = f", {buckets.distinct} as d" if ours else ""
        if dialect == "duckdb":
            # cheaper, and safe where no key comes twice; hashed once more, since the hash of a row
            # is itself an XOR with the hash of its last column
            total = "bit_xor(hash(h))"
    return f"select b, count(*) as n, {total} as s{distinct} from {source} group by b"


def _compared(buckets: Buckets) -> str:
    differs = "o.n is distinct from t.n or o.s is distinct from t.s"
    if buckets.distinct:
        differs += " or o.n > o.d"
    return (
        "select coalesce(o.b, t.b) as b, coalesce(o.n, 0) as no, coalesce(t.n, 0) as nt"
        f", case when {differs} then 1 else 0 end as differs "
        "from bo as o full join bt as t on o.b = t.b"
    )


def _bad(columns: ComparedColumns, buckets: Buckets) -> str:
    """Buckets to drill: none where they are too many; without a key there is no other way."""
    differing = "select b from compared where differs = 1 and b is not null"
    if not columns.keys:
        return differing
    return (
        f"{differing} and (select sum(no + nt) from compared where differs = 1 and b is not null) "
        f"<= (select {buckets.limit} * sum(no + nt) + {_FEW_ROWS} from compared)"
    )


def _totals(dialect: str) -> str:
    text = {"bigquery": "string", "postgres": "text"}.get(dialect, "varchar")

    def of(number: str, condition: str = "1 = 1") -> str:
        return f"(select coalesce({number}, 0) from compared where {condition})"

    counted = (
        f"{of('sum(no)')} as rows_ours, {of('sum(nt)')} as rows_theirs, "
        f"{of('sum(no)', 'b is null')} as null_ours, {of('sum(nt)', 'b is null')} as null_theirs, "
        f"{of('count(*)', 'b is not null')} as buckets, "
        f"{of('count(*)', 'differs = 1 and b is not null')} as buckets_differing, "
        f"(select count(*) from bad) as drilled, -1 as surplus_all, {difference_counts()}"
    )
    shown = " || '|' || ".join(f"cast({name} as {text})" for name in TOTALS)
    return f"(select {shown} from (select {counted}) as counted) as numbers"
