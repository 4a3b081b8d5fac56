"""What sort of values a column holds, and in which sort values of two columns can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INTEGER = re.compile(
    r"^(U?(BIG|SMALL|TINY|HUGE|MEDIUM)?INT(EGER)?\d*|INT\d+|BYTEINT|(BIG)?SERIAL)$"
)
_DECIMAL = re.compile(
    r"^(DECIMAL|DEC|NUMERIC|NUMBER|BIGNUMERIC|BIGDECIMAL)(\((\d+)\s*(,\s*(\d+))?\))?$"
)
_FLOAT = re.compile(r"^(DOUBLE( PRECISION)?|FLOAT\d*|REAL)$")
_TIMESTAMP = re.compile(
    r"^(TIMESTAMP|DATETIME)(_NTZ|_LTZ|_TZ|TZ|NTZ|LTZ)?(_S|_MS|_US|_NS)?(\((\d)\))?"
)
_TEXT = re.compile(
    r"^(VARCHAR|CHARACTER VARYING|TEXT|STRING|CLOB|NVARCHAR\d?|BPCHAR|N?CHAR|CHARACTER|CITEXT|NAME)"
    r"(\((\d+|MAX)\))?$"
)
_PADDED = re.compile(r"^(BPCHAR|N?CHAR|CHARACTER)(\(\d+\))?$")
_UNIT_DIGITS = {"_S": 0, "_MS": 3, "_US": 6, "_NS": 9}
_WIDE_INTEGERS = ("HUGEINT", "UHUGEINT", "UBIGINT", "INT128", "UINT128", "UINT64")
_PLAIN = {
    "DATE": "date",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "UUID": "uuid",
    "JSON": "json",
    "JSONB": "json",
    "BLOB": "binary",
    "BYTEA": "binary",
    "BINARY": "binary",
    "VARBINARY": "binary",
    "BYTES": "binary",
    "TIME": "time",
    "TIME WITHOUT TIME ZONE": "time",
}
_BIGINT_DIGITS = 19
_DECIMAL_DIGITS = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueKind:
    """What sort of values a column holds, as far as comparing goes."""

    name: str
    """`integer`, `decimal`, `float`, `timestamp`, `date`, `time`, `boolean`, `text`, `uuid`,
    `json`, `binary`, or `other`."""
    scale: int = 0
    """Digits after the point: of decimals, and of the seconds of timestamps."""
    digits: int = 0
    """Digits in all, of integers and decimals; 0 where any number of them may come. Bits of
    floats."""
    padded: bool = False
    """Text of a fixed length: spaces at its end mean nothing."""

    @property
    def numeric(self) -> bool:
        """It can be summed."""
        return self.name in ("integer", "decimal", "float")

    @property
    def small(self) -> bool:
        """An integer, or a decimal times 10^scale, that fits into 64 bits."""
        limit = _BIGINT_DIGITS if self.name == "integer" else _BIGINT_DIGITS - 1
        return self.name in ("integer", "decimal") and 0 < self.digits <= limit

    @property
    def fixed(self) -> bool:
        """A number that a decimal of at most 38 digits holds exactly."""
        return self.name in ("integer", "decimal") and 0 < self.digits <= _DECIMAL_DIGITS


def kind_of(type_name: str, dialect: str = "") -> ValueKind:
    """The kind of a column type in any warehouse's words.

    Args:
        type_name: Such as `DECIMAL(18,2)`.
        dialect: sqlglot's name; tells apart what warehouses mean by FLOAT and by a plain NUMERIC.
    """
    name = re.sub(r"\s+", " ", type_name.strip().upper())
    decimal = _DECIMAL.match(name)
    if decimal:
        return _decimal(decimal, dialect)
    if _INTEGER.match(name):
        return ValueKind(name="integer", digits=0 if name in _WIDE_INTEGERS else _BIGINT_DIGITS)
    if _FLOAT.match(name):
        single = name in ("REAL", "FLOAT4") or (name == "FLOAT" and dialect == "duckdb")
        return ValueKind(name="float", digits=24 if single and dialect != "snowflake" else 53)
    timestamp = _TIMESTAMP.match(name)
    if timestamp:
        return ValueKind(name="timestamp", scale=_second_digits(timestamp, dialect))
    if _TEXT.match(name) or name.startswith("ENUM("):
        return ValueKind(name="text", padded=_PADDED.match(name) is not None)
    return ValueKind(name=_PLAIN.get(name, "other"))


def common_kind(one: ValueKind | None, other: ValueKind | None) -> ValueKind | None:
    """The kind in which values of both can be compared without calling different ones equal.

    What one of the two types cannot hold is not compared: a double against a decimal as doubles,
    nanoseconds against milliseconds as milliseconds.

    Args:
        one: A kind; None for an expression whose type is unknown.
        other: The other one.

    Returns:
        None where there is no such kind.
    """
    if one is None or other is None:
        return one or other or ValueKind(name="text")
    if one.numeric and other.numeric:
        return _number(one, other)
    names = {one.name, other.name}
    if len(names) == 1:
        return ValueKind(
            name=one.name,
            scale=min(one.scale, other.scale),
            padded=one.padded or other.padded,
        )
    if names == {"date", "timestamp"}:
        return ValueKind(name="timestamp", scale=max(one.scale, other.scale))
    if names in ({"boolean", "integer"}, {"boolean", "text"}):
        return ValueKind(name="boolean")
    if "text" in names:
        # a number or moment kept as text on one side is read as what it is on the other
        return _read_from_text(one if other.name == "text" else other)
    return None


def _read_from_text(kind: ValueKind) -> ValueKind | None:
    if kind.name in ("other", "json", "binary", "time"):
        return None
    if kind.name in ("integer", "decimal"):
        return ValueKind(name="decimal", scale=-1)
    return ValueKind(name=kind.name, scale=min(kind.scale, 6), digits=kind.digits)


def _decimal(match: re.Match[str], dialect: str) -> ValueKind:
    if match[3]:
        scale, digits = int(match[5] or 0), int(match[3])
    elif match[1] == "BIGNUMERIC" or match[1] == "BIGDECIMAL":
        scale, digits = 38, 76
    elif dialect == "bigquery":
        scale, digits = 9, 38
    elif dialect == "postgres":
        return ValueKind(name="decimal", scale=-1)
    else:
        scale, digits = (3, 18) if dialect == "duckdb" else (0, 38)
    return ValueKind(name="decimal" if scale else "integer", scale=scale, digits=digits)


def _second_digits(match: re.Match[str], dialect: str) -> int:
    if match[3]:
        return _UNIT_DIGITS[match[3]]
    if match[5]:
        return int(match[5])
    return 9 if dialect == "snowflake" else 6


def _number(one: ValueKind, other: ValueKind) -> ValueKind:
    if "float" in (one.name, other.name):
        bits = min(k.digits or 53 for k in (one, other) if k.name == "float")
        return ValueKind(name="float", digits=bits)
    if one.fixed and other.fixed:
        scale = max(one.scale, other.scale)
        digits = max(one.digits - one.scale, other.digits - other.scale) + scale
        if digits <= _DECIMAL_DIGITS:
            name = "decimal" if scale else "integer"
            return ValueKind(name=name, scale=scale, digits=digits)
    # scale -1: any number of digits, compared as exact text
    return ValueKind(name="decimal", scale=-1)
