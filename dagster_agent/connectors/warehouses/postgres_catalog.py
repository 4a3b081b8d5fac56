"""What PostgreSQL's catalogue says of tables and views; statements of our own, no value quoted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dagster_agent.connectors.warehouses.relation_names import by_relation
from dagster_agent.model import ColumnSchema, Relation, TableFacts, TableSchema

_COLUMNS = """
SELECT current_database(), current_schema(), n.nspname, c.relname, c.relkind::text,
       obj_description(c.oid, 'pg_class'),
       a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
       CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_get_expr(d.adbin, d.adrelid) END,
       COALESCE(a.attnum = ANY (k.indkey), false), l.collname, col_description(c.oid, a.attnum)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_index AS k ON k.indrelid = c.oid AND k.indisprimary
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND lower(c.relname) = ANY (%s)
  AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY n.nspname, c.relname, a.attnum
"""
"""Parameter: names in lower case. Kinds: table, view, materialized view, partitioned, foreign."""

_FACTS = """
SELECT current_database(), current_schema(), n.nspname, c.relname,
       CASE WHEN c.relkind IN ('v', 'f') THEN NULL
            WHEN c.relkind <> 'p' THEN CASE WHEN c.reltuples >= 0 THEN c.reltuples::float8 END
            ELSE (SELECT CASE WHEN bool_and(leaf.reltuples >= 0) THEN sum(leaf.reltuples) END
                  FROM pg_partition_tree(c.oid) AS part
                  JOIN pg_class AS leaf ON leaf.oid = part.relid WHERE part.isleaf)
       END,
       CASE WHEN c.relkind IN ('v', 'f') THEN NULL
            WHEN c.relkind <> 'p' THEN pg_total_relation_size(c.oid)
            ELSE (SELECT sum(pg_total_relation_size(part.relid))::bigint
                  FROM pg_partition_tree(c.oid) AS part)
       END
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND lower(c.relname) = ANY (%s)
  AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY n.nspname, c.relname
"""
"""Parameter: names in lower case. Rows are those of the last VACUUM or ANALYZE."""

Rows = Sequence[Sequence[Any]]
Key = tuple[str, str, str]


def read_schemas(cursor: Any, relations: Sequence[Relation]) -> Mapping[Relation, TableSchema]:
    """Schemas of those relations that exist, by the relation as it was asked for."""
    cursor.execute(_COLUMNS, [_names(relations)])
    return _to_schemas(relations, cursor.fetchall())


def read_facts(cursor: Any, relations: Sequence[Relation]) -> Mapping[Relation, TableFacts]:
    """Estimated rows, and bytes with indexes, of those relations that exist."""
    cursor.execute(_FACTS, [_names(relations)])
    return _to_facts(relations, cursor.fetchall())


def _names(relations: Sequence[Relation]) -> list[str]:
    return sorted({relation.name.lower() for relation in relations})


def _to_schemas(relations: Sequence[Relation], rows: Rows) -> Mapping[Relation, TableSchema]:
    """A view's kind is `view`, a materialized one's too."""
    columns: dict[Key, list[ColumnSchema]] = defaultdict(list)
    tables: dict[Key, tuple[str, str]] = {}
    for row in rows:
        key = (row[0], row[2], row[3])
        tables[key] = row[4], row[5] or ""
        if row[6] is not None:  # a table may have no column at all
            columns[key].append(_column(row[6:]))
    found = {
        key: TableSchema(
            relation=Relation(database=key[0], schema=key[1], name=key[2]),
            columns=tuple(columns[key]),
            kind="view" if kind in {"v", "m"} else "table",
            comment=comment,
        )
        for key, (kind, comment) in tables.items()
    }
    return _by_relation(relations, found, rows)


def _to_facts(relations: Sequence[Relation], rows: Rows) -> Mapping[Relation, TableFacts]:
    found: dict[Key, TableFacts] = {}
    for database, _, schema, name, count, size in rows:
        relation = Relation(database=database, schema=schema, name=name)
        counted = None if count is None else round(count)
        found[database, schema, name] = TableFacts(relation=relation, row_count=counted, bytes=size)
    return _by_relation(relations, found, rows)


def _by_relation(
    relations: Sequence[Relation], found: Mapping[Key, Any], rows: Rows
) -> dict[Relation, Any]:
    if not rows:
        return {}
    return by_relation(relations, found, database=rows[0][0], schema=rows[0][1] or "public")


def _column(row: Sequence[Any]) -> ColumnSchema:
    name, type_, not_null, position, default, key_part, collation, comment = row
    return ColumnSchema(
        name=name,
        type=type_ if '"' in type_ else type_.upper(),
        nullable=not not_null,
        position=position,
        default=default,
        primary_key=key_part,
        collation=collation,
        comment=comment or "",
    )
