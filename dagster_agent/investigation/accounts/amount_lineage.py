"""Which table columns the amounts of an expression come from, and whether they were converted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.clues.measures import is_converted, is_currency_name, is_rate
from dagster_agent.model import Relation, TableSchema
from dagster_agent.sql.columns import (
    Known,
    is_query,
    owner,
    source_columns,
    star_of,
    starred_sources,
)
from dagster_agent.sql.identifiers import relation_of, same_relation
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import Block, Visible, opened, subquery_scope

_MAX_DEPTH = 20
_MAX_MODELS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaf:
    """A column of a table that an expression reads."""

    block: Block
    """The SELECT that names it."""
    output: str
    """The output column of that SELECT it goes into; empty for the expression itself."""
    node: exp.Column
    """The column as that SELECT names it."""
    relation: Relation
    """The table it comes from."""
    column: str
    """Its name there."""
    converted: bool
    """A rate of exchange, or a CASE over currencies, is applied on the way."""


def leaves(
    expression: exp.Expr, block: Block, known: Known, *, output: str = "", depth: int = 0
) -> Iterator[Leaf]:
    """The table columns behind an expression of a SELECT, through CTEs and subqueries.

    Conditions are left out: what a CASE or FILTER compares is no amount. Columns whose source is
    open are left out too.
    """
    if depth > _MAX_DEPTH:
        return
    for column in expression.find_all(exp.Column):
        if column.find_ancestor(exp.Select) is not expression.find_ancestor(exp.Select):
            continue
        if _in_condition(column, expression):
            continue
        converted = _is_converted_here(column, expression)
        source = owner(column, block, known)
        for leaf in _behind(column, column.name, source, block, known, output, depth):
            yield replace(leaf, converted=leaf.converted or converted)


def _behind(
    node: exp.Column,
    name: str,
    source: exp.Expr | None,
    block: Block,
    known: Known,
    output: str,
    depth: int,
) -> Iterator[Leaf]:
    """The leaves of one column of a source. What only stars hand on is still named by `block`."""
    if isinstance(source, exp.Table) and block.named(source) is None:
        relation = relation_of(source)
        if relation is not None:
            yield Leaf(
                block=block,
                output=output,
                node=node,
                relation=relation,
                column=name,
                converted=False,
            )
        return
    for inner in inner_blocks(source, block):
        projection = _projection(inner, name)
        if projection is not None:
            yield from leaves(projection.unalias(), inner, known, output=name, depth=depth + 1)
            continue
        starred = _starred(inner, name, known)
        if starred is not None:
            found = _behind(node, name, starred, inner, known, output, depth + 1)
            yield from (replace(leaf, block=block) if leaf.node is node else leaf for leaf in found)


def inner_blocks(source: exp.Expr | None, block: Block) -> Iterator[Block]:
    """The SELECTs whose rows a CTE or subquery in FROM yields; several for a union."""
    if isinstance(source, exp.Table):
        named = block.named(source)
        if named is None or named.recursive or named.cte.args["alias"].columns:
            return
        query, visible, scope = named.cte.this, named.visible, named.scope
    elif isinstance(source, exp.Subquery) and is_query(source):
        query, visible = source.this, block.visible
        scope = subquery_scope(block.scope, block.select, source)
    else:
        return
    if isinstance(query, exp.Query):
        yield from _selects(query, visible, scope)


def _selects(query: exp.Query, visible: Visible, scope: str) -> Iterator[Block]:
    inner, within = opened(query, visible, scope)
    if isinstance(inner, exp.SetOperation):
        yield from _selects(inner.left, within, scope)
        yield from _selects(inner.right, within, scope)
    elif isinstance(inner, exp.Select) and inner.args.get("from_"):
        yield Block(scope=scope, select=inner, visible=within, recursive=False)


def _projection(block: Block, name: str) -> exp.Expr | None:
    wanted = name.casefold()
    return next(
        (
            p
            for p in block.select.expressions
            if star_of(p) is None and p.alias_or_name.casefold() == wanted
        ),
        None,
    )


def _starred(block: Block, name: str, known: Known) -> exp.Expr | None:
    """The source whose star hands on a column of that name."""
    stars = [p for p in block.select.expressions if star_of(p) is not None]
    candidates = [s for star in stars for s in starred_sources(star, block.select)]
    unknown: list[exp.Expr] = []
    for source in candidates:
        columns = source_columns(source, block.visible, known)
        if columns is None:
            unknown.append(source)
        elif any(c.casefold() == name.casefold() for c in columns):
            return source
    return unknown[0] if len(unknown) == 1 else None


def _in_condition(column: exp.Column, root: exp.Expr) -> bool:
    node: exp.Expr = column
    while node is not root and node.parent is not None:
        parent = node.parent
        if isinstance(parent, exp.Case) and parent.this is node:
            return True
        if isinstance(parent, exp.If) and parent.this is node:
            return True
        if isinstance(parent, exp.Filter) and parent.expression is node:
            return True
        node = parent
    return False


def _is_converted_here(column: exp.Column, root: exp.Expr) -> bool:
    """Whether a rate is applied to a column, or a CASE over currencies chooses it."""
    node: exp.Expr = column
    while node is not root and node.parent is not None:
        parent = node.parent
        if isinstance(parent, exp.Mul | exp.Div):
            other = parent.right if parent.left is node else parent.left
            if any(
                is_rate(c.name) or is_rate(c.table) for c in other.find_all(exp.Column)
            ) or _by_currency(other):
                return True
        if isinstance(parent, exp.Case | exp.If) and _by_currency(parent):
            return True
        node = parent
    return False


def _by_currency(node: exp.Expr) -> bool:
    """Whether a CASE in it compares currencies."""
    for case in node.find_all(exp.Case, exp.If):
        compared = [case.this, *(branch.this for branch in case.args.get("ifs") or ())]
        for condition in compared:
            if condition is not None and any(
                is_currency_name(c.name) for c in condition.find_all(exp.Column)
            ):
                return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountLineage:
    """Follows amounts from model to model."""

    manifest: Manifest
    schemas: Mapping[str, TableSchema]
    """By dbt unique id, as far as known."""
    dialect: str

    @property
    def known(self) -> dict[Relation, list[str]]:
        """Columns of the tables whose schemas are known."""
        return {s.relation: [c.name for c in s.columns] for s in self.schemas.values()}

    def of_output(self, uid: str, column: str) -> tuple[Leaf, ...]:
        """The leaves of one output column of a model; () where it cannot be followed."""
        sql = self.manifest.compiled_code(uid) if uid.startswith("model.") else None
        if not sql:
            return ()
        try:
            blocks = [b for b in parsed_blocks(sql, self.dialect) if b.scope == ""]
        except QueryRefused:
            return ()
        found: list[Leaf] = []
        for block in blocks:
            projection = _projection(block, column)
            if projection is not None:
                found += leaves(projection.unalias(), block, self.known, output=column)
            elif (starred := _starred(block, column, self.known)) is not None:
                node = exp.column(column)
                found += _behind(node, column, starred, block, self.known, column, 0)
        return tuple(found)

    def is_converted(self, relation: Relation, column: str, depth: int = 0) -> bool:
        """Whether a table's amounts are in one currency by their name or making."""
        if is_converted(column):
            return True
        asset = self.manifest.by_relation(relation)
        if asset is None or depth > _MAX_MODELS:
            return False
        found = self.of_output(asset.unique_id, column)
        return bool(found) and any(
            leaf.converted
            or (
                not same_relation(leaf.relation, relation)
                and self.is_converted(leaf.relation, leaf.column, depth + 1)
            )
            for leaf in found
        )
