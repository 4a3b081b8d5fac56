"""What Snowflake's information schema says of tables and views."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from dagster_agent.model import ColumnSchema, Relation, TableFacts, TableSchema

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowflakeCursor:
    """A cursor of the connector's."""

    plain: Any
    """The cursor itself."""
    options: Mapping[str, Any]
    """Keywords that each statement is sent with."""


class Read(Protocol):
    """Sends one statement of the catalogue's: `columns` or `tables`."""

    def __call__(
        self, cursor: SnowflakeCursor, database: str, names: Sequence[str]
    ) -> Sequence[Any]:
        """See `columns`."""
        ...


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = {16_777_216, 134_217_728}
"""Lengths of a VARCHAR that declares none, by release."""


def to_schemas(rows: Sequence[Sequence[Any]]) -> dict[Key, TableSchema]:
    """From rows of the columns' statement in `snowflake.py`."""
    found: dict[Key, list[ColumnSchema]] = defaultdict(list)
    relations: dict[Key, tuple[str, str]] = {}
    for row in rows:
        key = (row[0], row[1], row[2])
        found[key].append(_column(row[5:]))
        relations[key] = str(row[3] or "VIEW"), row[4] or ""
    return {
        key: TableSchema(
            relation=_relation(key),
            columns=tuple(found[key]),
            kind="view" if "VIEW" in kind else "table",
            comment=comment,
        )
        for key, (kind, comment) in relations.items()
    }


def to_facts(rows: Sequence[Sequence[Any]]) -> dict[Key, TableFacts]:
    """From rows of the tables' statement in `snowflake.py`."""
    found: dict[Key, TableFacts] = {}
    for database, schema, name, count, size, altered in rows:
        key = (database, schema, name)
        moment = altered.astimezone(UTC) if altered is not None else None
        found[key] = TableFacts(
            relation=_relation(key),
            row_count=count,
            exact=count is not None,
            bytes=size,
            last_altered=moment if moment and moment > _EPOCH else None,
        )
    return found


def _relation(key: Key) -> Relation:
    return Relation(database=key[0], schema=key[1], name=key[2])


def _column(row: Sequence[Any]) -> ColumnSchema:
    name, type_, nullable, position, default, precision, scale, length, collation, comment = row
    return ColumnSchema(
        name=name,
        type=_type(type_, precision, scale, length),
        nullable=nullable != "NO",
        position=position,
        default=default,
        collation=collation,
        comment=comment or "",
    )


def _type(name: str, precision: int | None, scale: int | None, length: int | None) -> str:
    """As Snowflake's own DESCRIBE writes it."""
    if name == "NUMBER" and precision is not None:
        return f"NUMBER({precision},{scale or 0})"
    if name == "TEXT":
        return f"VARCHAR({length})" if length and length not in _LONGEST else "VARCHAR"
    return name.upper()


def columns(cursor: SnowflakeCursor, database: str, names: Sequence[str]) -> Sequence[Any]:
    """Columns with what their tables say, in the order that `to_schemas` reads.

    Args:
        cursor: Where to send the statement.
        database: In Snowflake's spelling; nothing is found in one that is not there.
        names: Of tables and views, in lower case.
    """
    asked = _literal(names)
    return _rows(
        lambda: cursor.plain.execute(
            f"""
SELECT c.table_catalog, c.table_schema, c.table_name, t.table_type, t.comment,
       c.column_name, c.data_type, c.is_nullable, c.ordinal_position, c.column_default,
       c.numeric_precision, c.numeric_scale, c.character_maximum_length, c.collation_name,
       c.comment
FROM {_quoted(database)}.information_schema.columns AS c
LEFT JOIN {_quoted(database)}.information_schema.tables AS t
  ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE LOWER(c.table_name) IN ({asked})
ORDER BY c.table_schema, c.table_name, c.ordinal_position""",
            **cursor.options,
        )
    )


def tables(cursor: SnowflakeCursor, database: str, names: Sequence[str]) -> Sequence[Any]:
    """Tables in the order that `to_facts` reads; arguments as for `columns`."""
    asked = _literal(names)
    return _rows(
        lambda: cursor.plain.execute(
            f"""
SELECT table_catalog, table_schema, table_name, row_count, bytes, last_altered
FROM {_quoted(database)}.information_schema.tables
WHERE LOWER(table_name) IN ({asked})
ORDER BY table_schema, table_name""",
            **cursor.options,
        )
    )


def _rows(send: Callable[[], Any]) -> Sequence[Any]:
    """The rows; none where the database is not there or not shown to the role."""
    from snowflake.connector.errors import ProgrammingError

    try:
        return send().fetchall()
    except ProgrammingError as problem:
        if problem.sqlstate in {"02000", "42S02"}:
            return []
        raise


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(values: Sequence[str]) -> str:
    escaped = (value.replace("\\", "\\\\").replace("'", "''") for value in values)
    return ", ".join(f"'{value}'" for value in escaped)
