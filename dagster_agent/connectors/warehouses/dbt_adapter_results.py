"""From the Python values of a dbt adapter's driver to `Cell`s and Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from dagster_agent.connectors.warehouses.arrow_stream import arrow
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Cell

_NAMED = (
    (r"BOOL", "bool"),
    (r"INTERVAL|JSON|ARRAY|STRUCT|MAP", "text"),
    (r"INT", "int"),
    (r"NUMERIC|DECIMAL|NUMBER|FIXED", "decimal"),
    (r"FLOAT|DOUBLE|REAL", "float"),
    (r"TZ$|WITH TIME ZONE|DATETIMETZ|_LTZ", "aware"),
    (r"TIMESTAMP|DATETIME", "naive"),
    (r"DATE", "date"),
    (r"TIME", "time"),
    (r"BINARY|BYTE|BLOB", "bytes"),
)
"""What an adapter's type name means, for columns whose first values are all NULL."""
_KINDS = tuple(kind for _, kind in _NAMED)


def to_cell(value: Any) -> Cell:
    """A moment with a time zone in UTC, all others as they are."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def stream_schema(names: Sequence[str], types: Sequence[str], rows: Sequence[Any]) -> Any:
    """The Arrow schema that the first rows ask for.

    Args:
        names: Of the columns.
        types: The adapter's names of their types; used where all first values are NULL.
        rows: The first chunk.
    """
    pa = arrow()
    kinds = [
        next((_kind(row[index]) for row in rows if row[index] is not None), None) or _named(type_)
        for index, type_ in enumerate(types)
    ]
    return pa.schema([pa.field(n, _arrow(kind)) for n, kind in zip(names, kinds, strict=True)])


def to_batch(rows: Sequence[Sequence[Any]], schema: Any, name: str) -> Any:
    """A record batch of that schema.

    Raises:
        ConnectorError: A value is of another type than the column's first ones, or does not fit.
    """
    pa = arrow()
    columns: Iterator[Any] = zip(*rows, strict=True) if rows else iter(() for _ in schema)
    arrays: list[Any] = []
    for values, field in zip(columns, schema, strict=True):
        cells = [to_cell(value) for value in values]
        if pa.types.is_string(field.type):
            cells = [None if cell is None else str(cell) for cell in cells]
        try:
            _check(cells, field.type)
            arrays.append(pa.array(cells, type=field.type))
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as problem:
            said = str(problem).partition("\n")[0]
            raise ConnectorError(
                f"{name}: a value of {field.name!r} is no {field.type}: {said}",
                hint="cast the column in SQL, to numeric(p, s), double precision or text",
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _check(cells: Sequence[Cell], type_: Any) -> None:
    """Arrow itself would cut 1.5 to 1 and a moment to its day."""
    fitting = {kind for kind in _KINDS if _arrow(kind) == type_}
    if "decimal" in fitting:
        fitting.add("int")
    other = next((c for c in cells if c is not None and _kind(c) not in fitting), None)
    if other is not None:
        raise TypeError(f"it is a {type(other).__name__}")


def _kind(value: Any) -> str:
    if isinstance(value, datetime):
        return "naive" if value.tzinfo is None else "aware"
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (Decimal, "decimal"))
    others = ((date, "date"), (time, "time"), (bytes, "bytes"))
    return next((kind for type_, kind in (*kinds, *others) if isinstance(value, type_)), "text")


def _named(type_: str) -> str:
    return next((kind for pattern, kind in _NAMED if re.search(pattern, type_.upper())), "text")


def _arrow(kind: str) -> Any:
    pa = arrow()
    return {
        "bool": pa.bool_(),
        "int": pa.int64(),
        "float": pa.float64(),
        "decimal": pa.decimal128(38, 18),
        "aware": pa.timestamp("us", tz="UTC"),
        "naive": pa.timestamp("us"),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "bytes": pa.binary(),
        "text": pa.string(),
    }[kind]
