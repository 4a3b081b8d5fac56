"""The statement that says how many rows of a SELECT are lost to NULL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.null_risks import NullRisk, Reading, Spot
from dagster_agent.sql.truncation import one_statement

_PREFIX = "dagster_agent_"


def counting_query(reading: Reading, risks: Sequence[NullRisk], dialect: str) -> str:
    """One row: of the rows, and of the groups where any risk is of groups, how many there are, how
    many pass, and how many each risk and each of its spots loses; then the NULLs in each list.

    Columns are in the order of `parts`.

    Raises:
        QueryRefused: It cannot be written as one statement.
    """
    plan: list[exp.Select] = []
    for grouped in (False, True):
        chosen = [risk for risk in risks if risk.grouped is grouped]
        if chosen:
            passing = exp.true() if grouped else reading.passes()
            flags = [passing, *(flag for risk in chosen for flag in _flags(risk))]
            plan.append(_counted(_rows(reading, grouped=grouped), flags))
    lists = [risk.list_of_values for risk in risks if risk.list_of_values is not None]
    plan += [_nulls_in(listed) for listed in lists]
    return one_statement(reading.explicit, plan, dialect)


def parts(risks: Sequence[NullRisk]) -> list[tuple[NullRisk | None, Spot | str]]:
    """What the numbers of `counting_query` are of, in their order."""
    found: list[tuple[NullRisk | None, Spot | str]] = []
    for grouped in (False, True):
        chosen = [risk for risk in risks if risk.grouped is grouped]
        if chosen:
            level = "groups" if grouped else "rows"
            found += [(None, level), (None, f"{level} that pass")]
        for risk in chosen:
            found += [(risk, "lost"), *((risk, s) for s in risk.spots if len(risk.spots) > 1)]
    return found + [(risk, "list") for risk in risks if risk.list_of_values is not None]


def _flags(risk: NullRisk) -> list[exp.Expr]:
    """What is counted of a risk: all that is lost, and of several spots each."""
    return [risk.lost, *(spot.lost for spot in risk.spots if len(risk.spots) > 1)]


def _rows(reading: Reading, *, grouped: bool) -> exp.Select:
    """FROM and joins; of groups also WHERE, GROUP BY and HAVING."""
    select, found = reading.explicit.select, exp.Select()
    found.set("from_", select.args["from_"].copy())
    found.set("laterals", [each.copy() for each in select.args.get("laterals") or ()])
    found.set("joins", [join.copy() for join in select.args.get("joins") or ()])
    if grouped:
        found = found.where(reading.passes())
        for key in _grouping_keys(select):
            found = found.group_by(key.copy())
        having = select.args.get("having")
        found.set("having", having.copy() if having is not None else None)
    return found


def _grouping_keys(select: exp.Select) -> list[exp.Expr]:
    """What it groups by, positions, aliases and ALL resolved."""
    group = select.args.get("group")
    if group is None:
        return []
    if group.args.get("all"):
        return [p.unalias() for p in select.expressions if not p.find(exp.AggFunc)]
    aliases = {p.alias.casefold(): p.unalias() for p in select.expressions if p.alias}
    found: list[exp.Expr] = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and key.is_int:
            key = select.expressions[int(key.name) - 1].unalias()
        elif isinstance(key, exp.Column) and not key.table:
            key = aliases.get(key.name.casefold(), key)
        found.append(key)
    return found


def _counted(rows: exp.Select, flags: Sequence[exp.Expr]) -> exp.Select:
    """How many rows there are, and of how many each condition is true."""
    counted = exp.Select().select(exp.alias_(exp.Count(this=exp.Star()), "n"))
    for number, flag in enumerate(flags):
        one = exp.Case().when(flag.copy(), exp.Literal.number(1)).else_(exp.Literal.number(0))
        name = f"lost_{number}" if number else "passing"
        rows = rows.select(exp.alias_(one, f"{_PREFIX}{name}"))
        total = exp.Sum(this=exp.column(f"{_PREFIX}{name}"))
        never_null = exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
        counted = counted.select(exp.alias_(never_null, name))
    return counted.from_(rows.subquery(f"{_PREFIX}rows"))


def _nulls_in(listed: exp.Select) -> exp.Select:
    value = f"{_PREFIX}value"
    named = listed.copy()
    only = named.expressions[0].unalias()
    if not isinstance(only, exp.Star) and not only.is_star:
        named.set("expressions", [exp.alias_(only, value)])
    else:
        raise QueryRefused("the list is a star")
    counted = exp.Select().select(exp.alias_(exp.Count(this=exp.Star()), "n"))
    counted = counted.from_(named.subquery(f"{_PREFIX}list"))
    return counted.where(exp.Is(this=exp.column(value), expression=exp.null()))
