"""The plans for two tables in one store, and the choice between them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

from dagster_agent.ports import SharesConnection
from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.bucket_plan import compare_buckets
from dagster_agent.reconciliation.row_comparison.buckets import (
    Buckets,
    hash_buckets,
    integer_key,
    range_buckets,
)
from dagster_agent.reconciliation.row_comparison.columns import (
    ComparedColumn,
    ComparedColumns,
    compared_columns,
)
from dagster_agent.reconciliation.row_comparison.difference import PlanChosen, RowDifference
from dagster_agent.reconciliation.row_comparison.glance import FROM_ROWS, Glance, glance
from dagster_agent.reconciliation.row_comparison.join_plan import compare_joined
from dagster_agent.reconciliation.row_comparison.result import difference_of
from dagster_agent.reconciliation.row_comparison.row_hash import BITMAP_BITS
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.value_forms import plain_form
from dagster_agent.reconciliation.row_comparison.wide_tables import WIDE, compare_wide

BUSY_SHARE = 0.002
"""Share of differing rows from which small buckets are cheaper."""
BUSY_BUCKET_ROWS = 16
"""Rows per bucket then."""
JOINED_SHARE = 0.03
"""Share of differing rows from which joining everything at once is cheaper."""
_LARGEST = 2**63
"""One more than a 64-bit integer holds."""
_WIDEST = 2**62
"""Ranges of keys beyond it overflow when they are shifted."""
_MOST_LISTED = 1024
"""Integers of one bucket that are listed; of sparse keys most would be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """How many rows there are and between which keys."""

    rows: int
    """Of the larger table."""
    low: int = 0
    """The smallest key."""
    span: int | None = None
    """Integers from there to the largest one; None where keys have no usable order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What is expected to differ."""

    share: float | None
    """Of the rows; None where nothing is known."""
    told: str
    """Where it comes from."""

    @property
    def much(self) -> bool:
        """Too much for buckets."""
        return self.share is not None and self.share > JOINED_SHARE

    @property
    def many(self) -> bool:
        """Enough for small buckets."""
        return self.share is not None and self.share > BUSY_SHARE


def compare_in_store(
    pair: TablePair,
    config: ReconciliationConfig,
    *,
    expected_share: float | None,
    columns: ComparedColumns | None = None,
) -> RowDifference:
    """Compare two tables of one store; see `comparing.compare_rows`.

    Args:
        pair: The tables.
        config: As there.
        expected_share: As there.
        columns: How each column is compared, where the columns of the pair do not tell: of landed
            tables, of which no part can be looked at for much less than all of them.
    """
    glances = columns is None and expected_share is None
    columns = columns or compared_columns(pair, native=True)
    warehouse = pair.ours.warehouse
    shared = warehouse.together() if isinstance(warehouse, SharesConnection) else nullcontext()

    def compared(some: ComparedColumns, share: float | None) -> RowDifference:
        return _compared(pair, some, config, share, glances=glances and share is None)

    with shared:
        if len(columns.values) > WIDE:
            return compare_wide(columns, expected_share, warehouse.dialect, compared)
        return compared(columns, expected_share)


def _compared(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    expected_share: float | None,
    *,
    glances: bool,
) -> RowDifference:
    journal = Journal()
    if pair.inferred and not columns.values:
        reason = "only the coverage of keys is asked for"
        return _joined(pair, columns, config, journal, reason)
    known = _last(expected_share)
    if columns.keys and known.much:
        return _joined(pair, columns, config, journal, f"{known.told}: too much for buckets")
    number = _ordered(columns, pair.ours.warehouse.dialect)
    extent = _extent(pair, columns, number, journal)
    seen = _seen(pair, columns, extent, journal) if glances else None
    known = _at_a_glance(seen) if seen is not None else known
    if columns.keys and known.much:
        return _joined(pair, columns, config, journal, f"{known.told}: too much for buckets")
    buckets = _buckets(pair, columns, config, number, extent, seen, known)
    raw = compare_buckets(pair, columns, buckets, config.sample_rows, journal)
    if raw is None:
        reason = f"more than {buckets.limit * 100:.0f} % of the rows are in buckets that differ"
        return _joined(pair, columns, config, journal, reason)
    differing, count = raw.totals["buckets_differing"], raw.totals["buckets"]
    reason = (
        f"same store, {_why(columns, buckets)}, {extent.rows:,} rows in the larger table, "
        f"{buckets.rows} a bucket ({known.told}); "
        f"{differing:,} of {count:,} buckets were read again"
    )
    plan = _plan(f"{buckets.by} buckets", reason, journal)
    return difference_of(raw, plan=plan, queries=tuple(journal.queries))


def _joined(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    journal: Journal,
    reason: str,
) -> RowDifference:
    raw = compare_joined(pair, columns, config.sample_rows, journal)
    plan = _plan("join", reason, journal)
    return difference_of(raw, plan=plan, queries=tuple(journal.queries))


