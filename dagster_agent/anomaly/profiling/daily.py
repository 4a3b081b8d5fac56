"""Closed days, measured apart by the time at which rows happened.

So the history of a table starts with its data and not with the first check. Days are those of UTC.
A day is closed when it is over and the table has a row of it or of a later one; days after the
newest row have not arrived, which freshness judges. Days in between without rows have a
row count of 0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dagster_agent.anomaly.profiling.aggregates import finite, number
from dagster_agent.anomaly.profiling.daily_segments import rows_by_segment, segment_columns
from dagster_agent.anomaly.profiling.event_time import EventTime
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell, MetricPoint, Relation
from dagster_agent.ports import Warehouse

PREFIX = "daily."
"""Before the name of every metric of a day: they never mix with those of whole tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Closed days of one table."""

    metrics: Mapping[date, Mapping[str, float]]
    """By day, ascending: `daily.row_count`, `daily.null_share.<column>`, ..."""
    event_time: EventTime
    """By which column."""
    query: str
    """What was run."""
    note: str = ""
    """Why fewer days were read than wanted; a sentence."""

    def points(self, asset: str) -> Iterator[MetricPoint]:
        """To keep; the time of a point is the start of its day."""
        for day, metrics in self.metrics.items():
            for metric, value in metrics.items():
                yield MetricPoint(asset=asset, metric=metric, value=value, at=start_of(day))


def start_of(day: date) -> datetime:
    """Midnight UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def first_day(newest_kept: datetime | None, now: datetime, config: ProfilingConfig) -> date:
    """From which day on to read.

    Args:
        newest_kept: Start of the newest day that was measured before; None at first sight.
        now: UTC.
        config: How far back.
    """
    earliest = now.date() - timedelta(days=config.backfill_days)
    if newest_kept is None:
        return earliest
    return max(earliest, newest_kept.date() - timedelta(days=config.late_days - 1))


def read_days(
    relation: Relation,
    columns: Sequence[MeasuredColumn],
    by: EventTime,
    warehouse: Warehouse,
    *,
    since: date,
    now: datetime,
    config: ProfilingConfig,
    known: Collection[str] = (),
) -> Days:
    """Measure the closed days from one on, in one statement and one more for each segment column.

    Args:
        relation: The table, as it is to be queried.
        columns: What to measure; the first `daily_columns` of those that can be.
        by: The column by which days are told apart.
        warehouse: Where it is.
        since: First day.
        now: UTC.
        config: When a day is closed, and how much to measure.
        known: Metrics that earlier days have: a segment that is gone has 0 rows.

    Raises:
        ConnectorError: As `Warehouse.query`.
        ConfigError: Even the newest day costs more than `max_bytes_per_profile`.
    """
    grammar = Grammar(warehouse.dialect)
    measured = [c for c in columns if _is_settled(c, by)][: config.daily_columns]
    open_day = (now - timedelta(hours=config.closed_after_hours)).date()

    def query_from(first: date) -> str:
        return _query(relation, measured, by, first, grammar)

    since, note = _affordable(query_from, since, open_day, warehouse, config)
    query = query_from(since)
    most = (open_day - since).days + 400
    result = warehouse.query(query, purpose=f"profile {relation} by day", max_rows=most)
    found: dict[date, dict[str, float]] = {}
    for row in result.rows:
        if (at := _date(row[0])) is not None and since <= at:
            found[at] = dict(_metrics(measured, row[1:]))
    closed = _closed(found, open_day)
    for segment in segment_columns(columns, config.segments):
        day = grammar.day(grammar.name(by.column.name), zoned=by.column.zoned)
        after, most = _after(by, since, grammar), config.max_segments
        plain = {metric.removeprefix(PREFIX) for metric in known if metric.startswith(PREFIX)}
        counted = rows_by_segment(relation, segment, day, after, warehouse, most=most, known=plain)
        closed = _with_segments(closed, counted)
    return Days(metrics=closed, event_time=by, query=query, note=note)


def _with_segments(
    closed: Mapping[date, Mapping[str, float]], counted: Mapping[date, Mapping[str, float]]
) -> dict[date, Mapping[str, float]]:
    """The days with the rows of each segment, which are none on a day without any."""
    none = {metric: 0.0 for metrics in counted.values() for metric in metrics}
    return {
        day: {**metrics, **{f"{PREFIX}{m}": n for m, n in counted.get(day, none).items()}}
        for day, metrics in closed.items()
    }


