"""Columns that a source has gained and nobody has accepted by name yet."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.investigation.accounts.cells import as_count
from dagster_agent.model import Incident, SymptomKind, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote, relation_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColumn:
    """A column that is there since lately."""

    asset: str
    """dbt unique id of the source."""
    column: str
    """As the table spells it."""
    type: str
    """In the warehouse's own words."""
    rows: int
    """Rows in the table."""
    nulls: int
    """Rows in which it is NULL."""
    query: str
    """The SQL that counted."""


def account_new_columns(
    uid: str, incident: Incident, warehouse: Warehouse, schema: TableSchema | None
) -> tuple[NewColumn, ...]:
    """Count the rows and NULLs of the columns that an incident says are new, in one statement.

    Args:
        uid: dbt unique id of the source.
        incident: Its symptoms of the kind `SCHEMA_CHANGED` name the columns, a line each.
        warehouse: Where the table is.
        schema: Its columns now; None when there is no such table.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    told = [
        name.strip()
        for symptom in incident.symptoms
        if symptom.kind is SymptomKind.SCHEMA_CHANGED and symptom.asset == uid
        for name in symptom.detail.splitlines()
    ]
    if schema is None or not told:
        return ()
    named = {c.name: c for name in told if (c := schema.column(name)) is not None}
    if not named:
        return ()
    dialect = warehouse.dialect
    counts = [f"count({quote(name, dialect)})" for name in named]
    query = f"select count(*), {', '.join(counts)} from {relation_sql(schema.relation, dialect)}"
    (row,) = warehouse.query(query, purpose="new columns").rows
    rows = as_count(row[0])
    return tuple(
        NewColumn(
            asset=uid,
            column=column.name,
            type=column.type,
            rows=rows,
            nulls=rows - as_count(filled),
            query=query,
        )
        for column, filled in zip(named.values(), row[1:], strict=True)
    )
