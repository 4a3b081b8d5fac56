"""Bring a side to the other's grain: one row per key, its values aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.reconciliation.canonical import kind_of
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.described import types_of
from dagster_agent.reconciliation.entry import Column, ReconcileEntry
from dagster_agent.sql.identifiers import quote


def grouped(pair: TablePair, entry: ReconcileEntry) -> TablePair:
    """The pair with its `grouped` sides as one row per key.

    Conditions and windows apply before grouping: an order whose charge is in flight is left out
    whole. Of a bare numeric column the sum is taken, of any other the smallest value.

    Raises:
        ConnectorError: An aggregate does not exist or does not fit.
    """
    ours, theirs = pair.ours, pair.theirs
    values = {**entry.columns, **entry.measures}
    if entry.grouped in ("ours", "both"):
        ours = _one_row_per_key(pair, ours, {n: c.ours or n for n, c in values.items()})
    if entry.grouped in ("theirs", "both"):
        theirs = _one_row_per_key(pair, theirs, {n: _theirs(n, c) for n, c in values.items()})
    return replace(pair, ours=ours, theirs=theirs)


def _theirs(name: str, column: Column) -> str:
    return column.theirs or column.ours or name


def _one_row_per_key(pair: TablePair, side: Side, values: Mapping[str, str]) -> Side:
    dialect = side.warehouse.dialect
    keys = {key: side.sql(key) for key in pair.keys}
    others = [n for n in (*pair.segments, pair.day) if n is not None and n not in keys]
    aggregates = {name: f"min({side.sql(name)})" for name in others}
    aggregates |= {name: _aggregate(side, sql) for name, sql in values.items() if name not in keys}
    selected = {**keys, **aggregates}
    grouped_by = ", ".join(str(n + 1) for n in range(len(keys)))
    columns = ", ".join(f"{sql} as {quote(name, dialect)}" for name, sql in selected.items())
    subquery = f"select {columns} from {side.rows_sql} group by {grouped_by}"
    wanted = {name: quote(name, dialect) for name in selected}
    types = types_of(side.warehouse, f"({subquery}) as grouped_rows", wanted, side.label)
    schema = TableSchema(
        relation=side.schema.relation,
        columns=tuple(
            ColumnSchema(name=name, type=type_name, position=number)
            for number, (name, type_name) in enumerate(types.items(), start=1)
        ),
    )
    return Side(label=side.label, warehouse=side.warehouse, schema=schema, subquery=subquery)


def _aggregate(side: Side, sql: str) -> str:
    column = side.schema.column(sql)
    if column is None:
        return sql
    name = quote(column.name, side.warehouse.dialect)
    return f"sum({name})" if kind_of(column.type).numeric else f"min({name})"
