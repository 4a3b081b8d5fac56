"""What one JOIN says: its kind, its keys, where its keyword stands, and whether it is read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from sqlglot import exp, tokenize
from sqlglot.tokenizer_core import TokenType

from dagster_agent.sql.columns import (
    Known,
    is_query,
    owner,
    source_columns,
    star_of,
    starred_sources,
)
from dagster_agent.sql.statement import Block, joins_of, sources

_ORDINAL = "dagster_agent_ordinal"
_MOVED = "dagster_agent_moved"
"""Set to `comma` or `cross` at a join that got its condition from WHERE."""


def number_joins(tree: exp.Expr, sql: str, dialect: str) -> None:
    """Note at every join which JOIN keyword of the text it has; comma joins have none.

    Left out where keywords and joins cannot be told apart, which only happens for joins of
    subqueries without a single name or literal in them.
    """
    keywords = [t.start for t in tokenize(sql, dialect=dialect) if t.token_type is TokenType.JOIN]
    taken: dict[int, exp.Join] = {}
    for join in tree.find_all(exp.Join):
        start = _start(join.this)
        before = [n for n, position in enumerate(keywords) if start > position]
        if before and not is_comma(join):
            ordinal = before[-1]
            clash = taken.pop(ordinal, None)
            if clash is None:
                taken[ordinal] = join
    for ordinal, join in taken.items():
        join.meta[_ORDINAL] = ordinal


def ordinal_of(join: exp.Join) -> int | None:
    """The number of its keyword as noted by `number_joins`."""
    return join.meta.get(_ORDINAL)


def is_comma(join: exp.Join) -> bool:
    """Whether it is written `from a, b`, even after its condition was moved to it."""
    written = ("kind", "side", "method", "using")
    return join.meta.get(_MOVED) == "comma" or not any(
        join.args.get(name) for name in (*written, "on")
    )


def kind_of(join: exp.Join) -> str:
    """`inner`, `left`, `right`, `full`, `cross`, `semi` or `anti`."""
    kind, side = join.kind.lower(), join.side.lower()
    if join.meta.get(_MOVED) == "cross":
        return "cross"
    if kind in ("semi", "anti", "cross"):
        return kind
    if side:
        return side
    conditional = join.args.get("on") or join.args.get("using") or join.method
    return "inner" if conditional else "cross"


def is_lateral(join: exp.Join) -> bool:
    """Whether the right side cannot be counted by itself: it may use columns of the left one, goes
    by position, or is several joined tables in parentheses."""
    right = join.this
    if join.method == "POSITIONAL" or right.args.get("joins"):
        return True
    if isinstance(right, exp.Table):
        return not isinstance(right.this, exp.Identifier)
    return not (is_query(right) or isinstance(right, exp.Values))


def with_explicit_conditions(block: Block, known: Known) -> Block:
    """The block with the conditions of its comma and cross joins moved from WHERE to the joins.

    `from a, b where a.x = b.x` counts as an inner join on x; without that, the rows after the join
    would be those of the whole cross product. Names of output columns that WHERE uses are replaced
    by what they stand for, so that it can be counted without the output list.
    """
    select = block.select.copy()
    block = replace(block, select=select)
    _resolve_aliases(block, known)
    reachable = list(sources(select)[:1])
    for join in joins_of(select):
        earlier = tuple(reachable)
        reachable.append(join.this)
        where = select.args.get("where")
        bare = not any(join.args.get(name) for name in ("on", "using", "method", "side"))
        if where is None or not bare or join.kind not in ("", "CROSS") or is_lateral(join):
            continue
        conjuncts = list(_conjuncts(where.this))
        moved = [c for c in conjuncts if _links(c, join.this, earlier, block, known)]
        if moved:
            join.meta[_MOVED] = "cross" if join.kind else "comma"
            join.set("on", exp.and_(*moved))
            join.set("kind", None)
            kept = [c for c in conjuncts if not any(c is m for m in moved)]
            select.set("where", exp.Where(this=exp.and_(*kept)) if kept else None)
    return block


def _resolve_aliases(block: Block, known: Known) -> None:
    """Some warehouses let WHERE name output columns; a source's own column comes first."""
    where = block.select.args.get("where")
    found = sources(block.select)
    columns = [source_columns(source, block.visible, known) for source in found]
    if where is None or None in columns:
        return
    taken = {column.casefold() for each in columns for column in each or ()}
    taken |= {source.alias_or_name.casefold() for source in found}
    aliases = {p.alias.casefold(): p.unalias() for p in block.select.expressions if p.alias}
    for _ in aliases:  # one alias may be made of others
        for column in [c for c in where.find_all(exp.Column) if not c.table]:
            stands_for = aliases.get(column.name.casefold())
            own = column.find_ancestor(exp.Select) is block.select
            if stands_for is not None and own and column.name.casefold() not in taken:
                column.replace(exp.paren(stands_for.copy()))


