"""From PostgreSQL's values to `Cell`s and to Arrow types that every warehouse shares.

A value that Python or Arrow cannot hold is never changed silently: in a result of `query` it
arrives as the server's own text (`infinity` of a date, 24:00 of a time), in a stream it is an error
that names the column.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from dagster_agent.connectors.warehouses.arrow_stream import arrow
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Cell

_FREE_DECIMAL = (38, 18)
"""Precision and scale of a `numeric` that declares none, such as a sum."""
_ARROW_DECIMAL = 76
"""More digits than this Arrow's decimals do not hold; such columns stream as text."""
_IN_ARROW = frozenset(
    {
        *("bool", "int2", "int4", "int8", "float4", "float8", "numeric"),
        *("text", "varchar", "bpchar", "name", "bytea"),
        *("date", "time", "timestamp", "timestamptz"),
    }
)
"""Types that stream as they are. Whatever else streams as its text."""
_EARLIEST = {"date32": -2_440_588, "timestamp": -210_866_803_200_000_000}
"""4713 BC, where PostgreSQL's calendar starts: days, and microseconds, from 1970. The driver turns
`infinity` and the years that Arrow lacks into numbers below."""


@functools.cache
def adapters() -> Any:
    """psycopg's loaders, so that what is no `Cell` arrives as text."""
    from psycopg import adapt, postgres
    from psycopg import adapters as usual
    from psycopg.types.datetime import DateLoader, TimeLoader, TimestampLoader, TimestamptzLoader
    from psycopg.types.string import TextLoader

    plain = {
        *("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "oid"),
        *("text", "varchar", "bpchar", "name", "char", "bytea"),
    }
    own: Any = adapt.AdaptersMap(usual)
    for info in postgres.types:
        if info.name not in plain:
            own.register_loader(info.oid, TextLoader)
        if info.array_oid:
            own.register_loader(info.array_oid, TextLoader)
    moments = {
        "date": DateLoader,
        "time": TimeLoader,
        "timestamp": TimestampLoader,
        "timestamptz": TimestamptzLoader,
    }
    for name, loader in moments.items():
        own.register_loader(name, _or_text(loader))
    return own


def _or_text(loader: Any) -> Any:
    from psycopg import DataError

    def load(self: Any, data: Any) -> Any:
        try:
            return loader.load(self, data)
        except DataError:
            return bytes(data).decode()

    return type(f"{loader.__name__}OrText", (loader,), {"load": load})


def to_cell(value: Any) -> Cell:
    """A moment with a time zone in UTC, all others as they are."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def arrow_sql(statement: str, schema: Any) -> str:
    """The statement, wrapped where the driver would hand out its own binary forms.

    Args:
        statement: One SELECT.
        schema: What the driver says of its columns.
    """
    types = [_typname(field) for field in schema]
    if all(type_ in _IN_ARROW for type_ in types):
        return statement
    inner = [f"c{number}" for number in range(len(types))]
    outputs = ", ".join(
        f"{column if type_ in _IN_ARROW else f'{column}::text'} AS {_quoted(field.name)}"
        for column, type_, field in zip(inner, types, schema, strict=True)
    )
    return f"SELECT {outputs} FROM (\n{statement}\n) AS result({', '.join(inner)})"


def canonical_schema(schema: Any) -> Any:
    """The schema of the stream: `numeric`, which the driver hands out as text, as decimals.

    `numeric(p, s)` becomes decimal(p, s), one that declares nothing decimal(38, 18).
    """
    pa = arrow()
    return pa.schema([pa.field(field.name, _canonical(field)) for field in schema])


def canonical_batch(batch: Any, source: Any, target: Any, name: str) -> Any:
    """A record batch of the driver's in the types of `canonical_schema`.

    Args:
        batch: As the driver made it.
        source: Its schema.
        target: `canonical_schema` of that.
        name: The warehouse's name.

    Raises:
        ConnectorError: A value does not fit; the column is named.
    """
    pa = arrow()
    columns = [
        _column(column, was, becomes, name)
        for column, was, becomes in zip(batch.columns, source, target, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _column(column: Any, source: Any, target: Any, name: str) -> Any:
    pa = arrow()
    if _typname(source) == "numeric":
        try:
            return _to_decimal(column.storage, source, target.type)
        except pa.ArrowInvalid as problem:
            said = str(problem).partition("\n")[0]
            raise ConnectorError(
                f"{name}: a value of {target.name!r} is no {target.type}: {said}",
                hint="cast the column in SQL: to numeric(p, s), to double precision or to text",
            ) from None
    _refuse_infinity(column, target, name)
    return column if column.type == target.type else column.cast(target.type)


def _to_decimal(texts: Any, source: Any, type_: Any) -> Any:
    """Exactly, or ArrowInvalid: Arrow's own cast from text wraps around on too many digits."""
    pa = arrow()
    if pa.types.is_string(type_) or _typmod(source) >= 4:  # what is declared, the server checked
        return texts.cast(type_)
    longest = pa.compute.max(pa.compute.utf8_length(texts)).as_py() or 0
    if longest > _ARROW_DECIMAL - type_.scale:
        raise pa.ArrowInvalid(f"it has {longest} characters")
    return texts.cast(pa.decimal256(_ARROW_DECIMAL, type_.scale)).cast(type_)


def _refuse_infinity(column: Any, target: Any, name: str) -> None:
    pa = arrow()
    kind = "timestamp" if pa.types.is_timestamp(target.type) else str(target.type).split("[")[0]
    if kind not in _EARLIEST:
        return
    number = pa.int64() if kind == "timestamp" else pa.int32()
    lowest = pa.compute.min(column.view(number)).as_py()
    if lowest is not None and lowest < _EARLIEST[kind]:
        raise ConnectorError(
            f"{name}: {target.name!r} holds infinity, or a year that Arrow cannot hold",
            hint="filter such rows, or cast the column to text",
        )


def _canonical(field: Any) -> Any:
    pa = arrow()
    name = _typname(field)
    if name == "numeric":
        return _decimal(_typmod(field))
    if pa.types.is_timestamp(field.type) and field.type.tz is not None:
        return pa.timestamp(field.type.unit, tz="UTC")
    return field.type


def _decimal(typmod: int) -> Any:
    """`typmod` is PostgreSQL's: precision in the upper half, signed scale in 11 bits, plus 4."""
    pa = arrow()
    precision, scale = _FREE_DECIMAL
    if typmod >= 4:
        precision = (typmod - 4) >> 16 & 0xFFFF
        scale = ((typmod - 4 & 0x7FF) ^ 1024) - 1024
    if scale < 0 or scale > precision:
        precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
    if precision > _ARROW_DECIMAL:
        return pa.string()
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _typname(field: Any) -> str:
    metadata: Any = field.metadata or {}
    return metadata.get(b"POSTGRESQL:type", b"").decode()


def _typmod(field: Any) -> int:
    metadata: Any = field.metadata or {}
    return int(metadata.get(b"POSTGRESQL:typmod", b"-1"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
