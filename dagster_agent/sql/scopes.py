"""The SELECTs of a statement as data: what drives each, what it joins, what it filters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.columns import Known, is_query, source_origin
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import relation_of
from dagster_agent.sql.join_clauses import (
    equi_keys,
    is_lateral,
    kind_of,
    number_joins,
    ordinal_of,
    reads_right,
    with_explicit_conditions,
)
from dagster_agent.sql.select_shape import aggregates, group_keys, multiplies, passes_rows
from dagster_agent.sql.statement import (
    Block,
    Visible,
    blocks,
    joins_of,
    lookup,
    opened,
    subquery_scope,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What stands in FROM or after JOIN."""

    alias: str
    """Name that columns are qualified with; empty when it has none."""
    name_sql: str
    """As written, without the alias; `(...)` for a subquery."""
    label: str
    """What a person calls it: the CTE's or table's own name, else the alias."""
    relation: Relation | None = None
    """The table whose rows it is, one for one, followed through CTEs and subqueries that only
    select columns; None behind joins, filters, grouping."""
    scope: str | None = None
    """Scope of the CTE or subquery it names; None for a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One join of a SELECT."""

    ordinal: int | None
    """0-based position among all JOIN keywords of the text; None for a comma join."""
    kind: str
    """`inner`, `left`, `right`, `full`, `cross`, `semi`, `anti`."""
    source: Source
    """The right side."""
    on_sql: str
    """The condition; `using (...)` where it is written so; empty without one."""
    keys: tuple[tuple[str, str], ...]
    """Left expression and right column of each equality; () when it joins otherwise."""
    table_keys: tuple[str, ...]
    """The right key columns by their names in the table behind the source; () unless each is the
    copy of a column of one table."""
    reads_right: bool
    """Something beside the keys is used of it: it enriches the rows. False: it only filters."""
    lateral: bool = False
    """It has no match share: LATERAL, UNNEST, a table function, joined tables in parentheses."""

    @property
    def label(self) -> str:
        """`inner join planes on tailnum`."""
        pairs = [(left.rsplit(".", 1)[-1].strip('"`'), right) for left, right in self.keys]
        if pairs and all(left.casefold() == right.casefold() for left, right in pairs):
            condition = "on " + ", ".join(right for _, right in pairs)
        elif pairs:
            condition = "on " + " and ".join(f"{left} = {right}" for left, right in pairs)
        else:
            condition = f"on {self.on_sql[:60]}" if self.on_sql else ""
        return f"{self.kind} join {self.source.label} {condition}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectScope:
    """One SELECT that yields rows."""

    name: str
    """The CTE's name, `cte.alias` for a subquery in FROM, `[1]`, `[2]` appended for the branches of
    a union; empty for the outermost SELECT."""
    driving: Source
    """Its FROM."""
    joins: tuple[Join, ...]
    """In text order."""
    filters: str | None = None
    """Its WHERE, without the conditions of comma joins."""
    group_keys: tuple[tuple[str, str], ...] = ()
    """Output name and column of each GROUP BY key; () unless all of them are plain columns."""
    grouped: bool = False
    """GROUP BY, or aggregates over all rows."""
    distinct: bool = False
    """DISTINCT."""
    qualified: bool = False
    """QUALIFY."""
    limited: bool = False
    """LIMIT, OFFSET or FETCH."""
    unnested: bool = False
    """The output list itself multiplies rows, as `unnest(...)` does."""
    recursive: bool = False
    """Part of a recursive CTE."""

    @property
    def keeps_grain(self) -> bool:
        """Rows only pass, vanish or multiply; they are not merged or cut."""
        merged = self.grouped or self.distinct or self.qualified or self.limited
        return not (merged or self.recursive or self.unnested)


def select_scopes(
    sql: str, dialect: str, *, columns: Known | None = None
) -> tuple[SelectScope, ...]:
    """Describe every SELECT that yields rows, definitions before their use.

    Queries inside expressions (`exists (...)`, `in (...)`, scalar ones) are no scopes of their own:
    they filter or compute.

    Args:
        sql: One query, such as a model's compiled code.
        dialect: sqlglot's name of the dialect.
        columns: Columns of the tables it reads, where known: they settle to which source an
            unqualified column belongs.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    known = columns or {}
    return tuple(
        describe(with_explicit_conditions(block, known), known, dialect)
        for block in parsed_blocks(sql, dialect)
    )


def parsed_blocks(sql: str, dialect: str) -> tuple[Block, ...]:
    """The statement's blocks, with their joins numbered."""
    tree = parse_select(sql, dialect)
    found = blocks(tree)
    number_joins(tree, sql, dialect)
    return found


