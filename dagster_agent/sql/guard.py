"""The read-only guard: one SELECT without side effects, or nothing is sent.

It is one layer of several: the connection's own read-only mode and the role's grants are the
others. What is executed is the text generated from the checked tree, never the text that came in,
so a comment or a trick of quoting cannot mean one thing to us and another to the warehouse.

On purpose it lets pass what only costs time (a cross join, `range(1000000000)`): time limits and
the warehouse's own budget stop that.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Generator
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, UnsupportedError

from dagster_agent.errors import ConfigError, QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.arrows import read_arrows
from dagster_agent.sql.functions import DIALECTS
from dagster_agent.sql.identifiers import parse_relation
from dagster_agent.sql.nodes import check_node, refused
from dagster_agent.sql.table_reads import parts_of, refusal, tables_read

MAX_CHARACTERS = 1_000_000
"""Longer statements are refused unread."""
MAX_NODES = 200_000
"""Larger trees are refused."""
_KEPT = 256
"""Statements whose verdict is kept: checks ask the same of a table again and again."""
_KEPT_CHARACTERS = 50_000
"""Longer statements are judged each time, so that what is kept stays small."""

_SELECT = (exp.Select, exp.SetOperation, exp.Subquery)
_READING = (*_SELECT, exp.Pivot, exp.Values)
"""A bare PIVOT or VALUES reads too, though it is no query that others may be built from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardVerdict:
    """What the guard says of one text."""

    allowed: bool
    """Whether it may run."""
    reason: str
    """Why not; for an allowed one, which tables it reads."""


def judge(
    sql: str, dialect: str, relations: Collection[Relation | str] | None = None
) -> GuardVerdict:
    """Say whether a text may run. Never raises, whatever the text.

    Args:
        sql: Anything.
        dialect: One of `DIALECTS`; others are refused, since their functions are not known.
        relations: What may be read, by name; None for the checks of the statement alone.
    """
    name = dialect.strip().lower()
    if name not in DIALECTS:
        return GuardVerdict(
            allowed=False, reason=f"unknown dialect {dialect!r}; known are {', '.join(DIALECTS)}"
        )
    try:
        named = None if relations is None else [_relation(each, name) for each in relations]
        text = read_only(sql, name, relations=named)
        read = sorted(_named_tables(text, name))
    except (QueryRefused, ConfigError) as refusal_:
        return GuardVerdict(allowed=False, reason=refusal_.message)
    except (Exception, RecursionError) as error:  # a text must never stop the others
        return GuardVerdict(allowed=False, reason=f"it could not be judged: {error!r:.200}")
    return GuardVerdict(
        allowed=True, reason=f"one SELECT; reads {', '.join(read) if read else 'no table'}"
    )


def read_only(sql: str, dialect: str, *, relations: Collection[Relation] | None = None) -> str:
    """Check a statement and write it anew.

    Args:
        sql: One statement, as generated, compiled by dbt, or typed.
        dialect: sqlglot's name of the dialect it will run in.
        relations: The only tables and views that it may read (see `table_reads.refusal` for how
            names are compared); None for all but the warehouse's own.

    Returns:
        The statement as regenerated from the checked tree, without comments.

    Raises:
        QueryRefused: It does not parse (with line and column), is not exactly one SELECT, contains
            anything that may change, lock, or reach outside the warehouse, calls a function that
            is not known to be harmless, or reads a table that it may not (each is named).
    """
    named = None if relations is None else frozenset(relations)
    if len(sql) > _KEPT_CHARACTERS:
        return _checked(sql, dialect, named)
    return _kept(sql, dialect, named)


@lru_cache(maxsize=_KEPT)
def _kept(sql: str, dialect: str, relations: frozenset[Relation] | None) -> str:
    """As `_checked`, which depends on nothing but its arguments; a refusal is never kept."""
    return _checked(sql, dialect, relations)


def _checked(sql: str, dialect: str, relations: Collection[Relation] | None) -> str:
    try:
        for _ in range(4):
            tree = _without_hints(sql, dialect)
            _check(tree, dialect, relations)
            text = _generate(tree, sql, dialect)
            tree = _parse(text, dialect, _READING)
            _check(tree, dialect, relations)
            if _generate(tree, text, dialect) == text:
                return text
            sql = text
    except RecursionError as error:
        raise refused("it is nested too deeply") from error
    raise refused(
        "it reads differently each time it is written out",
        hint="rewrite the unusual syntax in plain SQL",
    )


