"""The one query that says whether the amounts of a SELECT are in several currencies."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.amount_lineage import Leaf
from dagster_agent.model import Relation
from dagster_agent.sql.columns import Known, source_columns, source_origin
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.statement import Block, sources
from dagster_agent.sql.truncation import with_ctes

_ROWS, _GROUPS = "dagster_agent_rows", "dagster_agent_groups"


def currency_column(
    block: Block, relation: Relation, column: str, known: Known
) -> exp.Column | None:
    """A table's column as the FROM of a SELECT names it; None where it does not reach it.

    Of a union the column of the same name is taken: which table its rows are from stays open.
    """
    alike: exp.Column | None = None
    for source in sources(block.select):
        names = source_columns(source, block.visible, known)
        for name in names or (column,):
            origin = source_origin(source, name, block.visible, known)
            named = name.casefold() == column.casefold()
            seen = exp.column(
                exp.to_identifier(name), table=exp.to_identifier(source.alias_or_name or None)
            )
            if origin is None:
                alike = seen if named and names else alike
            elif same_relation(origin[0], relation) and origin[1].casefold() == column.casefold():
                return seen
    return alike


def visible_name(leaf: Leaf, block: Block) -> str:
    """What a SELECT calls the column of a leaf that it reads itself; else its name in the table."""
    return leaf.node.name if leaf.block.select is block.select else leaf.column


def mixing_query(block: Block, amount: exp.Expr, currency: exp.Column, dialect: str) -> str | None:
    """Rows and sum by currency of the rows that a SELECT reads, and its groups with several.

    Args:
        block: The SELECT, with its joins, filter and grouping.
        amount: What it takes of every row.
        currency: The currency, as its FROM names it.
        dialect: sqlglot's name of the dialect.

    Returns:
        Its columns are currency, rows, sum and the number of mixed groups; None where the SELECT
        cannot be written as one statement.
    """
    select = block.select
    rows = exp.Select()
    for name in ("from_", "joins", "laterals", "where"):
        value = select.args.get(name)
        if isinstance(value, exp.Expr):
            rows.set(name, value.copy())
        elif value:
            rows.set(name, [each.copy() for each in value])
    code = exp.Upper(this=exp.Trim(this=exp.cast(currency.copy(), "text")))
    rows = rows.select(exp.alias_(code, "currency"), exp.alias_(amount.copy(), "amount"))
    keys = _group_keys(select)
    if keys is None:
        return None
    for number, key in enumerate(keys):
        rows = rows.select(exp.alias_(key.copy(), f"g{number}"))
    listed = ", ".join(f"g{number}" for number in range(len(keys)))
    groups = f"select count(distinct currency) as n from {_ROWS} where amount is not null"
    statement = sqlglot.parse_one(
        f"select currency, count(*) as n_rows, sum(amount) as total, "
        f"(select count(*) from {_GROUPS} where n > 1) as mixed from {_ROWS} "
        "where amount is not null group by currency order by n_rows desc, currency"
    )
    grouped = sqlglot.parse_one(f"{groups} group by {listed}" if keys else groups)
    if not isinstance(statement, exp.Select) or not isinstance(grouped, exp.Query):
        return None
    try:
        return with_ctes(statement, block, [_cte(_ROWS, rows), _cte(_GROUPS, grouped)]).sql(
            dialect, comments=False
        )
    except QueryRefused:
        return None


def _group_keys(select: exp.Select) -> list[exp.Expr] | None:
    """What it groups by, positions and aliases resolved; None for ROLLUP and the like."""
    group = select.args.get("group")
    if group is not None and any(group.args.get(n) for n in ("rollup", "cube", "grouping_sets")):
        return None
    if group is not None and group.args.get("all"):
        return [p.unalias() for p in select.expressions if p.find(exp.AggFunc) is None]
    aliases = {p.alias.casefold(): p.unalias() for p in select.expressions if p.alias}
    found: list[exp.Expr] = []
    for key in group.expressions if group is not None else ():
        if isinstance(key, exp.Literal) and key.is_int:
            key = select.expressions[int(key.name) - 1].unalias()
        elif isinstance(key, exp.Column) and not key.table:
            key = aliases.get(key.name.casefold(), key)
        found.append(key)
    return found


def _cte(name: str, query: exp.Query) -> exp.CTE:
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))
