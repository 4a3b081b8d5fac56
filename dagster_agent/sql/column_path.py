"""The way of a table's columns through the SELECTs of a query to its output."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.columns import star_of, starred_sources
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import relation_of, same_relation
from dagster_agent.sql.select_shape import aggregates
from dagster_agent.sql.statement import (
    Visible,
    blocks,
    joins_of,
    lookup,
    opened,
    sources,
    subquery_scope,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One SELECT on the way."""

    scope: str
    """The CTE's name, `cte.alias` for a subquery; empty for the outermost SELECT."""
    qualifier: str
    """What a column that comes this way is qualified with there; empty where it needs nothing."""
    star: bool
    """A star lets every column pass."""
    outputs: tuple[str, ...]
    """Names of the output columns that are written out."""


def path_from(sql: str, dialect: str, relation: Relation) -> tuple[PathStep, ...]:
    """The SELECTs from the one that reads a table to the outermost, in this order.

    Raises:
        QueryRefused: It does not parse as one query.
        ValueError: A column cannot simply be added on the way (a union, a grouping, several ways);
            its text ends a sentence.
    """
    tree = parse_select(sql, dialect)
    blocks(tree)  # for what it does to the tree: all joins of a SELECT are in one place
    return _path(tree, (), "", relation)


def _path(
    query: exp.Query, visible: Visible, scope: str, relation: Relation
) -> tuple[PathStep, ...]:
    query, visible = opened(query, visible, scope)
    found = sources(query) if isinstance(query, exp.Select) else ()
    ways = [source for source in found if _leads(source, visible, relation)]
    if not isinstance(query, exp.Select) or len(ways) != 1:
        told = "reads it in several places" if len(ways) > 1 else "is no SELECT that reads it"
        raise ValueError(f"{scope or 'the model'} {told}")
    if query.args.get("group") or query.args.get("distinct") or aggregates(query):
        raise ValueError(f"{scope or 'the model'} puts rows together")
    (source,) = ways
    before: tuple[PathStep, ...] = ()
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
        before = _path(source, visible, subquery_scope(scope, query, source), relation)
    elif isinstance(source, exp.Table) and (named := lookup(source, visible)) is not None:
        before = _path(named.cte.this, named.visible, named.scope, relation)
    return (*before, _step(query, source, scope))


def _step(select: exp.Select, source: exp.Expr, scope: str) -> PathStep:
    stars = [p for p in select.expressions if star_of(p) is not None]
    plain = [p for p in select.expressions if star_of(p) is None]
    columns = [p.unalias() for p in plain]
    qualified = any(isinstance(c, exp.Column) and c.table for c in columns) or joins_of(select)
    return PathStep(
        scope=scope,
        qualifier=source.alias_or_name if qualified else "",
        star=any(s is source for star in stars for s in starred_sources(star, select)),
        outputs=tuple(p.alias_or_name for p in plain),
    )


def _leads(source: exp.Expr, visible: Visible, relation: Relation) -> bool:
    """Whether the table's columns come through a source of a SELECT."""
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
        return _leads_query(source, visible, relation)
    if not isinstance(source, exp.Table):
        return False
    named = lookup(source, visible)
    if named is None:
        read = relation_of(source)
        return read is not None and same_relation(read, relation)
    query = named.cte.this
    plain = isinstance(query, exp.Query) and not named.recursive
    return plain and _leads_query(query, named.visible, relation)


def _leads_query(query: exp.Query, visible: Visible, relation: Relation) -> bool:
    query, visible = opened(query, visible)
    if isinstance(query, exp.SetOperation):
        return any(_leads_query(q, visible, relation) for q in (query.left, query.right))
    found = sources(query) if isinstance(query, exp.Select) else ()
    return any(_leads(source, visible, relation) for source in found)
