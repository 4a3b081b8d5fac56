"""Metrics beyond single columns: duplicates of the key, patterns, segments, the customer's own.

Each runs as a statement of its own, so that a wrong one spoils nothing but itself; what could not
be measured is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dagster_agent.anomaly.profiling.aggregates import finite, number
from dagster_agent.anomaly.profiling.categories import label_sql, shown
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn
from dagster_agent.anomaly.profiling.statement import Extent
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Cell
from dagster_agent.ports import Warehouse

_SEGMENT_COLUMNS = 20
"""Columns that are measured within each segment, in table order."""


def further_metrics(
    extent: Extent,
    columns: Sequence[MeasuredColumn],
    grammar: Grammar,
    warehouse: Warehouse,
    *,
    config: ProfilingConfig,
    key: Sequence[str],
) -> tuple[Mapping[str, float], Mapping[str, str]]:
    """Metrics by name, and why the others could not be measured."""
    by_name = {column.name.casefold(): column for column in columns}
    found: dict[str, float] = {}
    failed: dict[str, str] = {}
    asked = [
        *_keys(extent, by_name, grammar, key if config.check_keys else ()),
        *_patterns(extent, by_name, grammar, config.patterns),
        *_own(extent, config.custom_metrics),
    ]
    for metric, sql in asked:
        try:
            value = number(warehouse.query(sql, purpose=f"profile {metric}", max_rows=2).scalar())
        except (DagsterAgentError, ValueError) as error:
            failed[metric] = _told(error)
            continue
        if value is not None:
            found[metric] = value
    for name in config.segments:
        column = by_name.get(name.casefold())
        if column is None:
            failed[f"{{{name}=...}}"] = f"there is no column {name!r}"
            continue
        found |= _segments(column, columns, extent, grammar, warehouse, config.max_segments)
    return found, failed


def _told(error: DagsterAgentError | ValueError) -> str:
    return error.message if isinstance(error, DagsterAgentError) else "it is not one number"


def _keys(
    extent: Extent, by_name: Mapping[str, MeasuredColumn], grammar: Grammar, key: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Rows more than there are keys, as a share of the rows that have one."""
    columns = [by_name[name.casefold()] for name in key if name.casefold() in by_name]
    if not columns or len(columns) < len(key):
        return
    names = ", ".join(grammar.name(column.name) for column in columns)
    filled = " AND ".join(f"{grammar.name(column.name)} IS NOT NULL" for column in columns)
    repeated = (
        f"SELECT count(*) - 1 AS k FROM {extent.relation} WHERE {filled} "
        f"GROUP BY {names} HAVING count(*) > 1"
    )
    rows = f"SELECT count(*) FROM {extent.relation} WHERE {filled}"
    more = f"SELECT coalesce(sum(k), 0) FROM ({repeated}) AS repeated"
    share = f"{grammar.double(f'({more})')} / nullif(({rows}), 0)"
    yield f"duplicate_share.{'+'.join(column.name for column in columns)}", f"SELECT {share} AS v"


def _patterns(
    extent: Extent,
    by_name: Mapping[str, MeasuredColumn],
    grammar: Grammar,
    patterns: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    for name, pattern in patterns.items():
        known = by_name.get(name.casefold())
        quoted = grammar.name(known.name if known else name)
        matching = f"count(CASE WHEN {grammar.matches(grammar.text(quoted), pattern)} THEN 1 END)"
        share = f"{grammar.double(matching)} / nullif(count({quoted}), 0)"
        yield f"match_share.{name}", f"SELECT {share} AS v FROM {extent.relation}"


def _own(extent: Extent, metrics: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, sql in metrics.items():
        words = sql.split(None, 1)
        is_query = bool(words) and words[0].casefold() in ("select", "with")
        yield f"custom.{name}", sql if is_query else f"SELECT {sql} AS v FROM {extent.relation}"


def _segments(
    segment: MeasuredColumn,
    columns: Sequence[MeasuredColumn],
    extent: Extent,
    grammar: Grammar,
    warehouse: Warehouse,
    most: int,
) -> dict[str, float]:
    measured = [c for c in columns if c.name != segment.name][:_SEGMENT_COLUMNS]
    asked = ["count(*) AS n"]
    for index, column in enumerate(measured):
        asked.append(f"count({grammar.name(column.name)}) AS c{index}")
        if column.kind is Kind.NUMBER:
            asked.append(f"avg({finite(column, grammar)}) AS m{index}")
    name = grammar.name(segment.name)
    sql = (
        f"SELECT {label_sql(segment, grammar)} AS label, {', '.join(asked)} FROM {extent.relation} "
        f"WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY count(*) DESC, 1 LIMIT {most}"
    )
    rows = warehouse.query(sql, purpose=f"profile by {segment.name}", max_rows=most).rows
    values = [str(row[0]) for row in rows]
    labels = values if segment.personal else shown(segment, values)
    found: dict[str, float] = {}
    for value, row in zip(labels, rows, strict=True):
        suffix = f"{{{segment.name}={value}}}"
        for metric, amount in _segment_metrics(measured, row):
            found[metric + suffix] = amount
    return found


def _segment_metrics(
    columns: Sequence[MeasuredColumn], row: Sequence[Cell]
) -> Iterator[tuple[str, float]]:
    cells = iter(row[1:])
    rows = number(next(cells)) or 0.0
    yield "row_count", rows
    for column in columns:
        filled = number(next(cells)) or 0.0
        if rows:
            yield f"null_share.{column.name}", (rows - filled) / rows
        if column.kind is Kind.NUMBER and (mean := number(next(cells))) is not None:
            yield f"mean.{column.name}", mean
