"""The warehouse's own hash of a row, and a bitmap of the keys in a bucket."""

from __future__ import annotations

from collections.abc import Sequence

NATIVE = ("duckdb", "postgres", "snowflake", "bigquery")
"""Dialects whose own hash of a row is known here."""
BITMAP_BITS = 64
"""Keys that one bucket's bitmap can tell apart."""

_MASKING = ("duckdb", "postgres")
"""Where masking a 64-bit integer is known to be cheaper than dividing it."""
_ROW_FIELDS = 500
"""PostgreSQL takes no row of more than 1,664 fields."""


def row_hash(names: Sequence[str], dialect: str) -> str:
    """SQL of a 64-bit integer that two rows of equal values share.

    NULL differs from every value, and which column a value stands in counts.

    Args:
        names: SQL of the values.
        dialect: One of `NATIVE`.
    """
    values = ", ".join(names) or "1"
    if dialect == "postgres":
        return f"hashtextextended(cast({_row(names)} as text), 0)"
    if dialect == "bigquery":
        return f"farm_fingerprint(to_json_string(struct({values})))"
    return f"hash({values})"


def distinct_positions(position: str, dialect: str) -> str | None:
    """SQL aggregate: how many different integers from 0 to 63 there are in a group.

    None where the dialect has no such aggregate. Where it is less than the number of rows, a key
    comes twice: exact, and far cheaper than a distinct count.
    """
    if dialect == "duckdb":
        shifted = f"cast(1 as ubigint) << cast({position} as ubigint)"
        return f"bit_count(bit_or({shifted}))"
    if dialect == "postgres":
        shifted = f"cast(1 as bigint) << cast({position} as integer)"
        return f"bit_count(cast(bit_or({shifted}) as bit(64)))"
    if dialect == "bigquery":
        return f"bit_count(bit_or(1 << cast({position} as int64)))"
    return None


def whole_quotient(number: str, divisor: int, dialect: str) -> str:
    """SQL of an integer division of two numbers that are not negative."""
    if dialect == "duckdb":
        # of a quotient, unlike of a shift, it knows the smallest and the largest: groups that are
        # numbered so are kept in an array instead of a hash table
        return f"{number} // {divisor}"
    if dialect == "postgres" and divisor & (divisor - 1) == 0:
        return f"({number}) >> {divisor.bit_length() - 1}"
    if dialect == "snowflake":
        return f"floor({number} / {divisor})"
    if dialect == "bigquery":
        return f"div({number}, {divisor})"
    return f"{number} / {divisor}"


def remainder(number: str, divisor: int, dialect: str) -> str:
    """SQL of the rest that `whole_quotient` leaves."""
    if dialect in _MASKING and divisor & (divisor - 1) == 0:
        return f"(({number}) & {divisor - 1})"
    return f"mod({number}, {divisor})"


def materialized(dialect: str) -> str:
    """The word that keeps a table expression from being computed twice, where there is one."""
    return "materialized " if dialect in ("duckdb", "postgres") else ""


def _row(names: Sequence[str]) -> str:
    if len(names) <= _ROW_FIELDS:
        return f"row({', '.join(names) or '1'})"
    parts = [names[i : i + _ROW_FIELDS] for i in range(0, len(names), _ROW_FIELDS)]
    return f"row({', '.join(_row(part) for part in parts)})"