def _plan(name: str, reason: str, journal: Journal) -> PlanChosen:
    return PlanChosen(
        name=name,
        reason=reason,
        bytes_moved=journal.bytes_moved,
        statements=len(journal.queries),
        rows_fetched=journal.rows_fetched,
    )


def _why(columns: ComparedColumns, buckets: Buckets) -> str:
    if buckets.by == "row":
        return "no key"
    if buckets.by == "range":
        return f"key {columns.keys[0].name} has an order"
    names = [key.name for key in columns.keys]
    if len(names) > 1:
        return f"the key has {len(names)} columns"
    return f"key {names[0]} has no usable order"


def _last(share: float | None) -> _Expected:
    told = "no former run" if share is None else f"{share:.2%} differed last time"
    return _Expected(share=share, told=told)


def _at_a_glance(seen: Glance) -> _Expected:
    told = f"no former run; {seen.share:.2%} differ in a few stretches of keys"
    return _Expected(share=seen.share, told=told)


def _seen(
    pair: TablePair, columns: ComparedColumns, extent: _Extent, journal: Journal
) -> Glance | None:
    dialect = pair.ours.warehouse.dialect
    plain = dialect == "duckdb" and integer_key(columns, dialect) is not None
    if not plain or extent.span is None or extent.rows < FROM_ROWS:
        return None
    return glance(pair, columns, extent.rows, extent.low, extent.span, journal)


def _buckets(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    number: str | None,
    extent: _Extent,
    seen: Glance | None,
    known: _Expected,
) -> Buckets:
    dialect = pair.ours.warehouse.dialect
    rows = min(BUSY_BUCKET_ROWS, config.bucket_rows) if known.many else config.bucket_rows
    if number is not None and extent.span is not None:
        lying = (seen.width, seen.dense) if seen is not None else (extent.span, extent.rows)
        width = _width(*lying, rows)
        # the last bucket's keys are listed, up to its width beyond the largest
        listed = width <= _MOST_LISTED and extent.low + extent.span + width <= _LARGEST
        plain = columns.keys[0].kind.name == "integer" and listed
        found = range_buckets(number, extent.low, width, rows=rows, dialect=dialect, plain=plain)
    else:
        count = max(1, -(-extent.rows // rows))
        found = hash_buckets(columns, count, rows=rows, dialect=dialect)
    small = known.share is None and extent.rows < FROM_ROWS
    return replace(
        found,
        # a first run may find anything: its drilling must not keep whole rows of half the table
        busy=known.many or known.share is None,
        calm=known.share == 0 or small,
    )


def _width(span: int, rows: int, bucket_rows: int) -> int:
    """Integers per bucket; at most 64 where that makes buckets no more than twice too small, since
    a bitmap of them finds duplicates for nothing."""
    width = max(1, span * bucket_rows // max(1, rows))
    if BITMAP_BITS < width <= 2 * BITMAP_BITS:
        return BITMAP_BITS
    # a power of two: shifting is cheaper than dividing
    return 1 << (width.bit_length() - 1)


def _ordered(columns: ComparedColumns, dialect: str) -> str | None:
    """SQL of the only key as an integer; None where it has no such order."""
    if len(columns.keys) != 1:
        return None
    (key,) = columns.keys
    if key.text or key.kind.name not in ("integer", "date", "timestamp"):
        return None
    if key.kind.name != "integer":
        return plain_form("k0", key.kind, key.kind, dialect) if key.native else "k0"
    return integer_key(columns, dialect) or ("k0" if dialect == "snowflake" else None)


def _extent(
    pair: TablePair, columns: ComparedColumns, number: str | None, journal: Journal
) -> _Extent:
    def counted(*, ours: bool) -> str:
        side = pair.ours if ours else pair.theirs
        extremes = f", min({number}) as low, max({number}) as high" if number else ""
        key = f"select {_key(columns.keys[0], ours=ours)} as k0" if number else "select 1 as k0"
        return f"select count(*) as n{extremes} from ({key} from {side.rows_sql}) as r"

    extremes = ", min(low) as low, max(high) as high" if number else ""
    row = next(
        journal.ask(
            pair.ours.warehouse,
            f"select max(n) as n{extremes} from "
            f"({counted(ours=True)} union all {counted(ours=False)}) as both_sides",
        ).records()
    )
    rows, low, high = int(str(row["n"])), _integer(row.get("low")), _integer(row.get("high"))
    if low is None or high is None or high - low + 1 >= _WIDEST:
        return _Extent(rows=rows)
    return _Extent(rows=rows, low=low, span=high - low + 1)


def _key(key: ComparedColumn, *, ours: bool) -> str:
    return key.ours if ours else key.theirs


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))
