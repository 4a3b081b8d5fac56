"""Tables and expressions as a warehouse sees them, checked before anything is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot import parse as parse_sql
from sqlglot.errors import SqlglotError

from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote

if TYPE_CHECKING:
    from collections.abc import Sequence


class MissingTable(ConfigError):
    """A table of a pair is not there: it vanished, was never built, or is misspelt."""

    def __init__(self, label: str, relation: Relation, warehouse: Warehouse) -> None:
        named = f"{label} ({relation})" if label != relation.name else str(relation)
        super().__init__(
            f"{named} does not exist in {warehouse.name}",
            hint="build or load it, or correct its name",
        )


def schema_of(warehouse: Warehouse, relation: Relation, label: str) -> TableSchema:
    """The table's schema.

    Raises:
        MissingTable: There is no such table.
        ConnectorError: The warehouse does not answer.
    """
    found = warehouse.schemas([relation]).get(relation)
    if found is None:
        raise MissingTable(label, relation, warehouse)
    return found


def condition(text: str | None, field: str, dialect: str) -> str | None:
    """A filter as it may stand in parentheses, without comments.

    Raises:
        ConfigError: It is no condition in that dialect.
    """
    if text is None or not text.strip():
        return None
    try:
        found = [one for one in parse_sql(f"select 1 where {text}", dialect=dialect) if one]
    except SqlglotError as error:
        raise _no_condition(text, field, dialect) from error
    where = found[0].args.get("where") if len(found) == 1 else None
    if not isinstance(where, exp.Where) or set(_filled(found[0])) != {"expressions", "where"}:
        raise _no_condition(text, field, dialect)
    return where.this.sql(dialect=dialect, comments=False) if "--" in text else text.strip()


def types_of(
    warehouse: Warehouse, source_sql: str, expressions: Mapping[str, str], label: str
) -> Mapping[str, str]:
    """Types of SQL expressions over some rows, by the names given; reads no row.

    Args:
        warehouse: Where the rows are.
        source_sql: To stand after FROM.
        expressions: SQL by name.
        label: What a person calls the table.

    Raises:
        ConnectorError: An expression does not exist or does not fit.
        ConfigError: An expression does not parse.
    """
    if not expressions:
        return {}
    for name, sql in expressions.items():
        _parses(sql, name, label, warehouse.dialect)
    selected = ", ".join(
        f"({sql}) as {quote(name, warehouse.dialect)}" for name, sql in expressions.items()
    )
    query = f"select {selected} from {source_sql} limit 0"
    with warehouse.batches(query, purpose=f"types of expressions on {label}") as reader:
        found: Sequence[Any] = list(reader.schema)
    return {name: _type(field.type) for name, field in zip(expressions, found, strict=True)}


def _parses(sql: str, name: str, label: str, dialect: str) -> None:
    try:
        found = [one for one in parse_sql(f"select ({sql})", dialect=dialect) if one]
    except SqlglotError:
        found = []
    if len(found) != 1 or set(_filled(found[0])) != {"expressions"}:
        raise ConfigError(
            f"{name!r} of {label} is {sql!r}, which is no SQL expression of {dialect}",
            hint="write a column or one expression, such as `minor / 100.0`",
        )


def _no_condition(text: str, field: str, dialect: str) -> ConfigError:
    return ConfigError(
        f"`{field}` is {text!r}, which is no SQL condition of {dialect}; it was not sent",
        hint="write what may stand after WHERE, such as `status <> 'test'`",
    )


def _filled(node: exp.Expr) -> list[str]:
    return [name for name, value in node.args.items() if value]


def _type(arrow: Any) -> str:
    """An Arrow type in words that every `kind_of` understands."""
    name = str(arrow)
    if name.startswith("decimal"):
        scale = f"({arrow.precision},{arrow.scale})"
        return f"DECIMAL{scale}" if arrow.scale else "BIGINT"
    if name.startswith("timestamp"):
        return "TIMESTAMP WITH TIME ZONE" if arrow.tz else "TIMESTAMP"
    for prefix, word in _WORDS.items():
        if name.startswith(prefix):
            return word
    return "VARCHAR"


_WORDS = {
    "int": "BIGINT",
    "uint": "BIGINT",
    "double": "DOUBLE",
    "float": "DOUBLE",
    "halffloat": "DOUBLE",
    "date": "DATE",
    "bool": "BOOLEAN",
}
