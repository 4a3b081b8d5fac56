"""Did a column's type change, and can it still hold what it held?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


class TypeChange(StrEnum):
    """How two types relate."""

    SAME = "same"
    """Equal, or two names of the same type."""
    WIDENED = "widened"
    """Every old value fits, unchanged."""
    NARROWED = "narrowed"
    """Same kind of values, but some old ones are cut, rounded or refused."""
    CHANGED = "changed"
    """Another kind of values: code that reads the column may fail or mean something else."""


_INTEGER_BITS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "MEDIUMINT": 24,
    "INT": 32,
    "BIGINT": 64,
    "INT128": 128,
    "INT256": 256,
}
_FLOAT_BITS = {"FLOAT": 24, "DOUBLE": 53}
_TEXTS = frozenset({"TEXT", "VARCHAR", "CHAR", "NCHAR", "NVARCHAR", "BPCHAR", "LONGTEXT"})
_UNLIMITED = 16_777_216
"""Snowflake writes VARCHAR without a length as this one."""
_MOMENTS = ("DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS")
"""From coarse to fine."""
_ALIASES = {
    "BIGDECIMAL": "DECIMAL",
    "DATETIME": "TIMESTAMP",
    "JSONB": "JSON",
    "OBJECT": "STRUCT",
    "TIMESTAMPLTZ": "TIMESTAMPTZ",
    "TIMESTAMPNTZ": "TIMESTAMP",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """The values of a numeric type."""

    low: int
    high: int
    scale: int = 0
    exact: bool = True

    def holds(self, other: _Numbers) -> bool:
        """Every value of `other` is a value of this type."""
        if not (self.low <= other.low and other.high <= self.high):
            return False
        if self.exact:
            return other.exact and other.scale <= self.scale
        return not other.exact or other.scale == 0


def compare_types(before: str, after: str, *, dialect: str) -> TypeChange:
    """How the type changed.

    Args:
        before: In the warehouse's own words.
        after: The same.
        dialect: sqlglot's name of the dialect that both are written in.
    """
    if before.casefold() == after.casefold():
        return TypeChange.SAME
    old, new = _parse(before, dialect), _parse(after, dialect)
    return _compare(old, new, dialect) if old and new else TypeChange.CHANGED


def _parse(text: str, dialect: str) -> exp.DataType | None:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        return exp.DataType.build(text, dialect=dialect, udt=True)
    except (SqlglotError, ValueError):
        return None


def _compare(old: exp.DataType, new: exp.DataType, dialect: str) -> TypeChange:
    if old == new:
        return TypeChange.SAME
    old_numbers, new_numbers = _numbers(old, dialect), _numbers(new, dialect)
    if old_numbers and new_numbers:
        return _ordered(new_numbers.holds(old_numbers), old_numbers.holds(new_numbers))
    names = _name(old), _name(new)
    if names == ("ENUM", "ENUM"):
        old_values, new_values = ({e.sql() for e in t.expressions} for t in (old, new))
        return _ordered(old_values <= new_values, new_values <= old_values)
    if names[0] in _MOMENTS and names[1] in _MOMENTS:
        ranks = _MOMENTS.index(names[0]), _MOMENTS.index(names[1])
        return _ordered(ranks[0] <= ranks[1], ranks[1] <= ranks[0])
    lengths = _text_length(old), _text_length(new)
    if lengths[0] and lengths[1]:
        return _ordered(lengths[0] <= lengths[1], lengths[1] <= lengths[0])
    if names[0] == names[1]:
        return _nested(old, new, dialect)
    return TypeChange.CHANGED


def _ordered(widened: bool, narrowed: bool) -> TypeChange:
    if widened and narrowed:
        return TypeChange.SAME
    return TypeChange.WIDENED if widened else TypeChange.NARROWED


def _name(type_: exp.DataType) -> str:
    this = type_.this
    name = str(getattr(this, "name", this)).upper()
    return _ALIASES.get(name, name)


def _text_length(type_: exp.DataType) -> int | None:
    """Characters that fit, -1 for an enumeration, None when it is no text."""
    name = _name(type_)
    if name == "ENUM":
        return -1
    if name not in _TEXTS:
        return None
    parameters = _integers(type_)
    return min(parameters[0], _UNLIMITED) if parameters else _UNLIMITED


def _numbers(type_: exp.DataType, dialect: str) -> _Numbers | None:
    name = _name(type_)
    if name in _FLOAT_BITS:
        limit = 2 ** _FLOAT_BITS[name]
        return _Numbers(low=-limit, high=limit, exact=False)
    unsigned = name.startswith("U") and name[1:] in _INTEGER_BITS
    if unsigned or name in _INTEGER_BITS:
        if dialect == "snowflake":  # every integer type is NUMBER(38, 0) there
            return _Numbers(low=1 - 10**38, high=10**38 - 1)
        bits = _INTEGER_BITS[name.removeprefix("U")]
        if unsigned:
            return _Numbers(low=0, high=2**bits - 1)
        return _Numbers(low=-(2 ** (bits - 1)), high=2 ** (bits - 1) - 1)
    if name == "DECIMAL":
        precision, scale = (*_integers(type_), 0)[:2] if type_.expressions else (38, 9)
        limit = 10 ** (precision - scale) - 1
        return _Numbers(low=-limit, high=limit, scale=scale)
    return None


def _integers(type_: exp.DataType) -> list[int]:
    texts = [parameter.name for parameter in type_.expressions]
    return [int(text) for text in texts if text.isdigit()]


def _nested(old: exp.DataType, new: exp.DataType, dialect: str) -> TypeChange:
    """Structs by field name, lists and maps by what they hold; the worst part decides."""
    from sqlglot import exp

    if _name(old) == "STRUCT":
        before = {part.name.casefold(): part.args.get("kind") for part in old.expressions}
        after = {part.name.casefold(): part.args.get("kind") for part in new.expressions}
        if not before.keys() <= after.keys():
            return TypeChange.CHANGED
        pairs = [(kind, after[name]) for name, kind in before.items()]
        found = {TypeChange.WIDENED} if after.keys() - before.keys() else {TypeChange.SAME}
    else:
        pairs = list(zip(old.expressions, new.expressions, strict=False))
        found = {TypeChange.SAME}
        if not pairs or len(old.expressions) != len(new.expressions):
            return TypeChange.CHANGED
    for one, other in pairs:
        if not (isinstance(one, exp.DataType) and isinstance(other, exp.DataType)):
            return TypeChange.CHANGED
        found.add(_compare(one, other, dialect))
    return max(found, key=list(TypeChange).index)
