"""Does the code of a model take a key out of a JSON column, or hand the whole document on?

By the expressions around the column where the code is SQL that parses; else, and where the document
goes into something that could take any key of it, by whether the text names the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.schema_drift.json_keys import Path
from dagster_agent.schema_drift.json_query import ANY, EACH
from dagster_agent.sql.guard import parse_select

_EXTRACTS = (
    exp.JSONExtract,
    exp.JSONExtractScalar,
    exp.JSONBExtract,
    exp.JSONBExtractScalar,
)
_AROUND = (exp.Paren, exp.Cast, exp.TryCast, exp.ParseJSON)
"""What a document goes through unchanged."""
_ELSEWHERE = (exp.Predicate, exp.Connector, exp.Not, exp.Group, exp.Order, exp.Ordered, exp.Join)
"""Where a document as a whole says nothing of its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """What a query does with a key of a column."""

    reads: bool
    """It takes the key, what the key lies in, or something in it."""
    onward: tuple[str, ...] = ()
    """Output columns that hold the whole document, in lower case, sorted."""


@lru_cache(maxsize=4096)
def key_use(code: str, column: str, path: Path, *, dialect: str) -> KeyUse:
    """What a query that reads a column does with a key in its documents.

    Args:
        code: A model's code, compiled where it is.
        column: Its name, letter case ignored.
        path: Of the key; letter case counts.
        dialect: sqlglot's name of the dialect.
    """
    named = _named(code, path)
    try:
        tree = parse_select(code, dialect)
    except (QueryRefused, RecursionError):
        return KeyUse(reads=named)
    names = _names(tree, column.casefold())
    reads, onward = False, set[str]()
    for node, steps in _mentions(tree, names):
        top, taken = _taken(node, steps)
        if taken is None:
            reads = reads or named
        elif taken:
            reads = reads or _meet(taken, path)
        elif isinstance(top.parent, exp.Alias | exp.Select):
            onward |= _output(top, tree)
        elif not isinstance(top.parent, _ELSEWHERE):
            reads = reads or named
    return KeyUse(reads=reads, onward=tuple(sorted(onward)))


def _named(code: str, path: Path) -> bool:
    """Whether the text names the key, or for a map what it lies in."""
    key = next((step for step in reversed(path) if step not in (ANY, EACH)), "")
    return re.search(rf"(?<![\w$]){re.escape(key)}(?![\w$])", code) is not None


def _names(tree: exp.Expr, column: str) -> set[str]:
    """The column's name, and those under which the query has its documents too."""
    names = {column}
    aliases = [
        (alias.alias.casefold(), below.name.casefold())
        for alias in tree.find_all(exp.Alias)
        if isinstance(below := _unwrapped(alias.this), exp.Column)
    ]
    while more := {alias for alias, name in aliases if name in names} - names:
        names |= more
    return names


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, _AROUND):
        node = node.this
    return node


def _mentions(tree: exp.Expr, names: set[str]) -> Iterator[tuple[exp.Expr, Path]]:
    """Each mention of the documents, with the steps that are written as a name with dots."""
    for column in tree.find_all(exp.Column):
        parts = [part.name for part in column.parts]
        for place, part in enumerate(parts):
            if part.casefold() in names:
                yield column, tuple(parts[place + 1 :])
                break


def _taken(node: exp.Expr, steps: Path) -> tuple[exp.Expr, Path | None]:
    """The outermost expression that only goes down into the documents, and how far.

    The steps are None where they depend on data.
    """
    taken: Path | None = steps
    while (parent := node.parent) is not None:
        more = _step(parent, node)
        if more is not None:
            taken = None if taken is None or None in more else (*taken, *filter(None, more))
        elif not isinstance(parent, _AROUND):
            break
        node = parent
    return node, taken


def _step(parent: exp.Expr, node: exp.Expr) -> Sequence[str | None] | None:
    """The steps that an expression takes down from its operand; None where it takes none."""
    if isinstance(parent, exp.Anonymous) and parent.expressions and parent.expressions[0] is node:
        if not parent.name.lower().startswith(("json_extract_path", "jsonb_extract_path")):
            return None
        return [_literal(argument) for argument in parent.expressions[1:]]
    if getattr(parent, "this", None) is not node:
        return None
    if isinstance(parent, _EXTRACTS):
        return _path_steps(parent.expression)
    if isinstance(parent, exp.Bracket):
        return [_literal(index) for index in parent.expressions]
    if isinstance(parent, exp.Dot):
        return [parent.expression.name or None]
    if isinstance(parent, exp.JSONBContainsTopKey):
        return [_literal(parent.expression)]
    return None


def _path_steps(path: exp.Expr) -> Sequence[str | None]:
    if isinstance(path, exp.JSONPath):
        return [_json_step(part) for part in path.expressions if type(part) is not exp.JSONPathRoot]
    text = path.name if isinstance(path, exp.Literal) else ""
    if text.startswith("{") and text.endswith("}"):  # PostgreSQL's `#>> '{user,email}'`
        return [EACH if step.isdigit() else step.strip('" ') for step in text[1:-1].split(",")]
    return [_literal(path)]


def _json_step(part: exp.Expr) -> str | None:
    if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
        return part.this
    is_element = isinstance(part, exp.JSONPathSubscript | exp.JSONPathWildcard | exp.JSONPathSlice)
    return EACH if is_element else None


def _literal(node: exp.Expr) -> str | None:
    if not isinstance(node, exp.Literal):
        return None
    return node.name if node.is_string else EACH


def _meet(taken: Path, path: Path) -> bool:
    """Whether one lies within the other."""
    return all(a == b or ANY in (a, b) for a, b in zip(taken, path, strict=False))


def _output(top: exp.Expr, tree: exp.Expr) -> set[str]:
    """The column under which the whole document leaves the query; none for an inner SELECT."""
    select = top.find_ancestor(exp.Select)
    outermost = {id(part) for part in _outermost(tree)}
    if select is None or id(select) not in outermost:
        return set()
    name = top.parent.alias if isinstance(top.parent, exp.Alias) else top.alias_or_name
    return {name.casefold()} if name else set()


def _outermost(tree: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(tree, exp.SetOperation):
        yield from _outermost(tree.this)
        yield from _outermost(tree.expression)
    elif isinstance(tree, exp.Subquery):
        yield from _outermost(tree.this)
    else:
        yield tree
