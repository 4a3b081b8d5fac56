"""`land`: records of any kind become the table `main.records` of a private DuckDB file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.record_sources.json_objects import refuse_no_records
from dagster_agent.connectors.record_sources.moments import (
    refuse_ambiguous,
    refuse_mixed,
    refuse_mixed_texts,
)
from dagster_agent.connectors.record_sources.record_fields import RecordFields
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Relation

if TYPE_CHECKING:
    import duckdb

LANDED = Relation(schema="main", name="records")
"""The table that landed records are in."""
_LINES = (
    "format = 'newline_delimited', sample_size = -1, maximum_depth = 2, "
    "maximum_object_size = 67108864, map_inference_threshold = -1"
)


def _unknown() -> ConnectorError | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows that a table function of DuckDB's reads."""

    sql: str
    """Such as `read_csv(?)`."""
    parameters: list[Any]
    """Its parameters."""
    texts: str = ""
    """The same rows with every value as it is written; empty where that is not to be had."""
    guesses_days: bool = False
    """Whether how days are written is told from the values alone."""
    objects: str = ""
    """What the rows are made of, each a value of the column `json`; empty where it is no JSON."""
    why: Callable[[], ConnectorError | None] = _unknown
    """Says more of why they cannot be read than DuckDB does."""


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
        ConnectorError: A record is no mapping, holds what JSON cannot, mixes moments with and
            without time zone in a field, or tells fields apart by letter case only; or there is no
            record with a field at all: without one there are no columns either.
    """
    spool = database.with_suffix(".jsonl")
    try:
        _spool(records, spool, name)
        rows = Rows(sql=f"read_json(?, {_LINES})", parameters=[str(spool)])
        land_source(rows, database, name=name)
    finally:
        spool.unlink(missing_ok=True)


def land_table(table: object, database: Path, *, name: str) -> None:
    """Land what speaks Arrow: a pandas, polars or pyarrow table, or a reader of record batches.

    Raises:
        ConnectorError: It cannot be read as a table.
    """
    arrow = _arrow(table, name)
    with _open(database, name) as connection:
        connection.register("landing", arrow)
        connection.execute(f"create table {LANDED.sql()} as select * from landing")
        _refuse_mixed_texts(connection, name)


def land_source(rows: Rows, database: Path, *, name: str) -> None:
    """Land what a DuckDB table function reads.

    Raises:
        ConnectorError: It cannot be read, says what DuckDB says; or it holds other things than
            records, or moments with and without a time zone in one column.
    """
    with _open(database, name, rows.why) as connection:
        _load(connection, rows, name)
        if rows.texts:
            _refuse_moments(connection, rows, name)
        _refuse_mixed_texts(connection, name)


def _refuse_moments(connection: duckdb.DuckDBPyConnection, rows: Rows, name: str) -> None:
    """Refuse moments of which one meaning of several was guessed."""
    found = {c: t for c, t in _types(connection).items() if t.startswith(("TIMESTAMP", "DATE"))}
    moments = [column for column, type_ in found.items() if type_ != "DATE"]
    refuse_mixed(connection, rows.texts, rows.parameters, moments, name=name)
    if rows.guesses_days:
        refuse_ambiguous(connection, rows.texts, rows.parameters, list(found), name=name)


def _refuse_mixed_texts(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    texts = [column for column, type_ in _types(connection).items() if type_ == "VARCHAR"]
    refuse_mixed_texts(connection, LANDED.sql(), texts, name=name)


def _types(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {LANDED.sql()}").fetchall()}


@contextlib.contextmanager
def _open(
    database: Path, name: str, why: Callable[[], ConnectorError | None] = _unknown
) -> Generator[duckdb.DuckDBPyConnection]:
    """The file, open for one landing; what DuckDB says becomes the source's trouble."""
    import duckdb

    try:
        with contextlib.closing(duckdb.connect(str(database))) as connection:
            yield connection
    except duckdb.Error as error:
        raise why() or unreadable(name, error) from error


def unreadable(name: str, error: duckdb.Error) -> ConnectorError:
    """The trouble in DuckDB's first words; what it says further holds values."""
    told = str(error)
    hint = "check what it holds, or set its options"
    if "not utf-8" in told:
        return ConnectorError(f"{name} cannot be read: it is no UTF-8", hint="set `encoding`")
    return ConnectorError(f"{name} cannot be read: {told.splitlines()[0]}", hint=hint)


def _spool(records: Iterable[Mapping[str, Any]], spool: Path, name: str) -> None:
    """Write one JSON object per line."""
    fields, written = RecordFields(), 0
    with spool.open("w", encoding="utf-8") as file:
        for record in records:
            try:
                line = fields.line(record)
            except (AttributeError, TypeError, ValueError) as error:
                raise ConnectorError(
                    f"record {written + 1} of {name} cannot be kept: {error}",
                    hint="yield mappings of numbers, texts, booleans, dates and None",
                ) from error
            file.write(line + "\n")
            written += 1
    if not fields.any:
        raise ConnectorError(
            f"{name} yielded "
            + (f"{written:,} records without a field" if written else "no record"),
            hint="an empty source of truth proves nothing; check its filter or its date range",
        )


def _load(connection: duckdb.DuckDBPyConnection, rows: Rows, name: str) -> None:
    """Types are told from all rows; a JSON column of no one type is what was written, as text."""
    described = connection.execute(f"describe select * from {rows.sql}", rows.parameters).fetchall()
    names = [str(row[0]) for row in described]
    if rows.objects:
        refuse_no_records(connection, rows.objects, rows.parameters, names, name=name)
    mixed = ['"' + str(row[0]).replace('"', '""') + '"' for row in described if row[1] == "JSON"]
    texts = ", ".join(f"{_as_text(column)} as {column}" for column in mixed)
    chosen = f"* replace ({texts})" if mixed else "*"
    connection.execute(
        f"create table {LANDED.sql()} as select {chosen} from {rows.sql}", rows.parameters
    )


def _as_text(column: str) -> str:
    """What was written; a whole number is written in one way, as `1` and never as `1.0`."""
    text = f"({column} ->> '$')"
    whole = f"regexp_replace({text}, '^(-?[0-9]+)[.]0$', '\\1')"
    return f"case when json_type({column}) = 'DOUBLE' then {whole} else {text} end"


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
