"""What comparing across stores would cost, and which plan is cheaper.

Both plans ask both stores at the same time, so the slower side decides. The speed of a line is
measured on rows of the very statement that fetching would send.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.sending import sent_sql
from dagster_agent.reconciliation.row_comparison.store import Journal

CHECKSUM_SECONDS = 4e-6
"""What checksums cost per row, from the first to the last statement: 3.2 to 4.6 microseconds were
measured with PostgreSQL 15 and ten columns. Adding hashes up without buckets takes 1.6 of them."""
SMALL_ROWS = 100_000
"""Tables up to this size are fetched whatever the line."""
FIRST_ROWS = 2_000
"""Rows fetched before the line is measured: connections are opened and schemas looked up by then.
"""
PROBE_ROWS = (20_000, 100_000)
"""Rows that measurements of the line fetch, until one takes long enough."""
PROBE_SECONDS = 0.1
"""Rows that flow for so long tell more than noise."""
PROBE_SHARE = 0.1
"""Of a table, at most, once the fewest rows have told something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A plan across stores."""

    plan: Literal["stream", "checksum"]
    """Fetch the rows, or checksums first."""
    reason: str
    """With the deciding numbers."""


FETCHING = Choice(plan="stream", reason="two stores; `across: stream` is set")
"""Where nothing has to be known of the tables before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a measurement between a store and here said."""

    name: str
    """Of the store."""
    width: float
    """Bytes of a row."""
    speed: float
    """Bytes per second."""
    rows: int
    """Fetched to find out."""
    seconds: float
    """What that took, from when rows could flow."""


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
        config: `across` decides at once; `bytes_per_second` spares measuring how fast a line is.
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
    lines = [
        _measured(pair, columns, config, count, journal, ours=ours)
        for ours, count in zip((True, False), rows, strict=True)
    ]
    return cheaper(lines, rows, config.bytes_per_second)


def cheaper(lines: Sequence[Line], rows: Sequence[int], configured: float | None) -> Choice:
    """The plan that takes less time.

    Args:
        lines: Of ours and theirs.
        rows: Of ours and theirs.
        configured: Bytes per second that replace what was measured.
    """
    sizes = [count * line.width for count, line in zip(rows, lines, strict=True)]
    taken = [size / (configured or line.speed) for size, line in zip(sizes, lines, strict=True)]
    fetching, checksums = max(taken), max(rows) * CHECKSUM_SECONDS
    place = taken.index(fetching)
    slower, size = lines[place], sizes[place]
    told = f"{configured / 1e6:,.1f} MB/s as configured" if configured else _told(slower)
    reason = (
        f"two stores; fetching {size / 1e6:,.1f} MB of {slower.name} takes about {fetching:,.1f} s,"
        f" at {told}; checksums of {max(rows):,} rows take about {checksums:,.1f} s"
    )
    return Choice(plan="stream" if fetching < checksums else "checksum", reason=reason)


def _told(line: Line) -> str:
    return (
        f"{line.speed / 1e6:,.1f} MB/s as measured ({line.rows:,} rows of {line.width:,.0f} bytes "
        f"in {line.seconds:,.2f} s)"
    )


def checkable(pair: TablePair, columns: ComparedColumns) -> bool:
    """Both stores write every compared value as the same text."""
    floats = any(c.kind.name == "float" for c in (*columns.keys, *columns.values))
    dialects = {pair.ours.warehouse.dialect, pair.theirs.warehouse.dialect}
    return not floats or dialects <= {"duckdb", "postgres"}


def line_of(name: str, rows: int, size: int, *, flowing: float, seconds: float) -> Line:
    """A line by one fetch.

    What came before the first rows counts for little, but never for nothing: a connector that
    fetches all of them beforehand shall not tell of an absurd speed.

    Args:
        name: Of the store.
        rows: That came.
        size: Bytes of them.
        flowing: Seconds from the statement's start to the last row.
        seconds: The same with everything before the start, such as opening a connection.
    """
    taken = max(flowing, seconds / 4, 1e-3)
    width = size / max(1, rows)
    return Line(name=name, width=width, speed=max(size, 1) / taken, rows=rows, seconds=taken)


def _measured(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    count: int,
    journal: Journal,
    *,
    ours: bool,
) -> Line:
    """Fetch ever more of a side's `count` rows until they flow for `PROBE_SECONDS`."""
    side, sql = (pair.ours if ours else pair.theirs), sent_sql(pair, columns, ours=ours)
    line = _fetched(side, f"{sql} limit {FIRST_ROWS}", journal)
    for number, limit in enumerate(PROBE_ROWS):
        slow = line.seconds >= PROBE_SECONDS * (1 if number else 10)
        if config.bytes_per_second or slow or (number and limit > count * PROBE_SHARE):
            break
        line = _fetched(side, f"{sql} limit {limit}", journal)
    return line


def _fetched(side: Side, sql: str, journal: Journal) -> Line:
    journal.queries.append(sql)
    opened = time.monotonic()
    with side.warehouse.batches(sql, purpose="row comparison: speed of the line") as reader:
        started = time.monotonic()
        batches = [(batch.num_rows, batch.nbytes) for batch in reader]
        ended = time.monotonic()
    rows, size = sum(n for n, _ in batches), sum(b for _, b in batches)
    journal.rows_fetched += rows
    journal.bytes_moved += size
    name = side.warehouse.name
    return line_of(name, rows, size, flowing=ended - started, seconds=ended - opened)
