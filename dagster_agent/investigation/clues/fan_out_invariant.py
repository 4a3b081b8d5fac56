"""What must be true of a model when a join of it finds at most one row per row."""

from __future__ import annotations

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.clues.fan_out import FanOut
from dagster_agent.investigation.clues.invariants import totals_agree
from dagster_agent.model import Asset, Invariant
from dagster_agent.sql.columns import Known, owner
from dagster_agent.sql.identifiers import quote, relation_sql
from dagster_agent.sql.join_clauses import equi_keys, with_explicit_conditions
from dagster_agent.sql.scopes import driving_path, parsed_blocks, select_scopes
from dagster_agent.sql.statement import Block, joins_of
from dagster_agent.sql.truncation import with_ctes


def total_without_repeats(
    fan_out: FanOut, asset: Asset, sql: str, dialect: str, known: Known
) -> Invariant | None:
    """The model's rows, or what they add up to, are those of a join to each key once.

    Args:
        fan_out: The join.
        asset: The model.
        sql: Its compiled SQL.
        dialect: sqlglot's name of the dialect.
        known: Columns of the tables it reads.

    Returns:
        None where the rows of the SELECT with the join are not the model's own, or where it reads
        more than the join's keys to decide which rows there are.
    """
    try:
        scopes = select_scopes(sql, dialect, columns=known)
        block = next(b for b in parsed_blocks(sql, dialect) if b.scope == fan_out.scope)
    except (QueryRefused, StopIteration):
        return None
    path = driving_path(scopes)
    above = path[: [s.name for s in path].index(fan_out.scope)]
    passing = all(s.keeps_grain and not s.joins and s.filters is None for s in above)
    if not passing or asset.relation is None or fan_out.join.ordinal is None:
        return None
    scope = next(s for s in scopes if s.name == fan_out.scope)
    if scope.distinct or scope.qualified or scope.limited:
        return None
    position = scope.joins.index(fan_out.join)
    block = with_explicit_conditions(block, known)
    measures = [(name, m) for name in fan_out.sums if (m := _measure(block.select, name))]
    if fan_out.sums and not measures:
        return None
    name, measure = measures[0] if measures else ("", None)
    expected = _expected(block, position, measure, known, dialect)
    if expected is None:
        return None
    table = relation_sql(asset.relation, dialect)
    label = fan_out.join.source.label
    if name:
        total = f"select sum({quote(name, dialect)}) as total from {table}"
        statement = f"{asset.name}.{name} counts every amount once, however many rows {label} has"
    else:
        total = f"select count(*) as total from {table}"
        statement = f"{asset.name} has one row per row, however many rows {label} has"
    return totals_agree(statement, total, expected)


def _expected(
    block: Block, position: int, measure: exp.Expr | None, known: Known, dialect: str
) -> str | None:
    select, join = block.select, joins_of(block.select)[position]
    keys = equi_keys(join, block, known)
    if not keys or len(keys) != _conditions(join):
        return None
    where = select.args.get("where")
    read = [measure, where, *(j.args.get("on") for j in joins_of(select)[position + 1 :])]
    names = {name.casefold() for _, name in keys}
    for clause in read:
        for column in clause.find_all(exp.Column) if clause is not None else ():
            if owner(column, block, known) is join.this and column.name.casefold() not in names:
                return None
    total = exp.Sum(this=measure.copy()) if measure is not None else exp.Count(this=exp.Star())
    counted = exp.Select().select(exp.alias_(total, "total"))
    counted.set("from_", select.args["from_"].copy())
    joins = [each.copy() for each in joins_of(select)]
    joins[position].set("this", _each_key_once(join, [name for _, name in keys]))
    counted.set("joins", joins)
    if where is not None:
        counted.set("where", where.copy())
    try:
        return with_ctes(counted, block).sql(dialect, comments=False)
    except QueryRefused:
        return None


def _conditions(join: exp.Join) -> int:
    on = join.args.get("on")
    if on is None:
        return len(join.args.get("using") or ())
    return len(list(on.flatten())) if isinstance(on, exp.And) else 1


def _measure(select: exp.Select, name: str) -> exp.Expr | None:
    """What an output column adds up, where it is nothing but the sum."""
    projection = next(p for p in select.expressions if p.alias_or_name == name).unalias()
    if isinstance(projection, exp.Coalesce):
        projection = projection.this
    return projection.this if isinstance(projection, exp.Sum) else None


def _each_key_once(join: exp.Join, keys: list[str]) -> exp.Expr:
    """`(select distinct <keys> from <right side>) as <alias>`."""
    right = join.this.copy()
    alias = right.alias_or_name
    columns = [exp.column(exp.to_identifier(name)) for name in dict.fromkeys(keys)]
    return exp.Select().select(*columns).distinct().from_(right).subquery(alias)
