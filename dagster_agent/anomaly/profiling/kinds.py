"""What can be measured of a column, by its type and name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from dagster_agent.model import ColumnSchema
from dagster_agent.privacy.personal import is_personal


class Kind(StrEnum):
    """Families of types."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    MOMENT = "moment"
    PLAIN = "plain"
    """Values can be told apart and no more: UUIDs, enumerations."""
    OTHER = "other"
    """Only NULLs can be counted: nested values, documents, shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredColumn:
    """A column with what may be asked of it."""

    name: str
    """In the warehouse's spelling."""
    type: str
    """In the warehouse's own words."""
    kind: Kind
    """Family of its type."""
    inexact: bool
    """It is a floating-point number, which may be NaN or infinite."""
    decimal_nan: bool
    """It is a decimal that may be NaN all the same, as PostgreSQL's."""
    zoned: bool
    """It is a moment with a time zone."""
    personal: bool
    """No value of a single row may leave."""


def measured_columns(
    columns: Iterable[ColumnSchema], dialect: str, *, personal: Collection[str] = ()
) -> tuple[MeasuredColumn, ...]:
    """Columns in the order given.

    Args:
        columns: As declared in the warehouse.
        dialect: sqlglot's name.
        personal: Names of further columns with personal data, letter case ignored.
    """
    listed = {name.casefold() for name in personal}
    found: list[MeasuredColumn] = []
    for column in columns:
        family = _family(column.type, dialect)
        number = family.kind in (Kind.NUMBER, Kind.TRUTH)
        about_people = is_personal(column.name, number=number)
        found.append(
            MeasuredColumn(
                name=column.name,
                type=column.type,
                kind=family.kind,
                inexact=family.inexact,
                decimal_nan=family.decimal_nan,
                zoned=family.zoned,
                personal=about_people or column.name.casefold() in listed,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Family:
    """See `MeasuredColumn`."""

    kind: Kind
    inexact: bool = False
    decimal_nan: bool = False
    zoned: bool = False


@cache
def _family(type_: str, dialect: str) -> _Family:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if type_.upper() == "CITEXT":
        return _Family(Kind.TEXT)
    try:
        name = exp.DataType.build(type_, dialect=dialect).this
    except SqlglotError:
        return _Family(Kind.OTHER)
    types = exp.DataType.Type
    if name in exp.DataType.NUMERIC_TYPES and name not in (types.MONEY, types.SMALLMONEY):
        decimal = name in (types.DECIMAL, types.BIGDECIMAL)
        inexact = name in exp.DataType.REAL_TYPES and not decimal
        return _Family(Kind.NUMBER, inexact, decimal and dialect == "postgres")
    if name in exp.DataType.TEXT_TYPES:
        return _Family(Kind.TEXT)
    if name == types.BOOLEAN:
        return _Family(Kind.TRUTH)
    if name in exp.DataType.TEMPORAL_TYPES and name not in (types.TIME, types.TIMETZ):
        return _Family(Kind.MOMENT, zoned=name in (types.TIMESTAMPTZ, types.TIMESTAMPLTZ))
    plain = name in (types.UUID, types.ENUM, types.INET, types.TIME, types.TIMETZ)
    return _Family(Kind.PLAIN if plain else Kind.OTHER)
