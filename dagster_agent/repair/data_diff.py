"""How the rows of a table differ between two of its states, counted in the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dagster_agent.model import ColumnSchema, Relation, TableDiff, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote, relation_sql

_FINGERPRINT = {"duckdb": "cast(sum(hash({columns})) as varchar)"}
"""By dialect: an aggregate that is equal for equal bags of rows, many times cheaper than EXCEPT."""


def diff_table(asset: str, *, before: Relation, after: Relation, warehouse: Warehouse) -> TableDiff:
    """Compare two tables of one database row by row, duplicates counted.

    Columns are matched by name, letter case ignored; rows are compared in the columns that both
    have. A table that is missing on one side counts as empty and without columns.

    Raises:
        ConnectorError: A table or view cannot be read.
    """
    schemas = warehouse.schemas([before, after])
    old, new = _columns(schemas.get(before)), _columns(schemas.get(after))
    shared = [(old[name], new[name]) for name in old if name in new]
    removed, added = 0, 0
    rows_before, prints_before = _measure(before, [o for o, _ in shared], old, warehouse)
    rows_after, prints_after = _measure(after, [n for _, n in shared], new, warehouse)
    if not shared:
        removed, added = rows_before, rows_after
    elif prints_before is None or prints_before != prints_after or _retyped(shared):
        left, right = _select(before, shared, 0, warehouse), _select(after, shared, 1, warehouse)
        removed = _count(f"{left} except all {right}", warehouse)
        # both sides share the rest, so the other direction needs no second comparison
        added = rows_after - (rows_before - removed)
    return TableDiff(
        asset=asset,
        rows_before=rows_before,
        rows_after=rows_after,
        rows_added=added,
        rows_removed=removed,
        columns_added=tuple(c.name for name, c in new.items() if name not in old),
        columns_removed=tuple(c.name for name, c in old.items() if name not in new),
    )


def _columns(schema: TableSchema | None) -> dict[str, ColumnSchema]:
    """By lower-case name; by exact name where two columns differ in letter case only."""
    columns = schema.columns if schema else ()
    folded = {column.name.lower(): column for column in columns}
    exact = {column.name: column for column in columns}
    return folded if len(folded) == len(exact) else exact


def _retyped(shared: Sequence[tuple[ColumnSchema, ColumnSchema]]) -> bool:
    return any(old.type != new.type for old, new in shared)


def _measure(
    relation: Relation,
    columns: Sequence[ColumnSchema],
    known: dict[str, ColumnSchema],
    warehouse: Warehouse,
) -> tuple[int, str | None]:
    """Row count and fingerprint in one scan; the fingerprint is None where there is none."""
    if not known:
        return 0, None
    dialect = warehouse.dialect
    template = _FINGERPRINT.get(dialect) if columns else None
    names = ", ".join(quote(column.name, dialect) for column in columns)
    aggregates = ["count(*)", *([template.format(columns=names)] if template else [])]
    sql = f"select {', '.join(aggregates)} from {relation_sql(relation, dialect)}"
    ((count, *prints),) = warehouse.query(sql, purpose="data diff").rows
    return int(cast("int", count)), str(prints[0]) if prints else None


def _select(
    relation: Relation,
    shared: Sequence[tuple[ColumnSchema, ColumnSchema]],
    side: int,
    warehouse: Warehouse,
) -> str:
    """The shared columns in one order; as text where the type changed."""
    dialect = warehouse.dialect
    columns = [
        name if old.type == new.type else f"cast({name} as varchar)"
        for old, new in shared
        for name in [quote((old, new)[side].name, dialect)]
    ]
    return f"select {', '.join(columns)} from {relation_sql(relation, dialect)}"


def _count(sql: str, warehouse: Warehouse) -> int:
    result = warehouse.query(f"select count(*) from ({sql}) as rows_found", purpose="data diff")
    return int(cast("int", result.scalar()))
