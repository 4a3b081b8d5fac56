"""One part of a statement's tree at a time: may it stand in a read-only SELECT?"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from dagster_agent.errors import QueryRefused
from dagster_agent.sql.functions import (
    NETWORK_NAMES,
    TYPED,
    TYPED_TABLES,
    known_by_name,
    yields_table,
)
from dagster_agent.sql.syntax import SOURCES, is_syntax

_FILE_ENDINGS = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"),
    *(".avro", ".orc", ".xlsx", ".xls", ".db", ".duckdb", ".sqlite", ".gz", ".zst", ".bz2", ".zip"),
    *(".shp", ".gpkg", ".fgb", ".geojson", ".xml", ".yaml", ".yml", ".log", ".blob", ".ipc"),
)
_FILE_FORMATS = frozenset(
    {"avro", "binaryfile", "cloudfiles", "csv", "delta", "iceberg", "jdbc", "json", "kafka"}
    | {"libsvm", "orc", "parquet", "text", "xml"}
)
"""What Spark takes for a file's format when it stands before a name."""
_SEQUENCE_STEPS = frozenset({"nextval", "currval"})


def refused(reason: str, *, hint: str = "") -> QueryRefused:
    """The error that says why nothing was sent."""
    return QueryRefused(f"the statement was not sent: {reason}", hint=hint)


def check_node(node: exp.Expr, dialect: str) -> None:
    """Check one node by itself; its children are checked on their own.

    Raises:
        QueryRefused: It may not stand there.
    """
    if isinstance(node, exp.Func):
        _check_function(node, dialect)
    elif not is_syntax(node):
        raise refused(f"it contains {type(node).__name__.upper()}", hint="only reading is allowed")
    if isinstance(node, exp.From | exp.Join | exp.Lateral | exp.TableFromRows):
        _check_source(node, dialect)
    elif isinstance(node, exp.Table):
        _check_table(node, dialect)
    elif isinstance(node, exp.Column) and node.table and node.name.lower() in _SEQUENCE_STEPS:
        raise refused(f"it advances the sequence {node.table}")


def _shown(node: object, dialect: str) -> str:
    if not isinstance(node, exp.Expr):
        return "nothing"
    return node.sql(dialect, unsupported_level=ErrorLevel.IGNORE)[:80]


def _check_function(node: exp.Func, dialect: str) -> None:
    name = type(node).__name__
    prefix = _prefix(node)
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        name = str(node.name or node.this)
        known = (
            known_by_name(prefix + name, dialect)
            or (isinstance(node.parent, exp.Table) and yields_table(name, dialect))
            or _in_network_names(node, name)
        )
    else:
        known = name in TYPED and not prefix and _wraps_harmless(node)
    if not known:
        shown = _shown(node.parent, dialect) if prefix else name
        raise refused(
            f"it calls the function {shown}, which is not known to be harmless",
            hint="express it with plain functions of the warehouse",
        )


def _prefix(node: exp.Func) -> str:
    """`schema.` where the function is written with one; `x.f()` on a value is a call of `f`."""
    parent = node.parent
    if not isinstance(parent, exp.Dot) or parent.expression is not node:
        return ""
    left = parent.this
    named = isinstance(left, exp.Identifier | exp.Column | exp.Dot)
    return f"{left.name.lower()}." if named else ""


def _wraps_harmless(node: exp.Func) -> bool:
    if not isinstance(node, exp.NetFunc):
        return True
    inner = node.this
    return type(inner).__name__ in NETWORK_NAMES or _in_network_names(inner, str(inner.name))


def _in_network_names(node: exp.Expr, name: str) -> bool:
    return isinstance(node.parent, exp.NetFunc) and name.lower() in NETWORK_NAMES


def _check_source(node: exp.Expr, dialect: str) -> None:
    source = node.this
    if isinstance(node, exp.From | exp.Join):
        allowed = isinstance(source, SOURCES)
    elif isinstance(node, exp.TableFromRows):
        allowed = _is_table_function(source, dialect)
    else:
        allowed = isinstance(source, exp.Query | exp.Func | exp.TableFromRows)
    if not allowed:
        raise refused(f"it reads from {_shown(source, dialect)}, which is no table")


def _check_table(table: exp.Table, dialect: str) -> None:
    this = table.this
    if isinstance(this, exp.Identifier):
        _check_no_file(table, dialect)
    elif this is None and table.args.get("rows_from"):
        return  # ROWS FROM (...): each function is a table of its own
    elif table.args.get("db") is not None or not _is_table_function(this, dialect):
        raise refused(
            f"it reads from {_shown(this, dialect)}, which is no table",
            hint="only tables, views and subqueries may be read",
        )


def _check_no_file(table: exp.Table, dialect: str) -> None:
    name, schema = table.name.lower(), table.db.lower()
    path_like = "/" in name or "\\" in name or name.endswith(_FILE_ENDINGS)
    spark = dialect in {"databricks", "spark"} and schema and not table.catalog
    by_format = spark and (schema in _FILE_FORMATS or path_like or ":" in name)
    if by_format or (path_like and not schema):
        raise refused(f"it reads the file {table.name!r}", hint="only tables and views may be read")


def _is_table_function(node: object, dialect: str) -> bool:
    if isinstance(node, exp.Anonymous):
        return yields_table(str(node.this), dialect)
    return type(node).__name__ in TYPED_TABLES
