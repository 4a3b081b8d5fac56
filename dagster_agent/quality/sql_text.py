"""Pieces of SQL that the promises are written with, in each warehouse's dialect."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from dagster_agent.errors import ConfigError


def literal(value: object, dialect: str) -> str:
    """A value as SQL.

    Raises:
        ConfigError: It is no number, text, boolean, date or moment.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        if not math.isfinite(value):
            raise ConfigError(f"{value!r} is no finite number", hint="leave the bound out")
        return f"{value!s}" if isinstance(value, int | Decimal) else repr(value)
    if isinstance(value, datetime):
        return moment(value, dialect)
    if isinstance(value, date):
        return f"cast({_text(value.isoformat(), dialect)} as date)"
    if isinstance(value, str):
        return _text(value, dialect)
    raise ConfigError(
        f"{value!r} cannot be written as SQL", hint="write a number, a text, a boolean or a date"
    )


def moment(value: datetime, dialect: str) -> str:
    """A moment as a timestamp without a zone, in UTC."""
    naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return f"cast({_text(naive.isoformat(sep=' '), dialect)} as timestamp)"


def _text(value: str, dialect: str) -> str:
    return exp.Literal.string(value).sql(dialect=dialect)


def values(given: Iterable[object], dialect: str) -> str:
    """Values with commas between, for IN; NULL is left out, since it equals nothing."""
    written = [literal(value, dialect) for value in given if value is not None]
    return ", ".join(written) or "null"


def as_text(column: str, dialect: str) -> str:
    """The value as text."""
    return f"cast({column} as {'string' if dialect in _STRING else 'varchar'})"


def matches(text: str, pattern: str, dialect: str) -> str:
    """Whether a text holds a match of the regular expression, anywhere in it.

    Each warehouse reads the expression with its own engine: RE2 in DuckDB and BigQuery, POSIX in
    PostgreSQL; what both know (classes, repetition, anchors, alternatives) means the same.
    """
    written = _text(pattern, dialect)
    if dialect == "duckdb":
        return f"regexp_matches({text}, {written})"
    if dialect in ("postgres", "redshift"):
        return f"{text} ~ {written}"
    if dialect == "snowflake":
        return f"regexp_instr({text}, {written}) > 0"
    if dialect == "bigquery":
        return f"regexp_contains({text}, {written})"
    return f"regexp_like({text}, {written})"


def counted(condition: str) -> str:
    """Aggregate: rows of which the condition is true."""
    if condition == _ALWAYS:
        return "count(*)"
    return f"coalesce(sum(case when {condition} then 1 else 0 end), 0)"


def all_of(conditions: Sequence[str]) -> str:
    """The conditions joined by AND; true where there are none."""
    return " and ".join(f"({c})" for c in conditions if c) or _ALWAYS


def repeats(rows: str, columns: Sequence[str], where: str | None = None) -> str:
    """Scalar: rows that repeat a key which an earlier row has; rows with a NULL in it left out."""
    filled = all_of([*(f"{c} is not null" for c in columns), where or ""])
    return (
        f"(select coalesce(sum(n - 1), 0) from (select count(*) as n from {rows} where {filled} "
        f"group by {', '.join(columns)} having count(*) > 1) as repeated)"
    )


def try_cast(column: str, type_: str, dialect: str) -> str | None:
    """The value as the type, NULL where it cannot be; None where the dialect has no such cast."""
    if dialect in ("duckdb", "snowflake", "databricks", "spark", "trino", "tsql"):
        return f"try_cast({column} as {type_})"
    return f"safe_cast({column} as {type_})" if dialect == "bigquery" else None


_ALWAYS = "1 = 1"
_STRING = frozenset({"bigquery", "databricks", "spark", "hive"})
