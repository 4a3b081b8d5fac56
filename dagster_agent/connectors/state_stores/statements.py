"""The statements that more than one noun needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Insert, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_or(table: Table, connection: Connection) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say what happens when the key is there already."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def upsert(table: Table, connection: Connection) -> Insert:
    """Insert, or replace the row with the same primary key; atomic."""
    statement = insert_or(table, connection)
    key = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={c.name: statement.excluded[c.name] for c in table.columns if c.name not in key},
    )


def newest_first(table: Table, moment: str) -> Select[Any]:
    """Bodies by that column and the id, newest first."""
    return select(table.c.body).order_by(table.c[moment].desc(), table.c.id.desc())


def latest(table: Table, moment: str) -> Select[Any]:
    """The body that is newest by that column; of equal ones, the one written last."""
    return select(table.c.body).order_by(table.c[moment].desc(), table.c.sequence.desc()).limit(1)


def detector_key(detector: str, pair: str) -> str:
    """What the column `detector` holds: of each the latest is kept and found.

    In ASCII, as the bodies are: a team names a pair in any script, and a database may be older.
    """
    return f"{detector}/{pair.encode('unicode_escape').decode()}" if pair else detector
