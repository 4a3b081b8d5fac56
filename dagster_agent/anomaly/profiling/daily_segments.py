"""Rows of a closed day by the values of the columns that are segments.

In a table that grows, the newest day hardly moves the numbers of the whole: a segment that doubles,
vanishes or changes its name on one day is seen by that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime

from dagster_agent.anomaly.profiling.aggregates import number
from dagster_agent.anomaly.profiling.categories import label_sql, shown
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import MeasuredColumn
from dagster_agent.model import Cell, Relation
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import relation_sql

_DAYS = 800
"""Most days of a value; the backfill is shorter, and moments of the future are bounded."""


def segment_columns(
    columns: Sequence[MeasuredColumn], names: Sequence[str]
) -> tuple[MeasuredColumn, ...]:
    """Those that are named; what is misspelt is told by the profile of the whole table."""
    wanted = {name.casefold() for name in names}
    return tuple(column for column in columns if column.name.casefold() in wanted)


def is_segment_of(metric: str, column: str) -> bool:
    """Whether a metric counts rows of one value of a column, as `row_count{country=DE}` does."""
    return metric.startswith(f"row_count{{{column}=")


def rows_by_segment(
    relation: Relation,
    segment: MeasuredColumn,
    day: str,
    condition: str,
    warehouse: Warehouse,
    *,
    most: int,
    known: Collection[str],
) -> Mapping[date, Mapping[str, float]]:
    """Rows by day and metric, of the commonest values and of those that are known.

    Args:
        relation: The table.
        segment: The column.
        day: SQL of a row's day.
        condition: SQL of the rows to read.
        warehouse: Where the table is.
        most: Values that are counted apart.
        known: Metrics of earlier days: a value that is gone has 0 rows.

    Returns:
        For every day with rows of any value, all of the metrics.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    grammar = Grammar(warehouse.dialect)
    table, name = relation_sql(relation, grammar.dialect), grammar.name(segment.name)
    rows = f"{table} WHERE {condition} AND {name} IS NOT NULL"
    common = (
        f"SELECT {name} FROM {rows} GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {most}"
    )
    label = label_sql(segment, grammar)
    sql = (
        f"SELECT {day} AS d, {label} AS label, count(*) AS n FROM {rows} "
        f"AND {name} IN (SELECT {name} FROM ({common}) AS common) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    answer = warehouse.query(
        sql, purpose=f"profile {relation} by day and {segment.name}", max_rows=most * _DAYS
    )
    values = list(dict.fromkeys(str(row[1]) for row in answer.rows))
    labels = values if segment.personal else shown(segment, values)
    names = dict(zip(values, labels, strict=True))
    metrics = {m for m in known if is_segment_of(m, segment.name)}
    metrics |= {_metric(segment, value) for value in labels}
    found: dict[date, dict[str, float]] = defaultdict(lambda: dict.fromkeys(sorted(metrics), 0.0))
    for at, value, count in _counted(answer.rows):
        found[at][_metric(segment, names[value])] += count
    return found


def _metric(segment: MeasuredColumn, label: str) -> str:
    return f"row_count{{{segment.name}={label}}}"


def _counted(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[date, str, float]]:
    for at, value, count in rows:
        if isinstance(at, date):
            yield at.date() if isinstance(at, datetime) else at, str(value), number(count) or 0.0
