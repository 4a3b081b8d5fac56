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
_IN_ARROW = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG)?INT(EGER)?|HUGEINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB"
    r"|DATE|TIME|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE"
)
"""Types that Arrow holds as they are. UHUGEINT outgrows its decimals, ENUM comes as codes."""


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


def arrow_sql(sql: str, names: Sequence[str], types: Sequence[str]) -> str:
    """The statement, wrapped where a type is not the same in Arrow on every warehouse.

    Whatever is no number, text, moment, truth value or bytes streams as its text.

    Args:
        sql: One SELECT.
        names: Its result columns.
        types: DuckDB's types of them.
    """
    if all(_IN_ARROW.fullmatch(type_) for type_ in types):
        return sql
    inner = [f"c{number}" for number in range(len(types))]
    values = [
        column if _IN_ARROW.fullmatch(type_) else f"CAST({column} AS VARCHAR)"
        for column, type_ in zip(inner, types, strict=True)
    ]
    named = (f"{v} AS {_quoted(name)}" for v, name in zip(values, names, strict=True))
    return f"SELECT {', '.join(named)} FROM (\n{sql}\n) AS result({', '.join(inner)})"


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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
