"""Places of a SELECT at which a NULL, if there is one, takes away more than its author meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.repair.null_safe_edits import GuardKind
from dagster_agent.sql.columns import Known, owner, query_columns
from dagster_agent.sql.identifiers import relation_of, same_relation
from dagster_agent.sql.join_clauses import kind_of
from dagster_agent.sql.statement import Block, joins_of, sources

_INCLUDING = (
    exp.Between,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.Exists,
    exp.Query,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Window,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)
"""What NOT may stand before without meaning to leave a few known values out."""
_LIKE = (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike)


class NullKind(StrEnum):
    """What NULL spoils."""

    CONDITION = "condition"
    """A condition that leaves values out: rows without a value go with them."""
    LIST = "list"
    """`not in (select ...)` of a list with NULL: no row passes."""
    VALUE = "value"
    """A sum or concatenation: one missing part takes the others with it."""
    COUNT = "count"
    """A column is counted where rows are meant."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spot:
    """A part of the tree that can be guarded."""

    node: exp.Expr
    """The part."""
    column: exp.Expr
    """What may be NULL there."""
    mended: exp.Expr
    """What would stand there."""
    lost: exp.Expr
    """A condition that is true of each row that is lost for want of this guard."""
    way: GuardKind | None
    """The edit that makes `mended` of it; None where no literal edit does."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullRisk:
    """One place; the data says whether anything is lost there."""

    kind: NullKind
    node: exp.Expr
    """The condition, sum, concatenation or count."""
    spots: tuple[Spot, ...]
    """What could be guarded."""
    lost: exp.Expr
    """A condition that is true of each row that is lost."""
    output: str = ""
    """The output column of its SELECT, where it stands in one."""
    grouped: bool = False
    """The conditions hold of groups, not of rows."""
    list_of_values: exp.Select | None = None
    """Of a list: its query."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A SELECT with what is known about its columns."""

    block: Block
    """As parsed."""
    explicit: Block
    """As `with_explicit_conditions` leaves it: what rows are counted with."""
    known: Known
    """Columns of tables."""
    own: Relation | None
    """The model's own table."""
    type_of: Callable[[exp.Column], str]
    """The type of the table column that a column copies; empty where it is not known."""

    @property
    def filters(self) -> tuple[exp.Expr, ...]:
        """The conditions of WHERE; those that ask the model's own table are left out: they hold
        for what is new of an incremental model."""
        where = self.explicit.select.args.get("where")
        found = conjuncts(where.this) if where is not None else ()
        return tuple(c for c in found if not reads_table(c, self.own))

    def passes(self, *conditions: exp.Expr) -> exp.Expr:
        """All filters and these conditions."""
        found = [c.copy() for c in (*self.filters, *conditions)]
        return exp.and_(*found) if found else exp.true()

    def may_lack_row(self, column: exp.Column) -> bool:
        """Whether it may come from the side of an outer join that has no row."""
        lacking = self._lacking()
        source = owner(column, self.block, self.known)
        return bool(lacking) if source is None else any(source is s for s in lacking)

    def _lacking(self) -> list[exp.Expr]:
        found = sources(self.block.select)
        lacking: list[exp.Expr] = []
        for position, join in enumerate(joins_of(self.block.select), 1):
            kind = kind_of(join)
            if kind in ("left", "full"):
                lacking.append(join.this)
            if kind in ("right", "full"):
                lacking += found[:position]
        return lacking


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that AND joins, in text order, without their parentheses."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from conjuncts(condition.left)
        yield from conjuncts(condition.right)
    else:
        yield condition


def reads_table(node: exp.Expr, relation: Relation | None) -> bool:
    """Whether an expression reads a table that is written with its schema, as dbt writes them."""
    tables = [t for t in node.find_all(exp.Table) if t.db]
    return relation is not None and any(
        (read := relation_of(t)) is not None and same_relation(read, relation) for t in tables
    )


def own_columns(node: exp.Expr, select: exp.Expr | None) -> list[exp.Column]:
    """The columns that a SELECT names itself in an expression, each once."""
    found = {c.sql(): c for c in node.find_all(exp.Column) if c.find_ancestor(exp.Select) is select}
    return list(found.values())