def _is_settled(column: MeasuredColumn, by: EventTime) -> bool:
    """Whether what a closed day's rows hold there no longer grows."""
    if column.name == by.column.name:
        return False
    return not by.life or column.kind not in (Kind.NUMBER, Kind.MOMENT)


def _query(
    relation: Relation,
    columns: Sequence[MeasuredColumn],
    by: EventTime,
    since: date,
    grammar: Grammar,
) -> str:
    from dagster_agent.sql.identifiers import relation_sql

    day = grammar.day(grammar.name(by.column.name), zoned=by.column.zoned)
    asked = [sql for column in columns for sql in _aggregates(column, grammar)]
    selected = ", ".join([f"{day} AS d", "count(*) AS n", *_aliased(asked)])
    return (
        f"SELECT {selected} FROM {relation_sql(relation, grammar.dialect)} "
        f"WHERE {_after(by, since, grammar)} GROUP BY 1 ORDER BY 1"
    )


def _affordable(
    query_from: Callable[[date], str],
    since: date,
    open_day: date,
    warehouse: Warehouse,
    config: ProfilingConfig,
) -> tuple[date, str]:
    """The first day from which on reading fits the budget, and why it is not the wanted one."""
    budget = config.max_bytes_per_profile
    scanned = warehouse.bytes_scanned(query_from(since))
    if scanned is None or scanned <= budget:
        return since, ""
    days = max(1, (open_day - since).days)
    kept = max(1, int(days * budget / scanned))
    later = open_day - timedelta(days=kept)
    over = f"{days} days would take {scanned:,} bytes, max_bytes_per_profile is {budget:,}"
    again = warehouse.bytes_scanned(query_from(later))
    if again is None or again > budget:
        raise ConfigError(
            f"closed days of {warehouse.name} were not read: {over}, and fewer hardly less",
            hint="partition the table by its timestamp, raise the budget, or set daily: false",
        )
    return later, f"{kept} days were read instead of {days}: {over}"


def _after(by: EventTime, since: date, grammar: Grammar) -> str:
    """A condition on the bare column, so that partitions can be skipped; a day wider than needed
    where the session's own time zone may decide."""
    start = since - timedelta(days=1) if by.column.zoned else since
    moment = by.column.type if by.column.zoned else "DATE"
    return f"{grammar.name(by.column.name)} >= CAST('{start.isoformat()}' AS {moment})"


def _aliased(asked: Sequence[str]) -> Iterator[str]:
    return (f"{sql} AS a{index}" for index, sql in enumerate(asked))


def _aggregates(column: MeasuredColumn, grammar: Grammar) -> Iterator[str]:
    name = grammar.name(column.name)
    yield f"count({name})"
    if column.kind is Kind.NUMBER:
        yield f"sum({finite(column, grammar)})"
        yield f"count(CASE WHEN {name} = 0 THEN 1 END)"
    elif column.kind is Kind.TRUTH:
        yield f"count(CASE WHEN {name} THEN 1 END)"
    elif column.kind is Kind.TEXT:
        yield f"count(CASE WHEN length({name}) = 0 THEN 1 END)"


_SHARES = {Kind.NUMBER: "zero_share", Kind.TRUTH: "true_share", Kind.TEXT: "empty_share"}


def _metrics(
    columns: Sequence[MeasuredColumn], cells: Sequence[Cell]
) -> Iterator[tuple[str, float]]:
    values = iter(cells)
    rows = number(next(values)) or 0.0
    yield f"{PREFIX}row_count", rows
    for column in columns:
        filled = number(next(values)) or 0.0
        if rows:
            yield f"{PREFIX}null_share.{column.name}", (rows - filled) / rows
        if column.kind is Kind.NUMBER:
            total = number(next(values))
            if total is not None:
                yield f"{PREFIX}sum.{column.name}", total
                if filled:
                    yield f"{PREFIX}mean.{column.name}", total / filled
        if share := _SHARES.get(column.kind):
            counted = number(next(values)) or 0.0
            if filled:
                yield f"{PREFIX}{share}.{column.name}", counted / filled


def _closed(
    found: Mapping[date, Mapping[str, float]], open_day: date
) -> dict[date, Mapping[str, float]]:
    """Days that are over, gaps filled with none of the rows."""
    over = sorted(day for day in found if day < open_day)
    if not over:
        return {}
    # with rows of an open day the one before has arrived, even if it has none itself
    last = open_day - timedelta(days=1) if any(day >= open_day for day in found) else over[-1]
    days = (over[0] + timedelta(days=step) for step in range((last - over[0]).days + 1))
    return {day: found.get(day, {f"{PREFIX}row_count": 0.0}) for day in days}


def _date(value: Cell) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
