"""The read-only guard: one SELECT without side effects, or nothing is sent.

It is one layer of several: the connection's own read-only mode and the role's grants are the
others. What is executed is the text generated from the checked tree, never the text that came in,
so a comment or a trick of quoting cannot mean one thing to us and another to the warehouse.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError

from dagster_agent.errors import QueryRefused
from dagster_agent.sql.functions import TABLE_FUNCTIONS, TYPED, known_by_name

MAX_CHARACTERS = 1_000_000
"""Longer statements are refused unread."""
MAX_NODES = 200_000
"""Larger trees are refused."""

_NODES = frozenset(
    """
    Alias Aliases All Any AtTimeZone Between BitString Boolean Bracket ByteString CTE Column
    ColumnDef Comprehension Cube DataType DataTypeParam Distinct Except Fetch Filter ForIn
    FormatJson From FromTimeZone Group GroupingSets Having HavingMax Heredoc HexString
    HistoricalData Identifier IgnoreNulls In Intersect Interval IntervalOp IntervalSpan JSON
    JSONColumnDef JSONExtractQuote JSONKeyValue JSONPath JSONPathFilter JSONPathKey
    JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector JSONPathSlice JSONPathSubscript
    JSONPathUnion JSONPathWildcard JSONSchema JSONValue Join Lambda Lateral Limit LimitOptions
    Literal MatchRecognize MatchRecognizeMeasure National Nearest Null Offset OnCondition
    OpenJSONColumnDef Order Ordered OverflowTruncateBehavior PartitionByExcluding Pivot PivotAlias
    PivotAny PositionalColumn Qualify RawString RecursiveWithSearch RespectNulls Rollup Select
    Slice Sort Star Subquery Table TableAlias TableColumn TableFromRows TableSample Tuple
    UnicodeString Union UnpivotColumns Values Var Version Where Window WindowSpec With WithinGroup
    _TimeUnit
    """.split()  # noqa: SIM905 - ninety quoted words would be harder to review
)
"""Syntax a SELECT is made of, beside functions and operators. All else is refused: DML, DDL,
commands, SELECT INTO, FOR UPDATE, parameters, variables, and whatever sqlglot adds later."""

_FILE_ENDINGS = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"),
    *(".avro", ".orc", ".xlsx", ".xls", ".db", ".duckdb", ".sqlite", ".gz", ".zst", ".bz2", ".zip"),
)


def read_only(sql: str, dialect: str) -> str:
    """Check a statement and write it anew.

    Args:
        sql: One statement, as generated, compiled by dbt, or typed.
        dialect: sqlglot's name of the dialect it will run in.

    Returns:
        The statement as regenerated from the checked tree, without comments.

    Raises:
        QueryRefused: It does not parse (with line and column), is not exactly one SELECT, contains
            anything that may change, lock, or reach outside the warehouse, or calls a function
            that is not known to be harmless (which is named).
    """
    try:
        tree = parse_select(sql, dialect)
        for _ in range(4):
            _drop_hints(tree)
            _check(tree, dialect)
            text = _generate(tree, dialect)
            tree = parse_select(text, dialect)
            if _generate(tree, dialect) == text:
                _check(tree, dialect)
                return text
    except RecursionError as error:
        raise _refused("it is nested too deeply") from error
    raise _refused(
        "it reads differently each time it is written out",
        hint="rewrite the unusual syntax in plain SQL",
    )


def parse_select(sql: str, dialect: str) -> exp.Query:
    """Parse exactly one query; says nothing about whether it may run.

    Raises:
        QueryRefused: It does not parse, or is another kind or number of statements.
    """
    if len(sql) > MAX_CHARACTERS:
        raise _refused(f"it has {len(sql):,} characters, more than {MAX_CHARACTERS:,}")
    try:
        parsed = sqlglot.parse(sql, dialect=dialect, error_level=ErrorLevel.RAISE)
    except Exception as error:  # on text that is no SQL, sqlglot fails in ways of all kinds
        raise _refused(
            f"it does not parse as {dialect}: {_position(error)}", hint="correct the SQL"
        ) from error
    statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1:
        raise _refused(f"it holds {len(statements)} statements", hint="send one SELECT at a time")
    root = statements[0]
    if not isinstance(root, exp.Select | exp.SetOperation | exp.Subquery):
        raise _refused(f"it is {_kind(root)}, not SELECT", hint="only reading is allowed")
    return root


def _kind(root: exp.Expr) -> str:
    if isinstance(root, exp.Command):
        return str(root.this).upper()
    return type(root).__name__.upper()


def _position(error: Exception) -> str:
    details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if details.get("line"):
        near = str(details.get("highlight") or "").strip()[:40]
        place = f"line {details['line']}, column {details['col']}"
        return f"{details.get('description', 'error')} at {place}" + (
            f", near {near!r}" * bool(near)
        )
    return str(error).split("\n", 1)[0][:200]


def _generate(tree: exp.Query, dialect: str) -> str:
    try:
        return tree.sql(dialect=dialect, comments=False)
    except RecursionError:
        raise
    except Exception as error:  # as above: the tree may be one that nobody foresaw
        raise _refused(f"it cannot be written as {dialect}: {error}") from error


def _drop_hints(tree: exp.Query) -> None:
    for select in tree.find_all(exp.Select):
        select.set("hint", None)


def _check(tree: exp.Query, dialect: str) -> None:
    for count, node in enumerate(tree.walk(), start=1):
        if count > MAX_NODES:
            raise _refused(f"it has more than {MAX_NODES:,} parts")
        if isinstance(node, exp.Func):
            _check_function(node, dialect)
        elif not _is_syntax(node):
            raise _refused(
                f"it contains {type(node).__name__.upper()}", hint="only reading is allowed"
            )
        if isinstance(node, exp.From | exp.Join | exp.Lateral | exp.TableFromRows):
            _check_source(node)
        elif isinstance(node, exp.Table):
            _check_table(node)
        elif isinstance(node, exp.Column) and node.table and node.name.lower() in _SEQUENCE_STEPS:
            raise _refused(f"it advances the sequence {node.table}")


_SEQUENCE_STEPS = frozenset({"nextval", "currval"})


def _is_syntax(node: exp.Expr) -> bool:
    operator = isinstance(node, exp.Binary | exp.Unary) and not isinstance(node, exp.Operator)
    return operator or type(node).__name__ in _NODES


def _check_function(node: exp.Func, dialect: str) -> None:
    name = type(node).__name__
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        name = str(node.name or node.this)
        known = known_by_name(name, dialect) or name.lower() in TABLE_FUNCTIONS
    else:
        known = name in TYPED
    parent = node.parent
    qualified = isinstance(parent, exp.Dot) and parent.expression is node
    if not known or qualified:
        shown = parent.sql(dialect) if qualified and parent is not None else name
        raise _refused(
            f"it calls the function {shown[:80]}, which is not known to be harmless",
            hint="express it with plain functions of the warehouse",
        )


def _check_source(node: exp.Expr) -> None:
    source = node.this
    if isinstance(node, exp.From | exp.Join):
        allowed = isinstance(
            source,
            exp.Table
            | exp.Subquery
            | exp.Lateral
            | exp.Unnest
            | exp.Values
            | exp.TableFromRows
            | exp.Pivot,
        )
    elif isinstance(node, exp.TableFromRows):
        allowed = _harmless_table_function(source)
    else:
        allowed = isinstance(source, exp.Query | exp.Func | exp.TableFromRows)
    if not allowed:
        raise _refused(
            f"it reads from {source.sql()[:80] if source else 'nothing'}, which is no table"
        )


def _check_table(table: exp.Table) -> None:
    this = table.this
    if not isinstance(this, exp.Identifier):
        if not _harmless_table_function(this):
            raise _refused(
                f"it reads from {this.sql()[:80]}, which is no table",
                hint="only tables, views and subqueries may be read",
            )
        return
    name = table.name.lower()
    path_like = "/" in name or "\\" in name or name.endswith(_FILE_ENDINGS)
    if path_like and not table.db:
        raise _refused(
            f"it reads the file {table.name!r}", hint="only tables and views may be read"
        )


def _harmless_table_function(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in TABLE_FUNCTIONS
    return isinstance(
        node,
        exp.GenerateSeries
        | exp.Unnest
        | exp.Flatten
        | exp.Generator
        | exp.SplitToTable
        | exp.Explode,
    )


def _refused(reason: str, *, hint: str = "") -> QueryRefused:
    return QueryRefused(f"the statement was not sent: {reason}", hint=hint)