def condition_risks(reading: Reading) -> Iterator[NullRisk]:
    """Conditions of WHERE that leave values out, and NOT IN with a query."""
    where = reading.block.select.args.get("where")
    for condition in conjuncts(where.this) if where is not None else ():
        others = [c for c in reading.filters if c != condition]
        if len(others) == len(reading.filters):
            continue  # it was moved to a join, or holds an alias
        listed = _listed(condition)
        if listed is not None and (risk := _list_risk(condition, listed, others, reading)):
            yield risk
        column = _left_out(condition, reading)
        if column is not None and not reading.may_lack_row(column):
            mended = exp.paren(exp.or_(condition.copy(), _is_null(column)))
            lost = _lost(condition, mended, others)
            spot = Spot(
                node=condition, column=column, mended=mended, lost=lost, way=GuardKind.OR_NULL
            )
            yield NullRisk(kind=NullKind.CONDITION, node=condition, spots=(spot,), lost=lost)


def _lost(condition: exp.Expr, mended: exp.Expr, others: Sequence[exp.Expr]) -> exp.Expr:
    return exp.and_(
        *(c.copy() for c in others), mended.copy(), _is_null(exp.paren(condition.copy()))
    )


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=node.copy(), expression=exp.null())


def with_part(whole: exp.Expr, part: exp.Expr, other: exp.Expr) -> exp.Expr:
    """A copy of an expression with another one in the place of one of its parts."""
    position = next(number for number, node in enumerate(whole.walk()) if node is part)
    copied = whole.copy()
    list(copied.walk())[position].replace(other.copy())
    return copied


def _left_out(condition: exp.Expr, reading: Reading) -> exp.Column | None:
    """The one column some values of which a condition leaves out."""
    listed = _listed(condition)
    if listed is not None:
        judged = condition.this if isinstance(condition, exp.NEQ) else condition.this.unnest().this
    elif isinstance(condition, exp.NEQ):
        sides = [s for s in (condition.left, condition.right) if s.find(exp.Column)]
        constant = len(sides) == 1 and condition.find(exp.Query, exp.All, exp.Any) is None
        judged = sides[0] if constant else None
    elif isinstance(condition, _LIKE) and condition.args.get("negate"):
        judged = condition
    elif isinstance(condition, exp.Not):
        inner = condition.this.unnest()
        judged = None if inner.find(*_INCLUDING) is not None else inner
    else:
        return None
    columns = own_columns(judged, reading.block.select) if judged is not None else []
    return columns[0] if len(columns) == 1 else None


def _listed(condition: exp.Expr) -> exp.Select | None:
    """The query of `x not in (select ...)`, and of `x <> all (select ...)`."""
    query: object = None
    if isinstance(condition, exp.NEQ) and isinstance(condition.expression, exp.All):
        query = condition.expression.this
    elif isinstance(condition, exp.Not) and isinstance(inner := condition.this.unnest(), exp.In):
        query = inner.args.get("query")
    listed = query.unnest() if isinstance(query, exp.Expr) else None
    return listed if isinstance(listed, exp.Select) else None


def _list_risk(
    condition: exp.Expr, listed: exp.Select, others: Sequence[exp.Expr], reading: Reading
) -> NullRisk | None:
    names = query_columns(listed, reading.block.visible, reading.known) or ()
    if len(names) != 1 or len(listed.expressions) != 1:
        return None
    value, where = listed.expressions[0].unalias(), listed.args.get("where")
    way = None
    if _takes_where(listed, value):
        mended = listed.copy().where(exp.not_(_is_null(value)))
        if where is None:
            way = GuardKind.LIST_WHERE
        elif not isinstance(where.this, exp.Or):
            way = GuardKind.LIST_AND
    else:
        name = exp.column(exp.to_identifier(names[0]))
        mended = exp.Select().select(name).from_(listed.copy().subquery("dagster_agent_list"))
        mended = mended.where(exp.not_(_is_null(name)))
    lost = _lost(condition, with_part(condition, listed, mended), others)
    spot = Spot(node=listed, column=value, mended=mended, lost=lost, way=way)
    return NullRisk(
        kind=NullKind.LIST, node=condition, spots=(spot,), lost=lost, list_of_values=listed
    )


def _takes_where(select: exp.Select, value: exp.Expr) -> bool:
    """Whether a condition at its end is one of its WHERE, on the value that it yields."""
    later = ("with_", "group", "having", "qualify", "order", "limit", "offset", "fetch", "laterals")
    plain = not any(select.args.get(name) for name in later)
    return plain and value.find(exp.Star, exp.AggFunc, exp.Window, exp.Query) is None
