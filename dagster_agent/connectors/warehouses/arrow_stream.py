"""Arrow streams that look alike whatever warehouse they come from; pyarrow ships no types."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any

BATCH_ROWS = 65_536
"""Rows of one batch where the connector may choose."""


def arrow() -> Any:
    """The module `pyarrow`, imported when it is used."""
    return importlib.import_module("pyarrow")


def reader_of(schema: Any, batches: Iterator[Any]) -> Any:
    """A `pyarrow.RecordBatchReader` over record batches of that schema."""
    return arrow().RecordBatchReader.from_batches(schema, batches)


def in_utc(schema: Any) -> Any:
    """The schema with every zone of a moment called `UTC` and no metadata of the driver's."""
    pa = arrow()
    return pa.schema([pa.field(field.name, _type_in_utc(field.type)) for field in schema])


def _type_in_utc(type_: Any) -> Any:
    pa = arrow()
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        return pa.timestamp(type_.unit, tz="UTC")
    return type_


def paced(
    read: Callable[[], Any],
    *,
    seconds: float,
    limit: Callable[[float], AbstractContextManager[Any]],
) -> Generator[Any]:
    """Batches until `read` raises StopIteration; only the time spent inside it counts.

    Args:
        read: Reads the next batch.
        seconds: Time that all reads together may take.
        limit: Enters a time limit of so many seconds; it also translates errors.
    """
    left = seconds
    while True:
        started = time.monotonic()
        try:
            with limit(max(left, 0.001)):
                batch = read()
        except StopIteration:
            return
        left -= time.monotonic() - started
        yield batch
