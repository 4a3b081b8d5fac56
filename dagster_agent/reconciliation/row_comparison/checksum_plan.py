"""Two stores, a slow or metered line: checksums of buckets first, then only what differs.

Level 1: each store adds up hashes of its rows by bucket of keys. Level 2: of the buckets whose sums
differ, each row's key and hash. Level 3: the rows of the differing keys, which are compared like
those of one store. Measured on 5 million rows in PostgreSQL: half a byte a row and 4 kB a
difference, at 16 to 21 seconds in all. Exact but for collisions of 60 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.bucket_plan import unique_keys
from dagster_agent.reconciliation.row_comparison.buckets import MAX_DRILLED_SHARE
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns, landed_columns
from dagster_agent.reconciliation.row_comparison.difference import RowDifference
from dagster_agent.reconciliation.row_comparison.landing import LandedTables
from dagster_agent.reconciliation.row_comparison.portable_hash import portable_hash
from dagster_agent.reconciliation.row_comparison.row_hash import whole_quotient
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.stream_plan import (
    TABLES,
    compare_landed,
    rows_sql,
)
from dagster_agent.reconciliation.row_comparison.value_forms import hash_sum

BUCKET_ROWS = 128
"""Rows per checksum."""
_LISTED = 5_000
"""Buckets or keys that one statement names."""
_FEW_ROWS = 10_000
_WIDEST = _SUM_LIMIT = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many rows a side has, and between which keys."""

    rows: int
    nulls: int
    low: int | None = None
    high: int | None = None


def extents(pair: TablePair, columns: ComparedColumns, journal: Journal) -> tuple[Extent, Extent]:
    """Count both sides: one statement each."""
    ours, theirs = (_extent(pair, columns, journal, ours=ours) for ours in (True, False))
    return ours, theirs


def compare_checksums(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    place: LandedTables,
    journal: Journal,
    sizes: tuple[Extent, Extent],
) -> RowDifference | None:
    """Compare by checksums; arguments as of `stream_plan.compare_streamed`.

    Returns:
        None where so many buckets differ that fetching everything is cheaper.
    """
    bucket = _bucket(sizes)
    journal.land(
        place,
        (f"{TABLES[0]}_sums", pair.ours.warehouse, _sums(pair, columns, bucket, ours=True)),
        (f"{TABLES[1]}_sums", pair.theirs.warehouse, _sums(pair, columns, bucket, ours=False)),
    )
    differing, rows = _differing(place)
    total = sizes[0].rows + sizes[1].rows
    if rows > MAX_DRILLED_SHARE * total + _FEW_ROWS:
        return None
    ids = _differing_ids(pair, columns, bucket, differing, place, journal)
    _fetch_rows(pair, columns, ids, place, journal)
    inner = compare_landed(pair, columns, config, place, expected_share=None)
    return _whole(pair, columns, inner, sizes, journal)


def _extent(pair: TablePair, columns: ComparedColumns, journal: Journal, *, ours: bool) -> Extent:
    side = pair.ours if ours else pair.theirs
    null = " or ".join(f"{k} is null" for k in columns.key_names)
    nulls = f"sum(case when {null} then 1 else 0 end)" if null else "0"
    extremes = ", min(k0) as low, max(k0) as high" if _by_range(columns) else ""
    keys = replace(columns, values=())
    sql = (
        f"select count(*) as n, {nulls} as nulls{extremes} from "
        f"(select {keys.selected(ours=ours)} from {side.rows_sql}) as r"
    )
    row = next(journal.ask(side.warehouse, sql).records())
    low, high = row.get("low"), row.get("high")
    return Extent(
        rows=int(str(row["n"])),
        nulls=int(str(row["nulls"] or 0)),
        low=None if low is None else int(str(low)),
        high=None if high is None else int(str(high)),
    )


def _by_range(columns: ComparedColumns) -> bool:
    if len(columns.keys) != 1:
        return False
    (key,) = columns.keys
    return not key.text and key.kind.name in ("integer", "date", "timestamp")


