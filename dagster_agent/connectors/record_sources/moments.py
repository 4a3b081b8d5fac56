"""Moments with and without a time zone in one column: which moment the latter mean is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dagster_agent.errors import ConnectorError

if TYPE_CHECKING:
    import duckdb

_DATED = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:.*)?$"
"""What the smallest and the largest text of a column of moments look like."""
_ZONE = "(Z|z|UTC|GMT|[A-Za-z]+/[A-Za-z_/]+|[+-][0-9]{2}(:?[0-9]{2})?(:[0-9]{2})?)"
_ZONED = f":[0-9]{{2}}([.,][0-9]+)? *{_ZONE}$"
"""The end of a moment whose zone is told."""
_SHORT = "^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]{2,4}"
"""A day without the year in front."""
_MONTHS = 12
_NAIVE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?$"


def refuse_mixed_texts(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], *, name: str
) -> None:
    """Refuse a text column of which every value is a moment, some with a time zone, some without.

    Args:
        connection: To the database of the table.
        table: SQL of it.
        columns: Its text columns.
        name: What a person calls the source.

    Raises:
        ConnectorError: There is one; says how many of its values have no zone.
    """
    ends = [f"{kind}({_quoted(column)})" for column in columns for kind in ("min", "max")]
    values = _one_row(connection, f"select {', '.join(ends)} from {table}", []) if ends else ()
    quoted = [f"regexp_matches(?, '{_DATED}')" for _ in values]
    texts = ["" if value is None else str(value) for value in values]
    dated = _one_row(connection, f"select {', '.join(quoted)}", texts) if texts else ()
    moments = [c for n, c in enumerate(columns) if dated[2 * n] and dated[2 * n + 1]]
    refuse_mixed(connection, table, [], moments, name=name)


def refuse_mixed(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    parameters: Sequence[Any],
    columns: Sequence[str],
    *,
    name: str,
) -> None:
    """Refuse columns of texts of which some are moments with a time zone, and all others without.

    Args and errors as of `refuse_mixed_texts`; `parameters` are those of `source`.
    """
    counts = _by_column(connection, source, parameters, columns, _counts)
    for column, (total, zoned, naive) in counts:
        if zoned and naive and zoned + naive == total:
            raise ConnectorError(
                f"{name}: {column} has a time zone in {zoned:,} values and none in {naive:,}:"
                " which moment these mean is not known",
                hint="have its writer give all of them a time zone, or none",
            )


def refuse_ambiguous(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    parameters: Sequence[Any],
    columns: Sequence[str],
    *,
    name: str,
) -> None:
    """Refuse days such as `11/12/2026` where no value tells the day from the month.

    Args and errors as of `refuse_mixed`.
    """
    parts = _by_column(connection, source, parameters, columns, _day_parts)
    for column, (unlike, first, second) in parts:
        if unlike and max(first, second) <= _MONTHS:
            raise ConnectorError(
                f"{name}: {column} does not tell the day from the month in any of its values",
                hint="set `dateformat` or `timestampformat`, such as `%d/%m/%Y`",
            )


def _by_column(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    parameters: Sequence[Any],
    columns: Sequence[str],
    asked: Callable[[str], tuple[str, str, str]],
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each column with its three answers, by one statement for all of them."""
    if columns:
        parts = ", ".join(part for column in columns for part in asked(_quoted(column)))
        found = _one_row(connection, f"select {parts} from {source}", parameters)
        for number, column in enumerate(columns):
            yield column, found[3 * number : 3 * number + 3]


def _day_parts(column: str) -> tuple[str, str, str]:
    one, two = (f"try_cast(regexp_extract({column}, '{_SHORT}', {n}) as int)" for n in (1, 2))
    return f"count(*) filter (where {one} <> {two})", f"max({one})", f"max({two})"


def _counts(column: str) -> tuple[str, str, str]:
    zoned, naive = (
        f"count(*) filter (where regexp_matches({column}, '{form}'))" for form in (_ZONED, _NAIVE)
    )
    return f"count({column})", zoned, naive


def _one_row(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]
) -> tuple[Any, ...]:
    return connection.execute(sql, list(parameters)).fetchall()[0]


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
