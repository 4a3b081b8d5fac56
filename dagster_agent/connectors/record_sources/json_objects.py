"""What JSON files hold besides records, and fields that a table cannot tell apart.

DuckDB lands both without a word: what is no record becomes a column `json`, and the second of two
fields that only letter case tells apart gets another name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dagster_agent.errors import ConnectorError

if TYPE_CHECKING:
    import duckdb

_COUNTS = "count(*), count(*) filter (where json_type(json) not in ('OBJECT', 'NULL'))"


def refuse_no_records(
    connection: duckdb.DuckDBPyConnection,
    objects: str,
    parameters: Sequence[Any],
    columns: Sequence[str],
    *,
    name: str,
) -> None:
    """Refuse files that are no list of records, and fields that would be one column.

    Args:
        connection: Any.
        objects: The files as one column `json`, such as `read_json_objects(?)`.
        parameters: Its parameters.
        columns: As which they would land.
        name: What a person calls the source.

    Raises:
        ConnectorError: Says which of both it is.
    """
    if "json" in columns:
        _refuse_others(connection, objects, parameters, columns, name)
    lower = {column.lower() for column in columns}
    for column in columns:
        base = re.sub("_[0-9]+$", "", column)
        renamed = base != column and base not in columns and base.lower() in lower
        if renamed and _has(connection, objects, parameters, base):
            raise ConnectorError(
                f"{name} has a field {base!r} and another that differs only in letter case",
                hint="letter case does not tell columns apart; rename one",
            )


def _refuse_others(
    connection: duckdb.DuckDBPyConnection,
    objects: str,
    parameters: Sequence[Any],
    columns: Sequence[str],
    name: str,
) -> None:
    sql = f"select {_COUNTS} from {objects}"
    count, others = connection.execute(sql, list(parameters)).fetchall()[0]
    if not count:
        raise ConnectorError(
            f"{name} holds 0 records",
            hint="an empty source of truth proves nothing; check that its writer finished",
        )
    told = f"{others:,} of {count:,} values that are no records" if others else ""
    if len(columns) == 1 and not _has(connection, objects, parameters, "json"):
        told = told or f"{count:,} records without a field"
    if told:
        raise ConnectorError(
            f"{name} holds {told}", hint="write an array of objects, or one object a line"
        )


def _has(
    connection: duckdb.DuckDBPyConnection, objects: str, parameters: Sequence[Any], field: str
) -> bool:
    path = '$."' + field.replace('"', '\\"') + '"'
    sql = f"select count(*) from {objects} where json_exists(json, ?)"
    return bool(connection.execute(sql, [*parameters, path]).fetchall()[0][0])
