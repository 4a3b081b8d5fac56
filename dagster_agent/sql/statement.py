"""A query taken apart: every SELECT that yields rows, with the CTEs it may name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedQuery:
    """A CTE."""

    name: str
    """As written, without quotes."""
    scope: str
    """Name of its scope, unique in the statement: `final`, or `outer.inner` when nested."""
    cte: exp.CTE
    """Its definition."""
    visible: tuple[NamedQuery, ...]
    """CTEs it may name itself, in the order defined."""
    recursive: bool
    """It names itself."""


Visible = tuple[NamedQuery, ...]
"""CTEs that a query may name, in the order defined."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One SELECT with a FROM that contributes rows: not those inside expressions."""

    scope: str
    """The CTE's name, `cte.alias` for a subquery in FROM, with `[1]`, `[2]`, ... for the branches
    of a union; empty for the outermost SELECT."""
    select: exp.Select
    """Its tree; part of the statement's tree, not to be changed."""
    visible: Visible
    """CTEs it may name, in the order defined."""
    recursive: bool
    """It belongs to a CTE that names itself, so its steps cannot be counted one by one."""

    def named(self, table: exp.Table) -> NamedQuery | None:
        """The CTE that a table node means, None for a real table."""
        return lookup(table, self.visible)


def lookup(table: exp.Table, visible: Visible) -> NamedQuery | None:
    """The CTE that a table node means; later definitions hide earlier ones."""
    if table.db or not isinstance(table.this, exp.Identifier):
        return None
    name = table.name.casefold()
    return next((q for q in reversed(visible) if q.name.casefold() == name), None)


def blocks(query: exp.Query) -> tuple[Block, ...]:
    """All row-yielding SELECTs of a statement, in text order: definitions before their use."""
    for select in query.find_all(exp.Select):
        _hoist_joins(select)
    return tuple(_blocks(query, "", (), recursive=False))


def subquery_scope(scope: str, select: exp.Select, subquery: exp.Expr) -> str:
    """The scope name of a subquery in the FROM of the SELECT of `scope`."""
    position = next(i for i, source in enumerate(sources(select), 1) if source is subquery)
    return _joined(scope, subquery.alias or f"subquery{position}")


def needed(query: exp.Expr, visible: Visible) -> tuple[NamedQuery, ...]:
    """The CTEs that a query reads, directly or through others, in the order defined."""
    found: dict[int, NamedQuery] = {}

    def collect(node: exp.Expr, names: Visible) -> None:
        for table in node.find_all(exp.Table):
            named = lookup(table, names)
            if named is not None and id(named.cte) not in found:
                collect(named.cte.this, named.visible)
                found[id(named.cte)] = named

    collect(query, visible)
    return tuple(found.values())


def _hoist_joins(select: exp.Select) -> None:
    """`from a join b select *` carries its joins at the table: move them where others are."""
    from_ = select.args.get("from_")
    table = from_.this if isinstance(from_, exp.From) else None
    if isinstance(table, exp.Table) and table.args.get("joins"):
        joins = table.args["joins"]
        table.set("joins", None)
        select.set("joins", [*joins, *joins_of(select)])


def opened(query: exp.Query, visible: Visible, scope: str = "") -> tuple[exp.Query, Visible]:
    """The query inside its parentheses, and the CTEs that it may name there."""
    while True:
        with_ = query.args.get("with_")
        if isinstance(with_, exp.With):
            for cte in with_.expressions:
                recursive = bool(with_.args.get("recursive"))
                visible = (*visible, _named(cte, scope, visible, recursive))
        if not (isinstance(query, exp.Subquery) and isinstance(query.this, exp.Query)):
            return query, visible
        query = query.this


def _blocks(query: exp.Query, scope: str, visible: Visible, *, recursive: bool) -> Iterator[Block]:
    inner, within = opened(query, visible, scope)
    for named in within[len(visible) :]:
        if isinstance(named.cte.this, exp.Query):
            yield from _blocks(
                named.cte.this, named.scope, named.visible, recursive=named.recursive
            )
    if isinstance(inner, exp.SetOperation):
        for number, branch in enumerate(_branches(inner), start=1):
            yield from _blocks(branch, f"{scope}[{number}]", within, recursive=recursive)
    elif isinstance(inner, exp.Select) and inner.args.get("from_"):
        for source in sources(inner):
            if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
                child = subquery_scope(scope, inner, source)
                yield from _blocks(source.this, child, within, recursive=recursive)
        yield Block(scope=scope, select=inner, visible=within, recursive=recursive)


def _named(cte: exp.CTE, scope: str, visible: Visible, may_recur: bool) -> NamedQuery:
    name = cte.alias
    mentions = (t for t in cte.this.find_all(exp.Table) if not t.db)
    return NamedQuery(
        name=name,
        scope=_joined(scope, name),
        cte=cte,
        visible=visible,
        recursive=may_recur and any(t.name.casefold() == name.casefold() for t in mentions),
    )


def sources(select: exp.Select) -> tuple[exp.Expr, ...]:
    """The nodes in FROM and the joins, in text order."""
    from_ = select.args.get("from_")
    first = [from_.this] if isinstance(from_, exp.From) else []
    return (*first, *(join.this for join in joins_of(select)))


def joins_of(select: exp.Select) -> list[exp.Join]:
    """Its joins in text order."""
    joins: list[exp.Join] = select.args.get("joins") or []
    return joins


def _branches(operation: exp.SetOperation) -> Iterator[exp.Query]:
    for side in (operation.left, operation.right):
        inner = side
        while isinstance(inner, exp.Subquery) and not _has_own_clauses(inner):
            inner = inner.this
        if isinstance(inner, exp.SetOperation) and inner.args.get("with_") is None:
            yield from _branches(inner)
        elif isinstance(inner, exp.Query):
            yield inner


def _has_own_clauses(subquery: exp.Subquery) -> bool:
    return any(subquery.args.get(name) for name in ("with_", "limit", "offset", "alias"))


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
