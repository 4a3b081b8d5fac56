"""Did a column's type change, and can it still hold what it held?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
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
_TEXTS = frozenset({"TEXT", "VARCHAR", "CHAR", "NCHAR", "NVARCHAR", "BPCHAR", "LONGTEXT", "NAME"})
_BYTES = frozenset({"BINARY", "VARBINARY", "BLOB", "LONGBLOB", "BYTEA"})
_UNLIMITED = 16_777_216
"""Snowflake writes VARCHAR without a length as this one."""
_SINGLE_CHAR = frozenset({"postgres", "redshift", "snowflake", "mysql", "oracle", "tsql"})
"""Dialects in which CHAR without a length holds one character."""
_DIGITS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP_NS": 9}
"""Digits of a second that a moment keeps, where its name says so."""
_DEFAULT_DIGITS = {"snowflake": 9, "mysql": 0, "tsql": 7, "databricks": 6}
_NUMERIC = {
    "postgres": (1000, 500),  # as many digits as a value has
    "duckdb": (18, 3),
    "snowflake": (38, 0),
    "redshift": (18, 0),
    "databricks": (10, 0),
    "spark": (10, 0),
    "mysql": (10, 0),
    "tsql": (18, 0),
}
"""Precision and scale of DECIMAL without any, where they are not BigQuery's (38, 9)."""
_ALIASES = {
    "BIGDECIMAL": "DECIMAL",
    "DATETIME": "TIMESTAMP",
    "DATETIME2": "TIMESTAMP",
    "JSONB": "JSON",
    "LIST": "ARRAY",
    "NESTED": "STRUCT",
    "OBJECT": "STRUCT",
    "TIMESTAMPLTZ": "TIMESTAMPTZ",
    "TIMESTAMPNTZ": "TIMESTAMP",
    "UNION": "STRUCT",
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


@lru_cache(maxsize=4096)
def compare_types(before: str, after: str, *, dialect: str) -> TypeChange:
    """How the type changed.

    Args:
        before: In the warehouse's own words.
        after: The same.
        dialect: sqlglot's name of the dialect that both are written in.
    """
    if before.casefold() == after.casefold():
        return TypeChange.SAME
    old, new = parse_type(before, dialect), parse_type(after, dialect)
    return compare_parsed(old, new, dialect) if old and new else TypeChange.CHANGED


def same_kind(declared: str, observed: str, *, dialect: str) -> bool:
    """Whether a type is the declared one; sizes count only where the declaration has some.

    This is how dbt reads the `data_type` of an enforced contract.
    """
    old, new = parse_type(declared, dialect), parse_type(observed, dialect)
    if not (old and new):
        return declared.casefold() == observed.casefold()
    if compare_parsed(old, new, dialect) is TypeChange.SAME:
        return True
    texts = type_name(old) in _TEXTS and type_name(new) in _TEXTS
    # by its text: sqlglot fills in the sizes that a dialect takes for granted
    return "(" not in declared and (type_name(old) == type_name(new) or texts)


def parse_type(text: str, dialect: str) -> exp.DataType | None:
    """The type as sqlglot sees it; None where it cannot read it."""
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        return exp.DataType.build(text, dialect=dialect, udt=True)
    except (SqlglotError, ValueError):
        return None


def type_name(type_: exp.DataType) -> str:
    """The type without its size or parts, synonyms made one."""
    this = type_.this
    name = str(getattr(this, "name", this)).upper()
    return _ALIASES.get(name, name)


def compare_parsed(old: exp.DataType, new: exp.DataType, dialect: str) -> TypeChange:
    """As `compare_types`, of types that are parsed already."""
    if old == new:
        return TypeChange.SAME
    old_numbers, new_numbers = _numbers(old, dialect), _numbers(new, dialect)
    if old_numbers and new_numbers:
        return _ordered(new_numbers.holds(old_numbers), old_numbers.holds(new_numbers))
    names = type_name(old), type_name(new)
    if names == ("ENUM", "ENUM"):
        old_values, new_values = ({e.sql() for e in t.expressions} for t in (old, new))
        return _ordered(old_values <= new_values, new_values <= old_values)
    for size in (_moment, _text_length, _byte_length):
        sizes = size(old, dialect), size(new, dialect)
        if sizes[0] and sizes[1] and sizes[0][0] == sizes[1][0]:
            return _ordered(sizes[0][1] <= sizes[1][1], sizes[1][1] <= sizes[0][1])
    if names[0] == names[1]:
        return _nested(old, new, dialect)
    return TypeChange.CHANGED


def _ordered(widened: bool, narrowed: bool) -> TypeChange:
    if widened and narrowed:
        return TypeChange.SAME
    return TypeChange.WIDENED if widened else TypeChange.NARROWED


_Size = tuple[str, int]
"""A family of types, and how much one of them holds."""


def _moment(type_: exp.DataType, dialect: str) -> _Size | None:
    """Digits of a second that it keeps, -1 for a date."""
    name = type_name(type_)
    if name == "DATE":
        return "moment", -1
    if name in _DIGITS:
        return "moment", _DIGITS[name]
    family = {"TIMESTAMP": "moment", "TIMESTAMPTZ": "zoned", "TIME": "time", "TIMETZ": "timetz"}
    if name not in family:
        return None
    given = _integers(type_)
    return family[name], given[0] if given else _DEFAULT_DIGITS.get(dialect, 6)


def _text_length(type_: exp.DataType, dialect: str) -> _Size | None:
    """Characters that fit, -1 for an enumeration."""
    name = type_name(type_)
    if name == "ENUM":
        return "text", -1
    if name not in _TEXTS:
        return None
    given = _integers(type_)
    single = name in ("CHAR", "NCHAR") and dialect in _SINGLE_CHAR
    return "text", min(given[0], _UNLIMITED) if given else 1 if single else _UNLIMITED


def _byte_length(type_: exp.DataType, dialect: str) -> _Size | None:
    if type_name(type_) not in _BYTES:
        return None
    given = _integers(type_)
    snowflake = 8_388_608 if dialect == "snowflake" else _UNLIMITED
    return "bytes", min(given[0], snowflake) if given else snowflake


def _numbers(type_: exp.DataType, dialect: str) -> _Numbers | None:
    name = type_name(type_)
    if name in _FLOAT_BITS:
        # Snowflake keeps every float in 64 bits
        limit = 2 ** (53 if dialect == "snowflake" else _FLOAT_BITS[name])
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
        given = _integers(type_)
        precision, scale = (*given, 0)[:2] if given else _NUMERIC.get(dialect, (38, 9))
        limit = 10 ** (precision - scale) - 1
        return _Numbers(low=-limit, high=limit, scale=scale)
    return None


def _integers(type_: exp.DataType) -> list[int]:
    texts = [parameter.name for parameter in type_.expressions]
    return [int(text) for text in texts if text.isdigit()]


def _nested(old: exp.DataType, new: exp.DataType, dialect: str) -> TypeChange:
    """Structs by field name, lists and maps by what they hold; the worst part decides."""
    from sqlglot import exp

    if type_name(old) == "STRUCT":
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
        found.add(compare_parsed(one, other, dialect))
    return max(found, key=list(TypeChange).index)