def contributing(scopes: tuple[SelectScope, ...]) -> frozenset[str]:
    """Names of the scopes whose rows become the statement's rows, all branches of unions included;
    those that only look something up are not among them."""
    by_name = {scope.name: scope for scope in scopes}
    found: set[str] = set()
    waiting = [""]
    while waiting:
        name = waiting.pop()
        branches = [n for n in by_name if re.fullmatch(re.escape(name) + r"\[\d+\]", n)]
        for scope in [by_name[n] for n in (name, *branches) if n in by_name and n not in found]:
            found.add(scope.name)
            if scope.driving.scope is not None:
                waiting.append(scope.driving.scope)
    return frozenset(found)


def driving_path(scopes: tuple[SelectScope, ...]) -> tuple[SelectScope, ...]:
    """The scopes that the statement's rows run through, outermost first, each the FROM of the one
    before it. Ends at the first that reads a table or a union; empty for a union."""
    by_name = {scope.name: scope for scope in scopes}
    path: list[SelectScope] = []
    current = by_name.get("")
    while current is not None and current not in path:
        path.append(current)
        current = by_name.get(current.driving.scope) if current.driving.scope else None
    return tuple(path)


def describe(block: Block, known: Known, dialect: str) -> SelectScope:
    """One block as data; it went through `with_explicit_conditions`."""
    select = block.select
    where = select.args.get("where")
    group = select.args.get("group")
    return SelectScope(
        name=block.scope,
        driving=_source(select.args["from_"].this, block, dialect),
        joins=tuple(describe_join(join, block, known, dialect) for join in joins_of(select)),
        filters=where.this.sql(dialect, comments=False) if where is not None else None,
        group_keys=group_keys(select),
        grouped=group is not None or select.args.get("having") is not None or aggregates(select),
        distinct=select.args.get("distinct") is not None,
        qualified=select.args.get("qualify") is not None,
        limited=any(select.args.get(name) is not None for name in ("limit", "offset", "fetch")),
        unnested=multiplies(select),
        recursive=block.recursive,
    )


def describe_join(join: exp.Join, block: Block, known: Known, dialect: str) -> Join:
    """One join as data; its block went through `with_explicit_conditions`."""
    equated = equi_keys(join, block, known)
    keys = tuple((left.sql(dialect, comments=False), right) for left, right in equated)
    on, using = join.args.get("on"), join.args.get("using") or ()
    on_sql = on.sql(dialect, comments=False) if on is not None else ""
    if using:
        on_sql = f"using ({', '.join(column.sql(dialect) for column in using)})"
    right_keys = frozenset(right.casefold() for _, right in keys)
    origins = [source_origin(join.this, right, block.visible, known) for _, right in keys]
    tables = {origin[0] for origin in origins if origin}
    copied = all(origins) and len(tables) == 1
    return Join(
        ordinal=ordinal_of(join),
        kind=kind_of(join),
        source=_source(join.this, block, dialect),
        on_sql=on_sql,
        keys=keys,
        table_keys=tuple(origin[1] for origin in origins if origin) if copied else (),
        reads_right=reads_right(join, right_keys, block, known),
        lateral=is_lateral(join),
    )


def _source(node: exp.Expr, block: Block, dialect: str) -> Source:
    scope: str | None = None
    if isinstance(node, exp.Table):
        named = block.named(node)
        scope = named.scope if named else None
        bare = node.copy()
        for name in ("alias", "joins", "sample", "pivots"):
            bare.set(name, None)
        name_sql = bare.sql(dialect, comments=False)
    else:
        name_sql = (
            "(...)" if isinstance(node, exp.Subquery) else node.sql(dialect, comments=False)[:60]
        )
        scope = subquery_scope(block.scope, block.select, node) if is_query(node) else None
    return Source(
        alias=node.alias_or_name,
        name_sql=name_sql,
        label=(node.name if isinstance(node, exp.Table) else node.alias) or name_sql,
        relation=_relation(node, block.visible),
        scope=scope,
    )


def _relation(node: exp.Expr, visible: Visible) -> Relation | None:
    if isinstance(node, exp.Table):
        if node.args.get("joins") or node.args.get("sample") or node.args.get("pivots"):
            return None
        named = lookup(node, visible)
        if named is None:
            return relation_of(node)
        if named.recursive or not isinstance(named.cte.this, exp.Query):
            return None
        query, within = opened(named.cte.this, named.visible)
    elif isinstance(node, exp.Subquery) and is_query(node):
        query, within = opened(node.this, visible)
    else:
        return None
    if not isinstance(query, exp.Select) or query.args.get("from_") is None:
        return None
    return _relation(query.args["from_"].this, within) if passes_rows(query) else None


__all__ = ["Join", "SelectScope", "Source", "contributing", "driving_path", "select_scopes"]
