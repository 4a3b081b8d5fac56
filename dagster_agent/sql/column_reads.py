"""Where a query reads which column of which table: each reference, with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.columns import Known, is_query, star_of
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.read_owner import Frame, reads_of
from dagster_agent.sql.statement import (
    Visible,
    blocks,
    joins_of,
    opened,
    sources,
    subquery_scope,
)


class ReadForm(StrEnum):
    """What stands around a reference."""

    BARE = "bare"
    """It is an output column by itself, under its own name."""
    ALIASED = "aliased"
    """It is an output column by itself, under a given name."""
    PART = "part"
    """It is part of an expression, a condition, or another clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRead:
    """One reference to a column of a table. Offsets and lines are those of the text given."""

    relation: Relation
    """The table, as the query names it."""
    column: str
    """The column as spelled, without quotes."""
    quoted: bool
    """It is written in quotes, so its letter case may count."""
    scope: str
    """The CTE it stands in, `cte.alias` for a subquery in FROM; empty for the outermost SELECT."""
    clause: str
    """`select`, `exclude` and `replace` (of a star), `from`, `join`, `using`, `where`, `group`,
    `having`, `qualify`, `order` or another clause's name."""
    output: str | None
    """Name of the output column of its SELECT that it is used in."""
    form: ReadForm
    """What stands around it."""
    cast_to: str | None
    """The type that it is cast to on the spot."""
    start: int | None
    """0-based offset of the column's own name, quote included; None where sqlglot does not tell."""
    end: int | None
    """Offset behind it."""
    reference_start: int | None
    """Offset of the whole reference: that of its qualifier, where it has one."""
    line: int | None
    """1-based line of the name."""


_CLAUSES = {"expressions": "select", "from_": "from", "joins": "join", "laterals": "from"}
_OPAQUE = (exp.Pivot, exp.MatchRecognize, exp.With, exp.Hint, exp.Var, exp.DataType)
"""What holds names that are no plain references."""


def columns_read(sql: str, dialect: str, columns: Known) -> tuple[ColumnRead, ...]:
    """Every reference to a column of a table, in text order.

    Followed through CTEs, subqueries, stars, aliases, USING and fields of structs. Left out, never
    guessed: references that several tables may be meant by, and all behind set operations, pivots
    and table functions. Names of output columns (`order by`, lateral aliases) are no references.

    Args:
        sql: One query, such as a model's compiled code.
        dialect: sqlglot's name of the dialect.
        columns: Columns of the tables it reads, where known. A column that is read and not among
            them is still told where only one table can be meant.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    tree = parse_select(sql, dialect)
    blocks(tree)  # for what it does to the tree: all joins of a SELECT are in one place
    found = _Reader(columns, dialect).query(tree, (), None, "")
    return tuple(sorted(found, key=lambda r: (r.start is None, r.start or 0, str(r.relation))))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a SELECT the walk is."""

    frame: Frame
    scope: str
    clause: str
    index: int
    projection: exp.Expr | None = None