def _bucket(sizes: tuple[Extent, Extent]) -> tuple[int, int] | int:
    """Smallest key and integers per bucket; for keys without an order the number of buckets."""
    rows = max(size.rows for size in sizes)
    lows = [size.low for size in sizes if size.low is not None]
    highs = [size.high for size in sizes if size.high is not None]
    if lows and highs and max(highs) - min(lows) < _WIDEST:
        span = max(highs) - min(lows) + 1
        return min(lows), max(1, span * BUCKET_ROWS // max(1, rows))
    return max(1, -(-rows // BUCKET_ROWS))


def _hashed(
    pair: TablePair,
    columns: ComparedColumns,
    bucket: tuple[int, int] | int,
    *,
    ours: bool,
) -> str:
    """Identity i, row hash v and bucket b of one side's rows whose key has no NULL.

    The key is part of v: values that two rows have exchanged would not show in a sum otherwise.
    """
    side = pair.ours if ours else pair.theirs
    dialect = side.warehouse.dialect
    # by names of their own: a form that is written twice is made twice, or takes long to plan
    named = landed_columns(columns)
    row = portable_hash((*named.keys, *named.values), ours=ours, dialect=dialect)
    identity = _identity(named, row, ours=ours, dialect=dialect)
    if isinstance(bucket, tuple):
        low, width = bucket
        number = whole_quotient(f"(i - {low})", width, dialect)
    else:
        number = f"mod(i, {bucket})"
    return (
        f"(select i, v, {number} as b from (select {identity} as i, {row} as v from (select "
        f"{columns.selected(ours=ours)} from {_present(columns, side, ours=ours)}) as forms) "
        "as r) as hashed"
    )


def _identity(columns: ComparedColumns, row: str, *, ours: bool, dialect: str) -> str:
    if not columns.keys:
        return row
    if _by_range(columns):
        return columns.keys[0].ours if ours else columns.keys[0].theirs
    return portable_hash(columns.keys, ours=ours, dialect=dialect)


def _present(columns: ComparedColumns, side: Side, *, ours: bool) -> str:
    present = " and ".join(f"({k.ours if ours else k.theirs}) is not null" for k in columns.keys)
    return (side.restricted(present) if present else side).rows_sql


def _sums(
    pair: TablePair, columns: ComparedColumns, bucket: tuple[int, int] | int, *, ours: bool
) -> str:
    dialect = (pair.ours if ours else pair.theirs).warehouse.dialect
    whole = {"bigquery": "int64"}.get(dialect, "bigint")
    # a sum's type is another one in every store: 62 bits of it are enough, and short
    return (
        f"select cast(b as {whole}) as b, cast(count(*) as {whole}) as n, "
        f"cast(mod({hash_sum('v', dialect)}, {_SUM_LIMIT}) as {whole}) as s "
        f"from {_hashed(pair, columns, bucket, ours=ours)} group by b"
    )


def _differing(place: LandedTables) -> tuple[list[int], int]:
    """Buckets whose counts or sums differ, and their rows on both sides."""
    result = place.warehouse.query(
        "select coalesce(o.b, t.b) as b, coalesce(o.n, 0) + coalesce(t.n, 0) as n "
        f"from {TABLES[0]}_sums as o full join {TABLES[1]}_sums as t on o.b = t.b "
        "where o.n is distinct from t.n or o.s is distinct from t.s order by 1",
        purpose="differing buckets",
        max_rows=100_000_000,
    )
    return [int(str(b)) for b, _ in result.rows], sum(int(str(n)) for _, n in result.rows)


def _differing_ids(
    pair: TablePair,
    columns: ComparedColumns,
    bucket: tuple[int, int] | int,
    differing: Sequence[int],
    place: LandedTables,
    journal: Journal,
) -> list[int]:
    """Identities whose rows differ in number or hash."""
    if not differing:
        return []
    for name, ours in zip(TABLES, (True, False), strict=True):
        source = _hashed(pair, columns, bucket, ours=ours)
        warehouse = (pair.ours if ours else pair.theirs).warehouse
        for listed in _chunks(differing):
            sql = f"select i, v from {source} where b in ({listed})"
            journal.land(place, (f"{name}_hashes", warehouse, sql))
    grouped = "select i, count(*) as n, sum(v) as s from {}_hashes group by i"
    result = place.warehouse.query(
        f"select coalesce(o.i, t.i) as i from ({grouped.format(TABLES[0])}) as o "
        f"full join ({grouped.format(TABLES[1])}) as t on o.i = t.i "
        "where o.n is distinct from t.n or o.s is distinct from t.s order by 1",
        purpose="differing keys",
        max_rows=100_000_000,
    )
    return [int(str(i)) for (i,) in result.rows]


def _fetch_rows(
    pair: TablePair,
    columns: ComparedColumns,
    ids: Sequence[int],
    place: LandedTables,
    journal: Journal,
) -> None:
    """The rows of these identities, into `ours` and `theirs`; empty tables where there are none."""
    for name, ours in zip(TABLES, (True, False), strict=True):
        side = pair.ours if ours else pair.theirs
        dialect = side.warehouse.dialect
        row = portable_hash((*columns.keys, *columns.values), ours=ours, dialect=dialect)
        identity = _identity(columns, row, ours=ours, dialect=dialect)
        for listed in _chunks(ids) if ids else ["0"]:
            condition = f"{identity} in ({listed})" if ids else "1 = 0"
            wanted = replace(pair, **{TABLES[0 if ours else 1]: side.restricted(condition)})
            journal.land(place, (name, side.warehouse, rows_sql(wanted, columns, ours=ours)))


def _chunks(numbers: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(numbers), _LISTED):
        yield ", ".join(map(str, numbers[start : start + _LISTED]))


def _whole(
    pair: TablePair,
    columns: ComparedColumns,
    inner: RowDifference,
    sizes: tuple[Extent, Extent],
    journal: Journal,
) -> RowDifference:
    """The answer for all rows: what is not in a differing key is alike on both sides."""
    ours, theirs = sizes
    found = replace(
        inner,
        rows_ours=ours.rows,
        rows_theirs=theirs.rows,
        null_ours=ours.nulls,
        null_theirs=theirs.nulls,
        keys_theirs=theirs.rows - theirs.nulls,
    )
    if not columns.keys or unique_keys(pair):
        return found
    duplicated, surplus = _duplicates(pair, columns, journal)
    keys_ours = inner.keys_theirs - inner.keys_missing + inner.keys_extra
    alike = surplus - (inner.rows_ours - keys_ours)
    surplus_theirs = alike + inner.rows_theirs - inner.keys_theirs
    return replace(
        found,
        duplicated_ours=duplicated,
        duplicated_theirs=duplicated - inner.duplicated_ours + inner.duplicated_theirs,
        keys_theirs=theirs.rows - theirs.nulls - surplus_theirs,
    )


def _duplicates(pair: TablePair, columns: ComparedColumns, journal: Journal) -> tuple[int, int]:
    """Keys that several of our rows have, and how many rows they have too many."""
    listed = ", ".join(columns.key_names)
    keys = replace(columns, values=())
    source = _present(columns, pair.ours, ours=True)
    counted = journal.numbers(
        pair.ours.warehouse,
        f"select count(*) as duplicated, sum(n - 1) as surplus from (select {listed}, "
        f"count(*) as n from (select {keys.selected(ours=True)} from {source}) as r "
        f"group by {listed} having count(*) > 1) as repeated",
    )
    return counted["duplicated"], counted["surplus"]
