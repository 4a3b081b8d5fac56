"""Column lineage of one query: which table column an output column copies."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.columns import Known, Origin, origin, query_columns
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import relation_of


def tables_read(sql: str, dialect: str) -> tuple[Relation, ...]:
    """Every table that a query reads, in WHERE and output expressions too; CTEs aside. Sorted.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    tree = parse_select(sql, dialect)
    names = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    tables = (t for t in tree.find_all(exp.Table) if t.db or t.name.casefold() not in names)
    return tuple(sorted({r for t in tables if (r := relation_of(t)) is not None}, key=str))


def output_columns(sql: str, dialect: str, *, columns: Known | None = None) -> tuple[str, ...]:
    """Names of the output columns, in order; () where a star cannot be resolved.

    Args:
        sql: One query.
        dialect: sqlglot's name of the dialect.
        columns: Columns of the tables it reads, where known.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    return query_columns(_parsed(sql, dialect), (), columns or {}) or ()


def column_origin(
    sql: str, dialect: str, column: str, *, columns: Known | None = None
) -> Origin | None:
    """The table and column that an output column copies unchanged.

    Followed through CTEs, subqueries and renames. None for computed columns, for the output of set
    operations, and where a star leaves open which source it comes from.

    Args:
        sql: One query.
        dialect: sqlglot's name of the dialect.
        column: Output column, letter case ignored.
        columns: Columns of the tables it reads, where known.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    return origin(_parsed(sql, dialect), column, (), columns or {})


@lru_cache(maxsize=4)
def _parsed(sql: str, dialect: str) -> exp.Query:
    """The query, which nobody here changes: origins are asked for column by column."""
    return parse_select(sql, dialect)