def parse_select(sql: str, dialect: str) -> exp.Query:
    """Parse exactly one query; says nothing about whether it may run.

    Raises:
        QueryRefused: It does not parse, or is another kind or number of statements.
    """
    root = _parse(sql, dialect, _SELECT)
    assert isinstance(root, exp.Query)  # noqa: S101 - what `_SELECT` says, for the type checker
    read_arrows(root, dialect)
    return root


def _parse(sql: str, dialect: str, kinds: tuple[type[exp.Expr], ...]) -> exp.Expr:
    if len(sql) > MAX_CHARACTERS:
        raise refused(f"it has {len(sql):,} characters, more than {MAX_CHARACTERS:,}")
    try:
        with _quiet():
            parsed = sqlglot.parse(sql, dialect=dialect, error_level=ErrorLevel.RAISE)
    except Exception as error:  # on text that is no SQL, sqlglot fails in ways of all kinds
        raise refused(
            f"it does not parse as {dialect}: {_position(error)}", hint="correct the SQL"
        ) from error
    statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1:
        raise refused(f"it holds {len(statements)} statements", hint="send one SELECT at a time")
    root = statements[0]
    if not isinstance(root, kinds):
        raise refused(f"it is {_kind(root)}, not SELECT", hint="only reading is allowed")
    return root


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Without sqlglot's warnings, which quote the text: it may hold a secret, and is refused."""
    logger = logging.getLogger("sqlglot")
    logger.addFilter(_is_error)
    try:
        yield
    finally:
        logger.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING


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


def _generate(tree: exp.Expr, sql: str, dialect: str) -> str:
    """The text of a tree, which is of no use any more: copying it first takes as long again.

    Args:
        tree: What `_without_hints` gave.
        sql: What it was made of.
        dialect: sqlglot's name.
    """
    level = ErrorLevel.RAISE
    try:
        return tree.sql(dialect=dialect, comments=False, unsupported_level=level, copy=False)
    except UnsupportedError as error:
        # sqlglot doubts some functions of the dialect's own: believe only what reads back the same
        tree = _without_hints(sql, dialect)
        text = tree.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.IGNORE)
        if _parse(text, dialect, _READING) == tree:
            return text
        raise refused(f"it cannot be written as {dialect}: {error}") from error
    except RecursionError:
        raise
    except Exception as error:  # as above: the tree may be one that nobody foresaw
        raise refused(f"it cannot be written as {dialect}: {error}") from error


def _without_hints(sql: str, dialect: str) -> exp.Expr:
    tree = _parse(sql, dialect, _READING)
    for select in tree.find_all(exp.Select):
        select.set("hint", None)
    return tree


def _check(tree: exp.Expr, dialect: str, relations: Collection[Relation] | None) -> None:
    for count, node in enumerate(tree.walk(), start=1):
        if count > MAX_NODES:
            raise refused(f"it has more than {MAX_NODES:,} parts")
        check_node(node, dialect)
    for table in tables_read(tree, dialect):
        reason = refusal(table, dialect, relations) if _is_named(table) else None
        if reason is not None:
            raise refused(f"it reads a table that it may not: {reason}")


def _is_named(table: exp.Table) -> bool:
    return isinstance(table.this, exp.Identifier)


def _named_tables(text: str, dialect: str) -> set[str]:
    tree = _parse(text, dialect, _READING)
    read = [table for table in tables_read(tree, dialect) if _is_named(table)]
    return {".".join(parts_of(table, dialect)) for table in read}


def _relation(name: Relation | str, dialect: str) -> Relation:
    if isinstance(name, Relation):
        return name
    try:
        return parse_relation(name, dialect)
    except ConfigError:
        parts = name.split(".")
        if not 1 <= len(parts) <= 3 or not all(parts):
            raise
        padded = [None, None, *parts][-3:]
        return Relation(database=padded[0], schema=padded[1], name=parts[-1])
