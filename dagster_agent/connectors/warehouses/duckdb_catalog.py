"""What the catalogue of attached DuckDB files says of tables and views."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dagster_agent.connectors.warehouses.relation_names import by_relation
from dagster_agent.model import ColumnSchema, Relation, TableFacts, TableSchema

if TYPE_CHECKING:
    import duckdb

_COLUMNS = """
WITH asked AS (SELECT DISTINCT lower(unnest($names)) AS name),
keys AS (
  SELECT database_name, schema_name, table_name, unnest(constraint_column_names) AS column_name
  FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'
),
relations AS (
  SELECT database_name, schema_name, table_name AS name, comment, false AS is_view, sql
  FROM duckdb_tables() WHERE lower(table_name) IN (FROM asked)
  UNION ALL
  SELECT database_name, schema_name, view_name, comment, true, NULL
  FROM duckdb_views() WHERE lower(view_name) IN (FROM asked)
)
SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable,
       c.column_index, c.column_default, c.comment, k.column_name IS NOT NULL,
       r.is_view, r.comment, if(contains(r.sql, ' COLLATE '), r.sql, NULL)
FROM duckdb_columns() AS c
JOIN relations AS r
  ON r.database_name = c.database_name AND r.schema_name = c.schema_name AND r.name = c.table_name
LEFT JOIN keys AS k
  ON k.database_name = c.database_name AND k.schema_name = c.schema_name
 AND k.table_name = c.table_name AND k.column_name = c.column_name
WHERE lower(c.table_name) IN (FROM asked)
ORDER BY 1, 2, 3, 7
"""

_FACTS = """
WITH asked AS (SELECT DISTINCT lower(unnest($names)) AS name)
SELECT database_name, schema_name, table_name, estimated_size
FROM duckdb_tables() WHERE lower(table_name) IN (FROM asked)
UNION ALL
SELECT database_name, schema_name, view_name, NULL
FROM duckdb_views() WHERE lower(view_name) IN (FROM asked)
ORDER BY 1, 2, 3
"""

Key = tuple[str, str, str]


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
    columns: dict[Key, list[ColumnSchema]] = defaultdict(list)
    tables: dict[Key, tuple[bool, str]] = {}
    names = sorted({relation.name for relation in relations})
    for row in connection.execute(_COLUMNS, {"names": names}).fetchall():
        database, schema, table, name, type_, nullable, position, default = row[:8]
        comment, key_part, view, table_comment, definition = row[8:]
        key = (database, schema, table)
        columns[key].append(
            ColumnSchema(
                name=name,
                type=type_,
                nullable=nullable,
                position=position,
                default=default,
                primary_key=key_part,
                collation=_collation(definition, name) if type_ == "VARCHAR" else None,
                comment=comment or "",
            )
        )
        tables[key] = view, table_comment or ""
    found = {
        key: TableSchema(
            relation=_relation(key),
            columns=tuple(columns[key]),
            kind="view" if view else "table",
            comment=comment,
        )
        for key, (view, comment) in tables.items()
    }
    return by_relation(relations, found, database=catalog, schema="main")


def read_facts(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation], *, catalog: str
) -> Mapping[Relation, TableFacts]:
    """Estimated row counts of those relations that exist; arguments as for `read_schemas`."""
    if not relations:
        return {}
    names = sorted({relation.name for relation in relations})
    found: dict[Key, TableFacts] = {}
    for database, schema, name, rows in connection.execute(_FACTS, {"names": names}).fetchall():
        key = (database, schema, name)
        found[key] = TableFacts(relation=_relation(key), row_count=rows)
    return by_relation(relations, found, database=catalog, schema="main")


def _relation(key: Key) -> Relation:
    return Relation(database=key[0], schema=key[1], name=key[2])


def _collation(definition: str | None, column: str) -> str | None:
    """From the table's own CREATE statement: DuckDB shows it nowhere else."""
    if definition is None:
        return None
    quoted = '"' + column.replace('"', '""') + '"'
    name = f"(?:{re.escape(quoted)}|{re.escape(column)})"
    found = re.search(rf"[(,] ?{name} VARCHAR COLLATE ([A-Za-z_.]+)", definition)
    return found[1] if found else None
