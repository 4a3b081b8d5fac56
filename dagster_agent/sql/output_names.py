"""The output columns of a query, where the query itself says what they are called."""

from __future__ import annotations

from sqlglot import exp

from dagster_agent.sql.columns import Known, query_columns, star_of
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.statement import Visible, lookup, opened, sources


def named_outputs(sql: str, dialect: str, columns: Known) -> tuple[str, ...]:
    """Names of the output columns, in order.

    Args:
        sql: One query.
        dialect: sqlglot's name of the dialect.
        columns: Columns of the tables it reads, where known.

    Returns:
        () where a star cannot be resolved, and where a column has neither a column's name nor one
        given by AS: the warehouse makes one up (`count_star()`), and nobody can tell it from the
        text.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    tree = parse_select(sql, dialect)
    return query_columns(tree, (), columns) or () if _named(tree, ()) else ()


def _named(query: exp.Query, visible: Visible) -> bool:
    query, visible = opened(query, visible)
    while isinstance(query, exp.SetOperation):
        query, visible = opened(query.left, visible)
    if not isinstance(query, exp.Select):
        return False
    return all(_is_named(projection, query, visible) for projection in query.expressions)


def _is_named(projection: exp.Expr, select: exp.Select, visible: Visible) -> bool:
    star = star_of(projection)
    if star is None:
        return isinstance(projection, exp.Alias | exp.Column)
    if star.args.get("rename") or star.args.get("ilike"):
        return False
    return all(_source_named(source, visible) for source in sources(select))


def _source_named(source: exp.Expr, visible: Visible) -> bool:
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
        return _named(source.this, visible)
    named = lookup(source, visible) if isinstance(source, exp.Table) else None
    if named is None or named.recursive or named.cte.args["alias"].columns:
        return True
    return isinstance(named.cte.this, exp.Query) and _named(named.cte.this, named.visible)
