"""What comparing across stores would cost, and which plan is cheaper."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.stream_plan import rows_sql

CHECKSUM_SECONDS = 1.6e-6
"""What a checksum costs the slower store per row: 8 seconds for 5 million rows in PostgreSQL 15."""
SMALL_ROWS = 100_000
"""Tables up to this size are fetched whatever the line."""
PROBE_ROWS = 20_000
"""Rows that a measurement of the line fetches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A plan across stores."""

    plan: Literal["stream", "checksum"]
    """Fetch the rows, or checksums first."""
    reason: str
    """With the deciding numbers."""


def choose(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    rows: tuple[int, int],
    journal: Journal,
) -> Choice:
    """Compare what fetching all rows takes with what checksums take.

    Args:
        pair: Tables in two stores.
        columns: Not native ones.
        config: `across` decides at once; `bytes_per_second` spares the measurement of the line.
        rows: Of ours and theirs.
        journal: Remembers the statements.
    """
    if config.across is not None:
        return Choice(plan=config.across, reason=f"two stores; `across: {config.across}` is set")
    if not checkable(pair, columns):
        reason = "two stores, and one of them has no exact text of floating-point numbers"
        return Choice(plan="stream", reason=reason)
    if max(rows) <= SMALL_ROWS:
        reason = f"two stores; {max(rows):,} rows are few enough to fetch"
        return Choice(plan="stream", reason=reason)
    moved, seconds, told = _fetching(pair, columns, config, rows, journal)
    checksums = max(rows) * CHECKSUM_SECONDS
    plan = "stream" if seconds < checksums else "checksum"
    reason = (
        f"two stores; fetching {moved / 1e6:,.1f} MB takes about {seconds:,.1f} s {told}, "
        f"checksums of {max(rows):,} rows about {checksums:,.1f} s"
    )
    return Choice(plan=plan, reason=reason)


def checkable(pair: TablePair, columns: ComparedColumns) -> bool:
    """Both stores write every compared value as the same text."""
    floats = any(c.kind.name == "float" for c in (*columns.keys, *columns.values))
    dialects = {pair.ours.warehouse.dialect, pair.theirs.warehouse.dialect}
    return not floats or dialects <= {"duckdb", "postgres"}


def _fetching(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    rows: tuple[int, int],
    journal: Journal,
) -> tuple[float, float, str]:
    """Bytes and seconds for all rows of both sides, and how that is known."""
    moved = seconds = 0.0
    speeds: list[float] = []
    for ours, count in zip((True, False), rows, strict=True):
        width, speed = _probe(pair, columns, journal, ours=ours)
        speed = config.bytes_per_second or speed
        moved += count * width
        seconds += count * width / speed
        speeds.append(speed)
    measured = "as configured" if config.bytes_per_second else "as measured"
    return moved, seconds, f"at {min(speeds) / 1e6:,.1f} MB/s {measured}"


def _probe(
    pair: TablePair, columns: ComparedColumns, journal: Journal, *, ours: bool
) -> tuple[float, float]:
    """Bytes of a row and bytes per second, from the first rows; what a statement takes to begin
    with is taken off."""
    sql = rows_sql(pair, columns, ours=ours)
    warehouse = (pair.ours if ours else pair.theirs).warehouse
    taken: list[float] = []
    read = size = 0
    for limit in (1, PROBE_ROWS):
        statement = f"{sql} limit {limit}"
        journal.queries.append(statement)
        started = time.monotonic()
        with warehouse.batches(statement, purpose="row comparison: speed of the line") as reader:
            batches = [(batch.num_rows, batch.nbytes) for batch in reader]
        taken.append(time.monotonic() - started)
        read, size = sum(n for n, _ in batches), sum(b for _, b in batches)
        journal.rows_fetched += read
        journal.bytes_moved += size
    return size / max(1, read), size / max(1e-4, taken[1] - taken[0])