class _Reader:
    """Walks a statement, each SELECT in the frame of the sources that it can name."""

    def __init__(self, known: Known, dialect: str) -> None:
        self._known = known
        self._dialect = dialect

    def query(
        self, query: exp.Query, visible: Visible, outer: Frame | None, scope: str
    ) -> Iterator[ColumnRead]:
        inner, within = opened(query, visible, scope)
        for named in within[len(visible) :]:
            if isinstance(named.cte.this, exp.Query):
                names = (*named.visible, named) if named.recursive else named.visible
                yield from self.query(named.cte.this, names, outer, named.scope)
        if isinstance(inner, exp.SetOperation):
            yield from self.query(inner.left, within, outer, scope)
            yield from self.query(inner.right, within, outer, scope)
        elif isinstance(inner, exp.Select):
            frame = Frame(inner, within, outer, self._known, self._dialect)
            yield from self._select(frame, scope)

    def _select(self, frame: Frame, scope: str) -> Iterator[ColumnRead]:
        for key, value in frame.select.args.items():
            children = cast("list[object]", value) if isinstance(value, list) else [value]
            for index, child in enumerate(children):
                if isinstance(child, exp.Expr):
                    clause = _CLAUSES.get(key, key)
                    projection = child if clause == "select" else None
                    place = _Place(frame, scope, clause, index, projection)
                    yield from self._visit(child, place)

    def _visit(self, node: exp.Expr, place: _Place) -> Iterator[ColumnRead]:
        if isinstance(node, exp.Query) and (not isinstance(node, exp.Subquery) or is_query(node)):
            yield from self._nested(node, place)
            return
        if isinstance(node, _OPAQUE):
            return
        if isinstance(node, exp.Column) and star_of(node) is None:
            yield from self._column(node, place)
            return
        if isinstance(node, exp.Star):
            yield from self._star(node, place)
            return
        if isinstance(node, exp.Join):
            yield from self._using(node, place)
        # `f(name := value)`: the name is an argument's
        skipped = node.this if isinstance(node, exp.PropertyEQ | exp.Kwarg) else None
        for child in node.iter_expressions():
            if child is not skipped:
                yield from self._visit(child, place)

    def _star(self, star: exp.Star, place: _Place) -> Iterator[ColumnRead]:
        for key, clause in (("except_", "exclude"), ("rename", "exclude"), ("replace", "replace")):
            for child in star.args.get(key) or ():
                if isinstance(child, exp.Expr):
                    yield from self._visit(child, replace(place, clause=clause, projection=None))

    def _nested(self, node: exp.Query, place: _Place) -> Iterator[ColumnRead]:
        frame = place.frame
        if any(node is source for source in sources(frame.select)):
            scope = subquery_scope(place.scope, frame.select, node)
            yield from self.query(node, frame.visible, frame.outer, scope)
        else:
            yield from self.query(node, frame.visible, frame, place.scope)

    def _column(self, column: exp.Column, place: _Place) -> Iterator[ColumnRead]:
        frame = place.frame
        if frame.names_output(column, place.clause, place.index):
            return
        for relation, name in frame.resolve(column):
            last = column.parts[-1] is name
            form = _form(column, place.projection) if last else ReadForm.PART
            read = _read(relation, name, place, form)
            yield replace(
                read,
                reference_start=column.parts[0].meta.get("start"),
                cast_to=_cast_to(column, self._dialect) if last else None,
            )

    def _using(self, join: exp.Join, place: _Place) -> Iterator[ColumnRead]:
        frame = place.frame
        using = join.args.get("using") or ()
        position = next((i for i, j in enumerate(joins_of(frame.select)) if j is join), 0)
        sides = sources(frame.select)[: position + 2]
        for entry in using:
            name = entry.this if isinstance(entry, exp.Column) else entry
            if not isinstance(name, exp.Identifier):
                continue
            left = frame.only_with(name.name, sides[:-1])
            for source in (left, sides[-1]):
                for relation in reads_of(source, name.name, frame):
                    yield _read(relation, name, replace(place, clause="using"), ReadForm.PART)


def _form(column: exp.Column, projection: exp.Expr | None) -> ReadForm:
    if projection is column:
        return ReadForm.BARE
    if isinstance(projection, exp.Alias) and projection.this is column:
        return ReadForm.ALIASED
    return ReadForm.PART


def _cast_to(column: exp.Column, dialect: str) -> str | None:
    parent = column.parent
    if isinstance(parent, exp.Cast) and parent.this is column:
        return parent.to.sql(dialect)
    return None


def _read(relation: Relation, name: exp.Identifier, place: _Place, form: ReadForm) -> ColumnRead:
    start, end = name.meta.get("start"), name.meta.get("end")
    output = place.projection.alias_or_name if place.projection is not None else None
    return ColumnRead(
        relation=relation,
        column=name.name,
        quoted=bool(name.quoted),
        scope=place.scope,
        clause=place.clause,
        output=output or None,
        form=form,
        cast_to=None,
        start=start,
        end=None if end is None else end + 1,
        reference_start=start,
        line=name.meta.get("line"),
    )
