"""From Snowflake's values to `Cell`s and to Arrow types that every warehouse shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dagster_agent.connectors.warehouses.arrow_stream import BATCH_ROWS, arrow
from dagster_agent.model import Cell

_FIXED = 0
_TYPES = {
    1: "float64",
    3: "date32",
    6: "zoned",
    7: "zoned",
    8: "plain",
    11: "binary",
    12: "time",
    13: "bool_",
}
"""By the connector's type code: REAL, DATE, TIMESTAMP_LTZ, _TZ, _NTZ, BINARY, TIME, BOOLEAN."""


def to_cell(value: Any) -> Cell:
    """Moments with a time zone in UTC, bytes as `bytes`, all others as they are."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return bytes(value) if isinstance(value, bytearray) else value


def stream_schema(description: Sequence[Any]) -> Any:
    """The Arrow schema that a result's description promises.

    The connector picks the narrowest type for each batch; one stream needs one. NUMBER(p, s) is
    decimal(p, s), moments are in microseconds, VARIANT, OBJECT and ARRAY are JSON text.
    """
    pa = arrow()
    return pa.schema([pa.field(column.name, _type(column)) for column in description])


def to_batches(table: Any, schema: Any) -> Iterator[Any]:
    """Record batches of the schema. Digits below the microsecond are cut, as Python's are."""
    pa = arrow()
    columns = [
        column.cast(field.type, safe=not pa.types.is_temporal(field.type))
        for column, field in zip(table.columns, schema, strict=True)
    ]
    whole = pa.Table.from_arrays(columns, schema=schema)
    yield from whole.to_batches(max_chunksize=BATCH_ROWS)


def _type(column: Any) -> Any:
    pa = arrow()
    if column.type_code == _FIXED:
        return pa.decimal128(column.precision or 38, column.scale or 0)
    name = _TYPES.get(column.type_code, "string")
    if name == "zoned":
        return pa.timestamp("us", tz="UTC")
    if name == "plain":
        return pa.timestamp("us")
    return pa.time64("us") if name == "time" else getattr(pa, name)()
