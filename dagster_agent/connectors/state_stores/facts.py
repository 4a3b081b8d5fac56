"""Cursors and small facts under keys, and numbered entries below a prefix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from dagster_agent.connectors.state_stores import codec
from dagster_agent.connectors.state_stores.keys import folder_of, in_order
from dagster_agent.connectors.state_stores.statements import insert_or, upsert
from dagster_agent.connectors.state_stores.tables import counters, facts


def put(connection: Connection, key: str, value: Any) -> None:
    """Insert, or replace by key."""
    connection.execute(upsert(facts, connection), {"key": key, "value": codec.encode(value)})


def get(connection: Connection, key: str) -> Any:
    """The value, or None."""
    text = connection.scalar(select(facts.c.value).where(facts.c.key == key))
    return None if text is None else json.loads(text)


def append(connection: Connection, prefix: str, value: Any) -> str:
    """Keep under the next free number; the counter's row is the lock that queues the writers."""
    folder = folder_of(prefix)
    statement = insert_or(facts, connection).on_conflict_do_nothing().returning(facts.c.key)
    while True:
        key = f"{folder}{_next(connection, folder)}"
        # somebody may have `put` something there
        if connection.scalar(statement, {"key": key, "value": codec.encode(value)}):
            return key


def _next(connection: Connection, folder: str) -> int:
    statement = insert_or(counters, connection).values(prefix=folder, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["prefix"], set_={"last": counters.c.last + 1}
    )
    number = connection.scalar(statement.returning(counters.c.last))
    assert isinstance(number, int)  # noqa: S101 - the statement always returns its row
    return number


def entries(connection: Connection, prefix: str) -> Mapping[str, Any]:
    """What is kept below the prefix, in the order of `in_order`."""
    folder = folder_of(prefix)
    # keys are compared by code point in both databases, and 0 comes right after /
    inside = (facts.c.key >= folder) & (facts.c.key < f"{folder[:-1]}0")
    rows = connection.execute(select(facts.c.key, facts.c.value).where(inside))
    found: dict[str, str] = {row.key: row.value for row in rows}
    return {key: json.loads(found[key]) for key in sorted(found, key=in_order)}
