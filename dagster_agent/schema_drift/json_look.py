"""A look into the JSON columns of a table: which they are, what it may cost, what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TypeVar

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.json_grammar import GRAMMARS
from dagster_agent.schema_drift.json_keys import ColumnKeys, Path, path_text, read_keys
from dagster_agent.schema_drift.json_query import SPAN, JsonColumn, Reach, keys_query
from dagster_agent.schema_drift.types import parse_type, type_name
from dagster_agent.sql.identifiers import relation_sql

T = TypeVar("T")

_OPEN = frozenset({"JSON", "VARIANT", "SUPER"})
"""Types whose values are documents, in any dialect."""
_OPEN_UNLESS_TYPED = frozenset({"STRUCT", "ARRAY"})
"""Snowflake's OBJECT and ARRAY, where nothing is declared of what lies in them."""
_LIKELY = (*sorted(_OPEN), *("OBJECT", "ARRAY"))
"""One of them is in the name of every type that holds documents."""
_PLACEHOLDER = timedelta(days=2)
"""How far ahead of the clock a row's moment may lie."""
_ROWS_AT_MOST = 5000
_LEAST_PERCENT = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLook:
    """What was found in the documents of a table."""

    found: Mapping[str, ColumnKeys] = field(default_factory=lambda: dict[str, ColumnKeys]())
    """By column; those that could not be looked into are absent."""
    hours: int | None = None
    """How far they reach back from the newest; None where no column of moments tells."""
    whole: bool = True
    """All documents of the table were looked at, not just the newest."""
    not_looked: str = ""
    """What was on purpose not looked into, and why; empty where everything was."""
    problem: DagsterAgentError | None = None
    """Why the look failed; then nothing is known of any document."""
    query: str = ""
    """The statement."""


def json_columns(
    schema: TableSchema, *, config: SchemaDriftConfig, dialect: str
) -> tuple[JsonColumn, ...]:
    """The columns whose documents are watched, in table order.

    Args:
        schema: The table.
        config: Of its asset.
        dialect: sqlglot's name of the dialect of its types.

    Raises:
        ConfigError: The settings name a text column that is not there.
    """
    texts = {name.casefold() for name in config.json_text_columns}
    unknown = texts - {column.name.casefold() for column in schema.columns}
    if unknown:
        raise ConfigError(
            f"schema_drift.json_text_columns names {min(unknown)!r}, which is no column",
            hint=f"columns: {', '.join(column.name for column in schema.columns)}",
        )
    found: list[JsonColumn] = []
    for column in schema.columns:
        text = column.name.casefold() in texts
        if (text or is_json(column, dialect)) and not _ignored(column.name, config):
            found.append(JsonColumn(name=column.name, text=text and not is_json(column, dialect)))
    return tuple(found)


def is_json(column: ColumnSchema, dialect: str) -> bool:
    """Whether a column's type says that it holds documents of any form."""
    return _is_json(column.type, dialect)


@lru_cache(maxsize=4096)
def _is_json(type_: str, dialect: str) -> bool:
    # most columns are none, and a word is found faster than a type is read
    likely = any(word in type_.upper() for word in _LIKELY)
    parsed = parse_type(type_, dialect) if likely else None
    if parsed is None:
        return False
    name = type_name(parsed)
    untyped = dialect == "snowflake" and name in _OPEN_UNLESS_TYPED and not parsed.expressions
    return name in _OPEN or untyped


