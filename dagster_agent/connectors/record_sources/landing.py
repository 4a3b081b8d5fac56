"""`land`: records of any kind become the table `main.records` of a private DuckDB file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, closing
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dagster_agent.errors import ConnectorError
from dagster_agent.model import Relation

if TYPE_CHECKING:
    import duckdb

LANDED = Relation(schema="main", name="records")
"""The table that landed records are in."""
_BIGGEST = 2**63 - 1
_LINES = (
    "format = 'newline_delimited', sample_size = -1, maximum_depth = 2, "
    "maximum_object_size = 67108864"
)


def land_records(records: Iterable[Mapping[str, Any]], database: Path, *, name: str) -> None:
    """Land JSON-like records, streamed; the types are told from all of them.

    Dates, times and UUIDs travel as text and are recognised again. A column of numbers and texts is
    text; nested values are their JSON as text; numbers that a double or a BIGINT would change are
    text. A field that is missing in some records is NULL there.

    Args:
        records: One mapping per row.
        database: The DuckDB file to make.
        name: What a person calls the source, for errors.

    Raises:
        ConnectorError: A record is no mapping, holds what JSON cannot, or there is none at all:
            without a record there are no columns either.
    """
    spool = database.with_suffix(".jsonl")
    try:
        if not _spool(records, spool, name):
            raise ConnectorError(
                f"{name} yielded no record",
                hint="an empty source of truth proves nothing; check its filter or its date range",
            )
        land_source(f"read_json(?, {_LINES})", [str(spool)], database, name=name)
    finally:
        spool.unlink(missing_ok=True)


def land_table(table: object, database: Path, *, name: str) -> None:
    """Land what speaks Arrow: a pandas, polars or pyarrow table, or a reader of record batches.

    Raises:
        ConnectorError: It cannot be read as a table.
    """
    arrow = _arrow(table, name)
    with _open(database) as connection:
        connection.register("landing", arrow)
        connection.execute(f"create table {LANDED.sql()} as select * from landing")


def land_source(source: str, parameters: list[Any], database: Path, *, name: str) -> None:
    """Land what a DuckDB table function reads, such as `read_csv(?)`.

    Raises:
        ConnectorError: It cannot be read; says what DuckDB says.
    """
    import duckdb

    try:
        with _open(database) as connection:
            _load(connection, source, parameters)
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise ConnectorError(
            f"{name} cannot be read: {told}", hint="check what it holds, or set its options"
        ) from error


def _open(database: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    import duckdb

    return closing(duckdb.connect(str(database)))


def _spool(records: Iterable[Mapping[str, Any]], spool: Path, name: str) -> int:
    """Write one JSON object per line; how many."""
    written = 0
    with spool.open("w", encoding="utf-8") as file:
        for record in records:
            try:
                plain = {name: _plain(value) for name, value in record.items()}
                line = json.dumps(plain, allow_nan=False)
            except (AttributeError, TypeError, ValueError) as error:
                raise ConnectorError(
                    f"record {written + 1} of {name} cannot be kept: {error}",
                    hint="yield mappings of numbers, texts, booleans, dates and None",
                ) from error
            file.write(line + "\n")
            written += 1
    return written


def _plain(value: object) -> object:
    """As JSON holds it without loss."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        short = float(value)
        return short if Decimal(repr(short)) == value else str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _BIGGEST:
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, sort_keys=True)
    return value


def _load(connection: duckdb.DuckDBPyConnection, source: str, parameters: list[Any]) -> None:
    """Types are told from all rows; a JSON column of no one type is what was written, as text."""
    described = connection.execute(f"describe select * from {source}", parameters).fetchall()
    mixed = ['"' + str(row[0]).replace('"', '""') + '"' for row in described if row[1] == "JSON"]
    texts = ", ".join(f"{name} ->> '$' as {name}" for name in mixed)
    chosen = f"* replace ({texts})" if mixed else "*"
    connection.execute(f"create table {LANDED.sql()} as select {chosen} from {source}", parameters)


def _arrow(table: Any, name: str) -> Any:
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs] # it ships none

    arrow: Any = pa
    try:
        if isinstance(table, arrow.Table | arrow.RecordBatchReader):
            return table
        if hasattr(table, "__arrow_c_stream__"):
            return arrow.RecordBatchReader.from_stream(table)
        return arrow.table(table)
    except (arrow.ArrowException, TypeError, ValueError) as error:
        raise ConnectorError(
            f"{name} is {type(table).__name__}, which is no table: {error}",
            hint="return a pandas, polars or pyarrow table, or an iterable of mappings",
        ) from error
