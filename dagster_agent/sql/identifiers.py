"""Names of tables and columns, between text and `Relation`."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation

_FILE = re.compile(r"[/\\\\*]|\.(?:parquet|csv|tsv|json|jsonl|ndjson|gz|zst)$", re.IGNORECASE)
"""What a name holds that names a file; as a table's name it would be quoted and rare."""


def quote(name: str, dialect: str) -> str:
    """The identifier in the dialect's quotes, quotes inside doubled or escaped."""
    return exp.to_identifier(name, quoted=True).sql(dialect=dialect)


def relation_sql(relation: Relation, dialect: str) -> str:
    """The relation as it may stand in FROM, every part quoted."""
    parts = (relation.database, relation.schema, relation.name)
    return ".".join(quote(part, dialect) for part in parts if part is not None)


def parse_relation(text: str, dialect: str) -> Relation:
    """Read a table name of one to three parts, quoted or not; letter case is kept.

    Raises:
        ConfigError: It is no table name.
    """
    try:
        parsed = sqlglot.parse_one(f"select 1 from {text}", dialect=dialect)
    except SqlglotError:
        parsed = exp.Select()
    from_ = parsed.args.get("from_")
    table = from_.this if isinstance(from_, exp.From) else None
    relation = None
    if isinstance(table, exp.Table) and _filled(table) <= {"this", "db", "catalog"}:
        # an alias, a filter or a second table would leave more behind than a bare name
        relation = relation_of(table) if _filled(parsed) == {"expressions", "from_"} else None
    if relation is None:
        raise ConfigError(
            f"{text!r} is no table name", hint="write database.schema.table, schema.table or table"
        )
    return relation


def _filled(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}


def relation_of(table: exp.Table) -> Relation | None:
    """The name that a table node carries; None for table functions and for files.

    DuckDB reads `from 'exports/orders.parquet'` as a file, which the parser takes for a table.
    """
    if not isinstance(table.this, exp.Identifier):
        return None
    if not table.db and _FILE.search(table.name):
        return None
    return Relation(database=table.catalog or None, schema=table.db or None, name=table.name)


def same_relation(one: Relation, other: Relation) -> bool:
    """Whether both may mean the same table: letter case ignored, a missing part fits any."""
    pairs = (
        (one.database, other.database),
        (one.schema, other.schema),
        (one.name, other.name),
    )
    return all(a is None or b is None or a.casefold() == b.casefold() for a, b in pairs)
