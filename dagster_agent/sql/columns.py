"""Which columns a query yields, which source a column belongs to, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.identifiers import relation_of, same_relation
from dagster_agent.sql.statement import Block, Visible, lookup, opened, sources

Known = Mapping[Relation, Sequence[str]]
"""Columns of tables, as far as they are known."""

Origin = tuple[Relation, str]
"""A table and its column."""


def is_query(node: exp.Expr) -> bool:
    """A subquery in FROM, as opposed to joined tables in parentheses."""
    return isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query)


def query_columns(query: exp.Query, visible: Visible, known: Known) -> tuple[str, ...] | None:
    """Output columns of a query in order; None where a star cannot be resolved."""
    query, visible = opened(query, visible)
    while isinstance(query, exp.SetOperation):
        query, visible = opened(query.left, visible)
    if not isinstance(query, exp.Select):
        return None
    found: list[str] = []
    for projection in query.expressions:
        star = star_of(projection)
        if star is None:
            found.append(projection.alias_or_name)
            continue
        columns = [source_columns(s, visible, known) for s in starred_sources(projection, query)]
        if not columns or None in columns:
            return None
        excluded = {e.name.casefold() for e in star.args.get("except_") or ()}
        found += [c for each in columns for c in each or () if c.casefold() not in excluded]
    return tuple(found)


def source_columns(source: exp.Expr, visible: Visible, known: Known) -> tuple[str, ...] | None:
    """Columns of a node in FROM; None where they are not known."""
    alias = source.args.get("alias")
    renamed = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if renamed:
        return tuple(renamed)
    if isinstance(source, exp.Subquery) and is_query(source):
        return query_columns(source.this, visible, known)
    if not isinstance(source, exp.Table) or source.args.get("pivots"):
        return None
    named = lookup(source, visible)
    if named is not None:
        declared = [c.name for c in named.cte.args["alias"].columns]
        if declared or named.recursive:
            return tuple(declared) or None
        return query_columns(named.cte.this, named.visible, known)
    relation = relation_of(source)
    matches = [c for r, c in known.items() if relation is not None and same_relation(r, relation)]
    return tuple(matches[0]) if len(matches) == 1 else None


def star_of(projection: exp.Expr) -> exp.Star | None:
    """The star of `*` or `alias.*`, with what it leaves out."""
    node = projection.this if isinstance(projection, exp.Column) else projection
    return node if isinstance(node, exp.Star) else None


def owner(column: exp.Column, block: Block, known: Known) -> exp.Expr | None:
    """The source of the block's SELECT that a column is read from; None where that is open."""
    found = sources(block.select)
    if column.table:
        return next((s for s in found if _same_name(s.alias_or_name, column.table)), None)
    return _only_with(column.name, found, block.visible, known)


def origin(query: exp.Query, column: str, visible: Visible, known: Known) -> Origin | None:
    """The table column that an output column copies, through CTEs, subqueries and renames.

    None for computed columns, for set operations, and where stars leave it open.
    """
    query, visible = opened(query, visible)
    if not isinstance(query, exp.Select):
        return None
    block = Block(scope="", select=query, visible=visible, recursive=False)
    for projection in query.expressions:
        if star_of(projection) is None and _same_name(projection.alias_or_name, column):
            copied = projection.unalias()
            if not isinstance(copied, exp.Column):
                return None
            source = owner(copied, block, known)
            return source_origin(source, copied.name, visible, known)
    stars = [p for p in query.expressions if star_of(p) is not None]
    candidates = [source for star in stars for source in starred_sources(star, query)]
    source = _only_with(column, candidates, visible, known)
    return source_origin(source, column, visible, known)


def starred_sources(star: exp.Expr, select: exp.Select) -> list[exp.Expr]:
    """The sources whose columns `*` or `alias.*` stands for."""
    alias = star.table if isinstance(star, exp.Column) else ""
    return [s for s in sources(select) if not alias or _same_name(s.alias_or_name, alias)]


def _only_with(
    column: str, candidates: Sequence[exp.Expr], visible: Visible, known: Known
) -> exp.Expr | None:
    """The source that has the column; None where several may."""
    unknown: list[exp.Expr] = []
    for source in candidates:
        columns = source_columns(source, visible, known)
        if columns is None:
            unknown.append(source)
        elif column.casefold() in _folded(columns):
            return source
    return unknown[0] if len(unknown) == 1 else None


@lru_cache(maxsize=64)
def _folded(columns: tuple[str, ...]) -> frozenset[str]:
    """For tables of thousands of columns, each of which is looked for."""
    return frozenset(column.casefold() for column in columns)


def source_origin(
    source: exp.Expr | None, column: str, visible: Visible, known: Known
) -> Origin | None:
    """The table column that a column of a node in FROM copies; see `origin`."""
    if isinstance(source, exp.Subquery) and is_query(source):
        return origin(source.this, column, visible, known)
    if not isinstance(source, exp.Table):
        return None
    named = lookup(source, visible)
    if named is not None:
        plain = not named.recursive and not named.cte.args["alias"].columns
        query = named.cte.this
        traceable = plain and isinstance(query, exp.Query)
        return origin(query, column, named.visible, known) if traceable else None
    relation = relation_of(source)
    return (relation, column) if relation is not None else None


def _same_name(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
