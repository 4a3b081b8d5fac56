"""How a CSV file is written, told strictly: no line is skipped and no row left out by a guess.

DuckDB's own guess makes a table of almost any text: it takes ragged lines for one column, broken
lines for a preamble, and rows that begin with `#` for comments.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.record_sources.landing import unreadable
from dagster_agent.errors import ConnectorError

if TYPE_CHECKING:
    import duckdb

Option = bool | int | str

_DELIMITERS = ",;\t|"
_NO_CHARACTER = "(empty)"
_SNIFFED = "Delimiter, Quote, SkipRows, HasHeader, list_transform(Columns, lambda c: c.name)"


def dialect_of(
    connection: duckdb.DuckDBPyConnection, path: Path, given: Mapping[str, Option]
) -> Mapping[str, Option]:
    """Options of DuckDB's reader with which every line of the file after its header is a row.

    Args:
        connection: Any.
        path: The file.
        given: What the customer says of it, which wins.

    Raises:
        ConnectorError: Its lines make no table, or one only by leaving some out; says which line.
    """
    import duckdb

    if not path.stat().st_size:
        raise _broken(path, "is empty: it has not even a header", "check that its writer finished")
    named = "".join(f", {name} = {literal(value)}" for name, value in sorted(given.items()))
    try:
        sql = f"select {_SNIFFED} from sniff_csv(?{named})"
        rows = connection.execute(sql, [str(path)]).fetchall()
    except duckdb.Error as error:
        raise crooked(path, given) or unreadable(path.name, error) from error
    delimiter, quote, skipped, headed, columns = rows[0]
    _refuse_preamble(path, given, skipped)
    if len(columns) == 1 and "delim" not in given and any(d in columns[0] for d in _DELIMITERS):
        raise crooked(path, given) or _broken(
            path, f"has one column, {columns[0]!r}", "set `delim`, or check its lines"
        )
    header = bool(given.get("header", headed))
    if not header and "header" not in given:
        hint = "set `header: true`, or `header: false` for the names column0, column1, ..."
        raise crooked(path, given) or _broken(path, "does not tell whether it has a header", hint)
    if quote == _NO_CHARACTER:
        # a quote that the guess overlooks is one that is never closed
        quote = "" if '"' in str(given.get("nullstr", "")) else '"'
    found = {"delim": delimiter, "quote": quote, "skip": skipped, "header": header, "comment": ""}
    found.update(given)
    if header:
        _refuse_doubles(path, found)
    return found


def crooked(path: Path, given: Mapping[str, Option]) -> ConnectorError | None:
    """The first line that has not as many values as the header; None where none is found."""
    lines = islice(_lines(path, given), int(given.get("skip", 0)), None)
    head = next(lines, "")
    delimiter = str(given.get("delim") or max(_DELIMITERS, key=head.count))
    quote = str(given.get("quote") or '"')
    if len(delimiter) != 1 or len(quote) != 1 or delimiter not in head:
        return None
    reader = csv.reader(_chained(head, lines), delimiter=delimiter, quotechar=quote, strict=True)
    try:
        names = next(reader)
        for row in reader:
            if row and len(row) != len(names):
                number = reader.line_num + int(given.get("skip", 0))
                told = f"line {number:,} has {len(row)} instead of {len(names)} values"
                return _broken(path, told, "check that its writer finished, or set its options")
    except (csv.Error, UnicodeDecodeError) as error:
        return _broken(path, f"line {reader.line_num:,}: {_said(error)}", "check its writer")
    return None


def literal(value: Option) -> str:
    """An option's value as SQL."""
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'"


def _refuse_preamble(path: Path, given: Mapping[str, Option], skipped: int) -> None:
    extra = skipped - int(given.get("skip", 0))
    before = list(islice(_lines(path, given), skipped))
    if extra <= 0 or not any(line.strip() for line in before):
        return
    what = "line is" if skipped == 1 else f"{skipped:,} lines are"
    raise crooked(path, given) or _broken(
        path,
        f"its first {what} no table",
        f"set `skip: {skipped}`, or `comment`, or check its lines",
    )


def _refuse_doubles(path: Path, found: Mapping[str, Option]) -> None:
    """Two columns of one name: DuckDB would rename one of them."""
    delimiter, quote = str(found["delim"]), str(found["quote"])
    if len(delimiter) != 1 or len(quote) != 1:
        return
    lines = islice(_lines(path, found), int(found["skip"]), None)
    head = next(csv.reader(lines, delimiter=delimiter, quotechar=quote), list[str]())
    seen: dict[str, str] = {}
    for name in filter(None, (name.strip() for name in head)):
        before = seen.get(name.lower())
        if before is not None:
            told = f"its columns {before!r} and {name!r} would be the same"
            raise _broken(path, told, "letter case does not tell columns apart; rename one")
        seen[name.lower()] = name


def _lines(path: Path, given: Mapping[str, Option]) -> Iterator[str]:
    """Lines of the text; nothing of a file that is packed in another way than gzip."""
    encoding = str(given.get("encoding") or "utf-8")
    encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    if path.suffix in (".zst", ".bz2", ".xz"):
        return
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as packed:
        try:
            bytes_: Any = packed  # both are binary streams, of no type in common
            text = io.TextIOWrapper(bytes_, encoding=encoding, errors="replace", newline="")
        except LookupError:
            return
        yield from text


def _chained(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others


def _said(error: Exception) -> str:
    if "unexpected end of data" in str(error):
        return "a quote is opened and never closed"
    return str(error)


def _broken(path: Path, told: str, hint: str) -> ConnectorError:
    return ConnectorError(f"{path.name}: {told}", hint=hint)
