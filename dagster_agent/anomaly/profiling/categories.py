"""How often each value of a column with few values is there; one more statement for all columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from dagster_agent.anomaly.profiling.aggregates import number
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn
from dagster_agent.anomaly.profiling.statement import Extent
from dagster_agent.model import Cell, ColumnProfile, Distribution, ResultTable
from dagster_agent.ports import Warehouse
from dagster_agent.privacy.masking import mask_table

_COMBINATIONS = 10_000
"""Most combinations of values that are counted in place of the rows."""
OTHERS = "‹others›"
"""Label of what is beyond the most categories."""
_COUNTED = (Kind.TEXT, Kind.NUMBER, Kind.PLAIN)
_SALT = "dagster_agent:"


def low_cardinality(
    columns: Iterable[MeasuredColumn], profiles: Mapping[str, ColumnProfile], rows: int, most: int
) -> tuple[MeasuredColumn, ...]:
    """Columns worth counting by value: few values, each of them there several times.

    Numbers with a fraction are no categories, nor are columns with one value for almost every row.
    """
    found: list[MeasuredColumn] = []
    for column in columns:
        profile = profiles.get(column.name)
        distinct = profile.distinct_estimate if profile else None
        if column.kind not in _COUNTED or column.inexact or not distinct:
            continue
        if distinct <= most and distinct * 2 <= rows:
            found.append(column)
    return tuple(found)


def category_distributions(
    columns: Sequence[MeasuredColumn],
    extent: Extent,
    grammar: Grammar,
    warehouse: Warehouse,
    *,
    most: int,
    combinations: int,
    now: datetime,
) -> list[Distribution]:
    """Distributions in the order of the columns; one scan.

    `combinations`: how many of the columns' values there are at most.

    Personal columns are hashed in the warehouse; other values that may not be shown, here.
    """
    if not columns:
        return []
    sql = _sql(columns, extent, grammar, combined=combinations <= _COMBINATIONS)
    limit = len(columns) * (most * 4 + 10)
    result = warehouse.query(sql, purpose="profile categories", max_rows=limit)
    counts: dict[int, list[tuple[Cell, float]]] = {}
    for which, value, rows in result.rows:
        counted = number(rows)
        if value is not None and counted is not None:
            counts.setdefault(int(number(which) or 0), []).append((value, counted))
    return [
        _distribution(column, counts[index], most, now)
        for index, column in enumerate(columns)
        if index in counts
    ]


def _sql(
    columns: Sequence[MeasuredColumn], extent: Extent, grammar: Grammar, *, combined: bool
) -> str:
    names = [grammar.name(column.name) for column in columns]
    which = " ".join(f"WHEN grouping({name}) = 0 THEN {i}" for i, name in enumerate(names))
    label = " ".join(
        f"WHEN grouping({name}) = 0 THEN {label_sql(column, grammar)}"
        for column, name in zip(columns, names, strict=True)
    )
    source, count = extent.relation, "count(*)"
    if extent.sample_only:
        source = f"({extent.picked(', '.join(names), grammar)}) AS picked"
    if combined and grammar.one_by_one:
        rows = _unlike("n", [column.name for column in columns])
        listed = ", ".join(names)
        source = (
            f"(SELECT {listed}, count(*) AS {rows} FROM {source} GROUP BY {listed}) AS combined"
        )
        count = f"sum({rows})"
    sets = ", ".join(f"({name})" for name in names)
    return (
        f"SELECT CASE {which} END AS which, CASE {label} END AS label, {count} AS n "
        f"FROM {source} GROUP BY GROUPING SETS ({sets})"
    )


def _unlike(name: str, others: Sequence[str]) -> str:
    while name in others:
        name += "_"
    return name


def label_sql(column: MeasuredColumn, grammar: Grammar) -> str:
    """The column's value as text, hashed where it is personal."""
    text = grammar.text(grammar.name(column.name))
    if not column.personal:
        return text
    return grammar.fingerprint(f"concat({grammar.literal(_SALT + column.name)}, {text})")


def _distribution(
    column: MeasuredColumn, counts: Sequence[tuple[Cell, float]], most: int, now: datetime
) -> Distribution:
    values = [str(value) for value, _ in counts]
    labels = values if column.personal else shown(column, values)
    ranked = sorted(zip(labels, (n for _, n in counts), strict=True), key=lambda p: (-p[1], p[0]))
    kept, rest = ranked[:most], ranked[most:]
    if rest:
        kept.append((OTHERS, sum(n for _, n in rest)))
    return Distribution(
        column=column.name,
        at=now,
        kind="category",
        labels=tuple(label for label, _ in kept),
        counts=tuple(n for _, n in kept),
    )


def shown(column: MeasuredColumn, values: Sequence[str]) -> list[str]:
    """The values as they may leave: those that the mask would change become hashes."""
    if column.kind is Kind.NUMBER:
        return list(values)
    table = ResultTable(columns=(column.name,), rows=tuple((value,) for value in values))
    masked = mask_table(table)
    return [
        value if cell == value else _hashed(column.name, value)
        for value, (cell,) in zip(values, masked.rows, strict=True)
    ]


def _hashed(column: str, value: str) -> str:
    # the same as in the warehouse; nothing here depends on the strength of the digest
    digest = hashlib.md5(f"{_SALT}{column}{value}".encode(), usedforsecurity=False)
    return f"#{digest.hexdigest()[:8]}"
