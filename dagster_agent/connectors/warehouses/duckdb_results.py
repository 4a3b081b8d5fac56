"""From DuckDB's rows to `Cell`s, without pandas, pyarrow or pytz."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from dagster_agent.model import Cell

_ZONED = "TIMESTAMP WITH TIME ZONE"
_PLAIN = re.compile(
    r"(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|BIT"
    r'|JSON|DATE|TIME|TIMESTAMP(_S|_MS|_NS)?|ENUM\(.*\)|"NULL")',
    re.DOTALL,
)
"""Types whose Python values are `Cell`s. Of the others the text is fetched."""


def cell_sql(sql: str, types: Sequence[str]) -> str:
    """The statement, wrapped where it yields types that are no `Cell`s; row order is kept.

    Args:
        sql: One SELECT.
        types: DuckDB's types of its result columns.
    """
    if all(_PLAIN.fullmatch(type_) for type_ in types):
        return sql
    names = [f"c{number}" for number in range(len(types))]
    outputs = ", ".join(_output(name, type_) for name, type_ in zip(names, types, strict=True))
    return f"SELECT {outputs} FROM (\n{sql}\n) AS result({', '.join(names)})"


def to_cells(rows: Sequence[Sequence[Cell]], types: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of the wrapped statement; moments with a time zone become aware, in UTC."""
    zoned = {index for index, type_ in enumerate(types) if type_ == _ZONED}
    if not zoned:
        return tuple(tuple(row) for row in rows)
    return tuple(
        tuple(_aware(value) if index in zoned else value for index, value in enumerate(row))
        for row in rows
    )


def _output(name: str, type_: str) -> str:
    if type_ == _ZONED:
        return f"timezone('UTC', {name})"
    return name if _PLAIN.fullmatch(type_) else f"CAST({name} AS VARCHAR)"


def _aware(value: Cell) -> Cell:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