def take_look(
    warehouse: Warehouse,
    schema: TableSchema,
    *,
    config: SchemaDriftConfig,
    moment: Callable[[], str | None],
    now: datetime,
    secrets: Sequence[str] = (),
) -> JsonLook | None:
    """Look into the newest documents of a table, in one statement. Never raises for the warehouse.

    Args:
        warehouse: Asked for keys and types, never for a value.
        schema: The table.
        config: Of its asset.
        moment: Names the column that tells when a row came; asked where there is a JSON column.
        now: UTC.
        secrets: Values known to be secret.

    Returns:
        None where it has no column to look into.

    Raises:
        ConfigError: As `json_columns`.
    """
    dialect = warehouse.dialect
    columns = json_columns(schema, config=config, dialect=dialect)
    if not columns:
        return None
    names = ", ".join(column.name for column in columns)
    if dialect not in GRAMMARS:
        known = ", ".join(sorted(GRAMMARS))
        return JsonLook(
            not_looked=f"the keys in {names} are not read on {dialect}, only on {known}"
        )
    try:
        reach = _reach(warehouse, schema, columns, config, moment(), now)
        if reach is None:
            told = f"the keys in {names} are not read: the view would read more than json_max_bytes"
            return JsonLook(not_looked=told)
        sql = _query(schema, columns, reach, dialect)
        result = warehouse.query(sql, purpose="keys of JSON columns", max_rows=_ROWS_AT_MOST)
        if result.truncated:
            raise ConnectorError(
                f"{names} have more than {_ROWS_AT_MOST:,} different keys",
                hint="name the widest in schema_drift.json_ignore",
            )
        found = read_keys(result.rows, columns, secrets=secrets)
    except DagsterAgentError as problem:
        return JsonLook(problem=problem)
    kept = {
        name: replace(each, keys=watched(name, each.keys, config)) for name, each in found.items()
    }
    hours = [int(str(row[2])) for row in result.rows if row[0] == SPAN]
    most = max(each.documents for each in found.values())
    return JsonLook(
        found=kept,
        hours=hours[0] if hours else None,
        whole=most < config.json_max_rows and reach.percent is None,
        query=sql,
    )


def _reach(
    warehouse: Warehouse,
    schema: TableSchema,
    columns: Sequence[JsonColumn],
    config: SchemaDriftConfig,
    moment: str | None,
    now: datetime,
) -> Reach | None:
    """As much as the budget allows; None where it allows nothing."""
    grammar = GRAMMARS[warehouse.dialect]
    stored = schema.kind == "table"
    # by the day, so that the statement stays the same, and is judged by the guard once
    until = (now + _PLACEHOLDER).replace(hour=0, minute=0, second=0, microsecond=0)
    whole = Reach(rows=config.json_max_rows, moment=moment, until=until, stored=stored)
    share = 1.0
    if stored and moment is None and not grammar.place and grammar.sample:
        share = _share_of_rows(warehouse, schema, config)
    scanned = warehouse.bytes_scanned(_query(schema, columns, whole, warehouse.dialect))
    if scanned is not None and scanned > config.json_max_bytes:
        if not stored or not grammar.sample:
            return None
        share = min(share, config.json_max_bytes / scanned)
    if share == 1.0:
        return whole
    percent = max(_LEAST_PERCENT, 100 * share)
    return Reach(rows=whole.rows, moment=moment, until=whole.until, stored=stored, percent=percent)


def _share_of_rows(warehouse: Warehouse, schema: TableSchema, config: SchemaDriftConfig) -> float:
    """Where nothing tells which rows are new, some of everywhere: twice as many as are looked at,
    since whole blocks are taken."""
    facts = warehouse.facts([schema.relation]).get(schema.relation)
    rows = facts.row_count if facts else None
    return min(1.0, 2 * config.json_max_rows / rows) if rows else 1.0


def _query(schema: TableSchema, columns: Sequence[JsonColumn], reach: Reach, dialect: str) -> str:
    return keys_query(relation_sql(schema.relation, dialect), columns, reach, dialect)


def watched(column: str, paths: Mapping[Path, T], config: SchemaDriftConfig) -> dict[Path, T]:
    """Those of a column's keys that lie in nothing that the settings say to ignore."""
    return {
        path: told
        for path, told in paths.items()
        if not any(
            _ignored(path_text(column, path[:length]), config) for length in range(len(path) + 1)
        )
    }


def _ignored(name: str, config: SchemaDriftConfig) -> bool:
    patterns = (*config.json_ignore, *config.ignore_columns)
    # brackets are of arrays here, never of a set of letters
    escaped = (pattern.casefold().replace("[", "[[]") for pattern in patterns)
    return any(fnmatchcase(name.casefold(), pattern) for pattern in escaped)
