"""Tables and columns by the SQL standard's information schema, for any dialect that has one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell, ColumnSchema, Relation, TableFacts, TableSchema

Key = tuple[str, str, str]
Row = Sequence[Cell]

_SIZED = {"numeric", "decimal", "character varying", "character", "varchar", "char"}
"""Types whose size stands in columns of its own."""
_PER_CATALOG = frozenset({"databricks", "snowflake"})


def columns_sql(relations: Sequence[Relation], dialect: str) -> Iterator[str]:
    """One statement for each information schema that the relations are described in.

    Raises:
        ConfigError: The dialect has none.
    """
    sized = (
        "NULL, NULL, NULL"
        if dialect == "bigquery"
        else ("c.numeric_precision, c.numeric_scale, c.character_maximum_length")
    )
    for schema, asked in _places(relations, dialect):
        yield (
            "SELECT c.table_catalog, c.table_schema, c.table_name, t.table_type, c.column_name,"
            f" c.data_type, c.is_nullable, c.ordinal_position, c.column_default, {sized}"
            f" FROM {schema}.columns AS c JOIN {schema}.tables AS t"
            " ON t.table_catalog = c.table_catalog AND t.table_schema = c.table_schema"
            " AND t.table_name = c.table_name"
            f" WHERE LOWER(c.table_name) IN ({asked})"
            " ORDER BY c.table_catalog, c.table_schema, c.table_name, c.ordinal_position"
        )


def tables_sql(relations: Sequence[Relation], dialect: str) -> Iterator[str]:
    """As `columns_sql`, of the tables alone."""
    for schema, asked in _places(relations, dialect):
        yield (
            f"SELECT table_catalog, table_schema, table_name FROM {schema}.tables"
            f" WHERE LOWER(table_name) IN ({asked}) ORDER BY 1, 2, 3"
        )


def _places(relations: Sequence[Relation], dialect: str) -> Iterator[tuple[str, str]]:
    """Each information schema, with the names to look for in it as SQL literals."""
    from sqlglot import exp

    if dialect == "spark":
        raise ConfigError(
            "Spark without Unity Catalog has no information schema, so that tables cannot be looked"
            " up there",
            hint="use the databricks adapter on Unity Catalog",
        )
    by_place: dict[str, set[str]] = defaultdict(set)
    for relation in relations:
        by_place[_place(relation, dialect)].add(relation.name.lower())
    for place, names in sorted(by_place.items()):
        literals = (exp.Literal.string(name).sql(dialect) for name in sorted(names))
        yield place, ", ".join(literals)


def _place(relation: Relation, dialect: str) -> str:
    from dagster_agent.sql.identifiers import quote

    parts: list[str | None] = []
    if dialect == "bigquery":
        parts = [relation.database, relation.schema]
    elif dialect in _PER_CATALOG:
        parts = [relation.database]
    quoted = [quote(part, dialect) for part in parts if part is not None]
    name = "INFORMATION_SCHEMA" if dialect == "bigquery" else "information_schema"
    return ".".join([*quoted, name])


def to_schemas(rows: Sequence[Row]) -> dict[Key, TableSchema]:
    """From rows of `columns_sql`."""
    columns: dict[Key, list[ColumnSchema]] = defaultdict(list)
    kinds: dict[Key, str] = {}
    for row in rows:
        key = (str(row[0]), str(row[1]), str(row[2]))
        kinds[key] = "view" if "VIEW" in str(row[3]).upper() else "table"
        columns[key].append(_column(row[4:]))
    return {
        key: TableSchema(relation=_relation(key), columns=tuple(columns[key]), kind=kind)
        for key, kind in kinds.items()
    }


def to_facts(rows: Sequence[Row]) -> dict[Key, TableFacts]:
    """From rows of `tables_sql`: that they are there, and nothing more."""
    keys = [(str(row[0]), str(row[1]), str(row[2])) for row in rows]
    return {key: TableFacts(relation=_relation(key)) for key in keys}


def _relation(key: Key) -> Relation:
    return Relation(database=key[0], schema=key[1], name=key[2])


def _column(row: Row) -> ColumnSchema:
    name, type_, nullable, position, default, precision, scale, length = row
    text = str(type_)
    if text.lower() in _SIZED:
        size = [part for part in (precision, scale) if part is not None] or [length]
        text += f"({','.join(str(part) for part in size)})" if size != [None] else ""
    return ColumnSchema(
        name=str(name),
        type=text.upper(),
        nullable=str(nullable).upper() not in {"NO", "FALSE"},
        position=int(str(position)),
        default=None if default is None else str(default),
    )