def equi_keys(join: exp.Join, block: Block, known: Known) -> tuple[tuple[exp.Expr, str], ...]:
    """Pairs of left expression and right column that the join equates; () for other joins."""
    using: list[exp.Expr] = join.args.get("using") or []
    found: list[tuple[exp.Expr, str]] = [(exp.Column(this=c.copy()), c.name) for c in using]
    on = join.args.get("on")
    for conjunct in _conjuncts(on) if on is not None else ():
        if not isinstance(conjunct, exp.EQ):
            continue
        for right, left in ((conjunct.left, conjunct.right), (conjunct.right, conjunct.left)):
            if _is_column_of(right, join.this, block, known) and not _mentions(
                left, join.this, block, known
            ):
                found.append((left, right.name))
                break
    return tuple(found)


def reads_right(join: exp.Join, keys: frozenset[str], block: Block, known: Known) -> bool:
    """Whether the SELECT uses columns of the joined source beside its keys.

    Its own ON does not count; WHERE, later joins, grouping and output do. A star does. A column
    whose source is open counts when it may come from this one.

    Args:
        join: A join of the block's SELECT.
        keys: Right key columns, case folded.
        block: The SELECT.
        known: Columns of the tables.
    """
    select = block.select
    for projection in select.expressions:
        if star_of(projection) is not None and any(
            s is join.this for s in starred_sources(projection, select)
        ):
            return True
    aliases = {p.alias.casefold() for p in select.expressions if p.alias}
    for column in _columns_used(select, join):
        if column.table:
            mine = column.table.casefold() == join.this.alias_or_name.casefold()
        else:
            whole_row = column.name.casefold() == join.this.alias_or_name.casefold()
            source = owner(column, block, known)
            open_source = source is None and column.name.casefold() not in aliases
            mine = source is join.this or whole_row or open_source
        if mine and column.name.casefold() not in keys:
            return True
    return False


def _columns_used(select: exp.Select, join: exp.Join) -> Iterator[exp.Column]:
    """Columns in all clauses but WITH, FROM, the join itself, and earlier joins."""
    joins = joins_of(select)
    later = joins[next(i for i, j in enumerate(joins) if j is join) + 1 :]
    clauses: list[exp.Expr] = [*select.expressions, *later]
    for name in select.args:
        if name not in ("with_", "from_", "joins", "expressions"):
            clauses += [v for v in _listed(select.args[name]) if isinstance(v, exp.Expr)]
    for clause in clauses:
        if isinstance(clause, exp.Join) and not is_lateral(clause):
            conditions = [clause.args.get("on"), *(clause.args.get("using") or ())]
        else:
            conditions = [clause]
        for condition in conditions:
            if isinstance(condition, exp.Expr):
                yield from _own_columns(condition, select)


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _own_columns(clause: exp.Expr, select: exp.Select) -> Iterator[exp.Column]:
    """Columns that the SELECT itself resolves: those of nested queries only when qualified and not
    of a source that the nested query has itself."""
    for column in clause.find_all(exp.Column):
        if isinstance(column.this, exp.Star):
            continue
        nested = column.find_ancestor(exp.Select)
        hidden = False
        while nested is not None and nested is not select:
            names = {s.alias_or_name.casefold() for s in sources(nested)}
            hidden = hidden or not column.table or column.table.casefold() in names
            nested = nested.find_ancestor(exp.Select)
        if not hidden:
            yield column


def _links(
    condition: exp.Expr,
    right: exp.Expr,
    earlier: tuple[exp.Expr, ...],
    block: Block,
    known: Known,
) -> bool:
    """Whether a condition connects the joined source to earlier ones and to nothing else."""
    if condition.find(exp.Query):
        return False
    owners = [owner(column, block, known) for column in condition.find_all(exp.Column)]
    return (
        any(o is right for o in owners)
        and any(o is e for o in owners for e in earlier)
        and all(o is right or any(o is e for e in earlier) for o in owners)
    )


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _is_column_of(node: exp.Expr, source: exp.Expr, block: Block, known: Known) -> bool:
    return isinstance(node, exp.Column) and owner(node, block, known) is source


def _mentions(node: exp.Expr, source: exp.Expr, block: Block, known: Known) -> bool:
    return any(owner(c, block, known) is source for c in node.find_all(exp.Column))


def _start(node: exp.Expr) -> int:
    starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
    return min(starts, default=-1)
