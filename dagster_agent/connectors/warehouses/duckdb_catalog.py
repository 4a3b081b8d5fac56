"""Schemas of tables and views in attached DuckDB files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dagster_agent.model import ColumnSchema, Relation, TableSchema

if TYPE_CHECKING:
    import duckdb

_COLUMNS = """
SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable,
       c.column_index, v.view_name IS NOT NULL
FROM duckdb_columns() AS c
LEFT JOIN duckdb_views() AS v
  ON v.database_name = c.database_name AND v.schema_name = c.schema_name
 AND v.view_name = c.table_name
WHERE lower(c.table_name) IN (SELECT lower(unnest(?)))
ORDER BY ALL
"""


def read_schemas(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation], *, catalog: str
) -> Mapping[Relation, TableSchema]:
    """Schemas of those relations that exist, by the relation as it was asked for.

    Args:
        connection: With all files attached.
        relations: Letter case is ignored where no name matches exactly.
        catalog: Meant where a relation names none; its schema is then `main`.
    """
    if not relations:
        return {}
    names = sorted({relation.name for relation in relations})
    found: dict[tuple[str, str, str], list[ColumnSchema]] = defaultdict(list)
    views: set[tuple[str, str, str]] = set()
    for database, schema, table, column, type_, nullable, position, view in connection.execute(
        _COLUMNS, [names]
    ).fetchall():
        key = (database, schema, table)
        found[key].append(
            ColumnSchema(name=column, type=type_, nullable=nullable, position=position)
        )
        if view:
            views.add(key)
    folded = {tuple(part.lower() for part in key): key for key in found}
    schemas: dict[Relation, TableSchema] = {}
    for relation in relations:
        asked = (relation.database or catalog, relation.schema or "main", relation.name)
        key = asked if asked in found else folded.get(tuple(part.lower() for part in asked))
        if key is not None:
            schemas[relation] = TableSchema(
                relation=Relation(database=key[0], schema=key[1], name=key[2]),
                columns=tuple(sorted(found[key], key=lambda column: column.position)),
                kind="view" if key in views else "table",
            )
    return schemas
