"""One store, few differences: sums of row hashes by bucket of keys, then the differing buckets.

One statement reads both tables once and adds up a hash and a count per bucket; only rows of
buckets that differ are read again, paired and judged, all inside the store. Where nothing differs
the second part reads nothing. Measured at 10 million rows: 1.2 times the CPU of a bare scan that
hashes every column of both tables where they are equal, 1.8 times with 0.01 % differences.
"""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.buckets import Buckets
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.matching import matched_tables
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
    equal_result,
    read_result,
)
from dagster_agent.reconciliation.row_comparison.row_hash import (
    materialized,
    row_hash,
)
from dagster_agent.reconciliation.row_comparison.sides import side_rows, side_tables
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.value_forms import hash_sum

_FEW_ROWS = 10_000
"""Drilled whatever their share."""


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
    raw = _equal(pair, columns, buckets, journal) if buckets.calm else None
    if raw is None:
        statement = _statement(pair, columns, buckets, examples)
        result = journal.ask(pair.ours.warehouse, statement, max_rows=5 * examples + 2)
        raw = read_result(result, columns)
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
    found["surplus_theirs"] += surplus
    return replace(raw, totals=found)


def _equal(
    pair: TablePair, columns: ComparedColumns, buckets: Buckets, journal: Journal
) -> RawResult | None:
    """The answer where no bucket differs, by a statement that is planned in a tenth of the time;
    None where one does."""

    def of(number: str, null: str) -> str:
        return f"sum(case when {null} then {number} else 0 end)"

    tables = ", ".join(_compared_tables(pair, columns, buckets))
    found = journal.numbers(
        pair.ours.warehouse,
        f"with {tables} select sum(no) as rows_ours, sum(nt) as rows_theirs, "
        f"{of('no', 'b is null')} as null_ours, {of('nt', 'b is null')} as null_theirs, "
        f"{of('1', 'b is not null')} as buckets, "
        f"{of('differs', 'b is not null')} as buckets_differing from compared",
    )
    if found["buckets_differing"]:
        return None
    return equal_result(found, columns)


def _compared_tables(pair: TablePair, columns: ComparedColumns, buckets: Buckets) -> list[str]:
    """Up to `compared`: a line for each bucket of either side."""
    dialect = pair.ours.warehouse.dialect
    kept = materialized(dialect)
    sources = [_rows(pair, columns, buckets, ours=ours) for ours in (True, False)]
    return [
        *side_tables(pair, columns),
        *(
            f"b{side} as {kept}({_sums(source, buckets, dialect, ours=side == 'o')})"
            for side, source in zip("ot", sources, strict=True)
        ),
        f"compared as {kept}({_compared(buckets)})",
    ]


def _statement(pair: TablePair, columns: ComparedColumns, buckets: Buckets, examples: int) -> str:
    dialect = pair.ours.warehouse.dialect
    kept = materialized(dialect)
    tables = [
        *_compared_tables(pair, columns, buckets),
        f"bad as {kept}({_bad(columns, buckets)})",
        *_drilled_tables(pair, columns, buckets),
        pairing_tables(columns, dialect),
    ]
    totals = _totals(dialect)
    return f"with {', '.join(tables)} {result_rows(columns, totals, examples, dialect)}"


def _drilled_tables(pair: TablePair, columns: ComparedColumns, buckets: Buckets) -> list[str]:
    """From `bad` to `key_counts`, `o` and `t`."""
    dialect = pair.ours.warehouse.dialect
    if buckets.busy and buckets.matched(dialect):
        return matched_tables(pair, columns, buckets, chosen="b in (select b from bad)")
    kept = materialized(dialect)
    return [
        *(
            f"drilled_{side} as {kept}({_drilled(pair, columns, buckets, ours=ours)})"
            for side, ours in zip("ot", (True, False), strict=True)
        ),
        unequal_keys(columns, dialect),
        *(
            f"{side} as {kept}({_suspects(pair, columns, buckets, ours=ours)})"
            for side, ours in zip("ot", (True, False), strict=True)
        ),
    ]


def _rows(pair: TablePair, columns: ComparedColumns, buckets: Buckets, *, ours: bool) -> str:
    """Keys, values, row hash h and bucket b of one side."""
    side = pair.ours if ours else pair.theirs
    names = (*columns.key_names, *columns.value_names)
    hashed = row_hash(names, side.warehouse.dialect)
    return (
        f"(select *, {buckets.bucket} as b from (select *, {hashed} as h from "
        f"{side_rows(pair, columns, ours=ours)}) as hashed) as placed"
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
    rows = side_rows(pair, columns, ours=ours)
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
        rows = side_rows(pair, columns, ours=ours)
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
        f"(select count(*) from bad) as drilled, {difference_counts()}"
    )
    shown = " || '|' || ".join(f"cast({name} as {text})" for name in TOTALS)
    return f"(select {shown} from (select {counted}) as counted) as numbers"
