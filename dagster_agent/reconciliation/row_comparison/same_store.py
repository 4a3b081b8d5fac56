"""The plans for two tables in one store, and the choice between them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.bucket_plan import (
    Buckets,
    compare_buckets,
    hash_buckets,
    range_buckets,
)
from dagster_agent.reconciliation.row_comparison.columns import (
    ComparedColumn,
    ComparedColumns,
    compared_columns,
)
from dagster_agent.reconciliation.row_comparison.difference import PlanChosen, RowDifference
from dagster_agent.reconciliation.row_comparison.join_plan import compare_joined
from dagster_agent.reconciliation.row_comparison.result import difference_of
from dagster_agent.reconciliation.row_comparison.row_hash import BITMAP_BITS
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.value_forms import plain_form

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """How many rows there are and between which keys."""

    rows: int
    low: int | None
    high: int | None


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
        columns: How each column is compared, where the columns of the pair do not tell.
    """
    columns = columns or compared_columns(pair, native=True)
    journal = Journal()
    if pair.inferred and not columns.values:
        reason = "only the coverage of keys is asked for"
        return _joined(pair, columns, config, journal, reason)
    if columns.keys and expected_share is not None and expected_share > JOINED_SHARE:
        reason = f"{_expected(expected_share)}: too much for buckets"
        return _joined(pair, columns, config, journal, reason)
    buckets, extent = _buckets(pair, columns, config, expected_share, journal)
    raw = compare_buckets(pair, columns, buckets, config.sample_rows, journal)
    if raw is None:
        reason = f"more than {buckets.limit * 100:.0f} % of the rows are in buckets that differ"
        return _joined(pair, columns, config, journal, reason)
    differing, count = raw.totals["buckets_differing"], raw.totals["buckets"]
    reason = (
        f"same store, {_why(columns, buckets)}, {extent.rows:,} rows in the larger table, "
        f"{buckets.rows} a bucket ({_expected(expected_share)}); "
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


def _expected(share: float | None) -> str:
    return "no former run" if share is None else f"{share:.2%} differed last time"


def _buckets(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    expected_share: float | None,
    journal: Journal,
) -> tuple[Buckets, _Extent]:
    dialect = pair.ours.warehouse.dialect
    many = expected_share is not None and expected_share > BUSY_SHARE
    rows = min(BUSY_BUCKET_ROWS, config.bucket_rows) if many else config.bucket_rows
    # a first run may find anything: its drilling must not keep whole rows of half the table
    busy = many or expected_share is None
    number = _ordered(columns, dialect)
    extent = _extent(pair, columns, number, journal)
    if number is not None and extent.low is not None and extent.high is not None:
        span = extent.high - extent.low + 1
        if span < _WIDEST:
            width = _width(span, extent.rows, rows)
            # the last bucket's keys are listed, up to its width beyond the largest
            plain = columns.keys[0].kind.name == "integer" and extent.high + width < _LARGEST
            found = range_buckets(
                number, extent.low, width, rows=rows, dialect=dialect, plain=plain
            )
            return replace(found, busy=busy), extent
    count = max(1, -(-extent.rows // rows))
    found = hash_buckets(columns, count, rows=rows, dialect=dialect)
    return replace(found, busy=busy), extent


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
    if key.kind.small:
        # a smaller integer would overflow when the smallest key is taken off
        return plain_form("k0", key.kind, key.kind, dialect)
    return "k0" if dialect == "snowflake" else None


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
    return _Extent(
        rows=int(str(row["n"])),
        low=_integer(row.get("low")),
        high=_integer(row.get("high")),
    )


def _key(key: ComparedColumn, *, ours: bool) -> str:
    return key.ours if ours else key.theirs


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))
