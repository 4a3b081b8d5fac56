"""Read counts and aggregates of both tables of a pair: one statement and one scan per side."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime

from dagster_agent.model import Cell
from dagster_agent.reconciliation.aggregates import (
    NO_NUMBERS,
    Name,
    PairAggregates,
    SideAggregates,
    Totals,
    added_up,
)
from dagster_agent.reconciliation.canonical import kind_of
from dagster_agent.reconciliation.comparison import Comparison, Side, TablePair

MAX_DAYS = 5_000
"""Days told apart; a column with more of them is no day."""

_FORMS = {
    "missing": "count(*) - count({x})",
    "sum": "sum({x})",
    "min": "min({x})",
    "max": "max({x})",
    "true": "sum(case when {x} then 1 else 0 end)",
    "magnitude": "sum(abs({x}))",
}
_FINITE = "case when {x} between -1.7976931348623157e308 and 1.7976931348623157e308 then {x} end"
_NO_NUMBER = "lower(cast({x} as {text})) = 'nan'"
_HIDDEN = {
    **_FORMS,
    "sum": f"sum({_FINITE})",
    "magnitude": f"sum(abs({_FINITE}))",
    "nan": f"sum(case when {_NO_NUMBER} then 1 else 0 end)",
    "infinite": "sum(case when {x} > 1.7976931348623157e308 and not "
    f"{_NO_NUMBER} then 1 else 0 end)",
    "negative infinite": "sum(case when {x} < -1.7976931348623157e308 then 1 else 0 end)",
}
"""Of columns with NaN or infinity, in the sum of which every other value disappears."""


def measure(pair: TablePair) -> PairAggregates:
    """Count both tables, with the aggregates of measures and columns, by day where there is one.

    Raises:
        ConnectorError: As `Warehouse.query`, such as for an expression that does not exist.
    """
    names = aggregates_of(pair)
    started = time.monotonic()
    ours, theirs = (_read(pair, side, names) for side in (pair.ours, pair.theirs))
    hidden = ours.totals.without_sum & theirs.totals.without_sum
    if hidden:
        names = tuple(_with_counts(names, hidden))
        ours, theirs = (_read(pair, side, names, hidden) for side in (pair.ours, pair.theirs))
    return PairAggregates(ours=ours, theirs=theirs, seconds=time.monotonic() - started)


def _with_counts(names: Sequence[Name], hidden: Collection[str]) -> Iterator[Name]:
    """The aggregates, with counts of what is no finite number after the sums that it hides."""
    for column, aggregate in names:
        yield column, aggregate
        if aggregate == "sum" and column in hidden:
            yield from ((column, name) for name in NO_NUMBERS)


def aggregates_of(pair: TablePair) -> tuple[Name, ...]:
    """What is asked of each compared column, measures first.

    Of columns whose rows are compared anyway only missing values are counted: sums and extremes of
    many columns would cost as much as comparing the rows, which tells more.
    """
    rows_follow = pair.rows_asked and bool(pair.keys)
    found: list[Name] = []
    for column in dict.fromkeys((*pair.measures, *pair.columns)):
        if rows_follow and column not in pair.measures:
            found.append((column, "missing"))
        else:
            found += [(column, name) for name in _aggregates(pair, column)]
    return tuple(found)


def day_sql(side: Side, column: str) -> str:
    """SQL for the UTC day of a column with days or times."""
    sql, found = side.sql(column), side.column(column)
    name = found.type.upper() if found else ""
    zoned = "WITH TIME ZONE" in name or name.startswith(("TIMESTAMPTZ", "TIMESTAMP_TZ"))
    dialect = side.warehouse.dialect
    if zoned and dialect == "snowflake":
        return f"cast(convert_timezone('UTC', {sql}) as date)"
    if zoned and dialect != "bigquery":
        return f"cast({sql} at time zone 'UTC' as date)"
    return f"cast({sql} as date)"


def aggregates_in(comparison: Comparison) -> PairAggregates:
    """What was read already, or else is read now.

    Raises:
        ConnectorError: As `measure`.
    """
    if comparison.aggregates is not None:
        return comparison.aggregates
    if comparison.tables is None:
        raise ValueError("there are no two tables to measure")
    return measure(comparison.tables)


def _read(
    pair: TablePair, side: Side, names: Sequence[Name], hidden: Collection[str] = ()
) -> SideAggregates:
    text = "string" if side.warehouse.dialect == "bigquery" else "varchar"
    selected = "".join(
        f", {(_HIDDEN if column in hidden else _FORMS)[aggregate]} as a{i}".format(
            x=side.sql(column), text=text
        )
        for i, (column, aggregate) in enumerate(names)
    )
    if pair.day is not None:
        day = day_sql(side, pair.day)
        query = f"select {day} as day, count(*) as n{selected} from {side.rows_sql} group by 1"
        result = side.warehouse.query(query, purpose="aggregates by day", max_rows=MAX_DAYS)
        if not result.truncated:
            by_day = {_day(row[0]): _totals(row[1:], names) for row in result.rows}
            totals = added_up(by_day.values(), names)
            return SideAggregates(totals=totals, by_day=dict(sorted(by_day.items())), query=query)
    query = f"select count(*) as n{selected} from {side.rows_sql}"
    (row,) = side.warehouse.query(query, purpose="aggregates").rows
    return SideAggregates(totals=_totals(row, names), by_day=None, query=query)


def _totals(row: Sequence[Cell], names: Sequence[Name]) -> Totals:
    values: Mapping[Name, Cell] = dict(zip(names, row[1:], strict=True))
    return Totals(rows=int(str(row[0])), values=values)


def _day(value: Cell) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _aggregates(pair: TablePair, column: str) -> tuple[str, ...]:
    kinds = [
        kind_of(found.type, side.warehouse.dialect)
        for side in (pair.ours, pair.theirs)
        if (found := side.column(column))
    ]
    names = {kind.name for kind in kinds}
    # text on one side cannot be summed there without saying how to read it
    if names <= {"integer", "decimal", "float"}:
        return ("missing", "sum", "min", "max", *(["magnitude"] if "float" in names else []))
    if names <= {"date", "timestamp"}:
        return ("missing", "min", "max")
    return ("missing", "true") if names == {"boolean"} else ("missing",)
