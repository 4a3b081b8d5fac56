"""SELECTs cut short: statements that count the rows of one SELECT after each of its clauses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.sql.statement import Block, joins_of, needed

MARK = "dagster_agent_match"
"""Column that is 1 in the matched rows of a marked join and NULL in the others."""

TAIL = ("group", "unnest", "qualify", "distinct", "limit")
"""Steps after WHERE, in the order they take effect; each needs the output list."""

_CLAUSES = {
    "group": ("group", "having"),
    "unnest": (),
    "qualify": ("qualify",),
    "distinct": ("distinct",),
    "limit": ("order", "limit", "offset", "fetch"),
}


def count_source(block: Block) -> exp.Select:
    """Rows of the FROM alone."""
    return _counted(_prefix(block, 0))


def count_joined(block: Block, joins: int) -> exp.Select:
    """Rows after so many joins."""
    return _counted(_prefix(block, joins))


def count_marked(block: Block, position: int) -> exp.Select:
    """Two numbers for one join made a left join: all rows, and those with a match on the right.

    Whatever its condition is, the rows of the inner join are the second number, and the left rows
    without a match are their difference.
    """
    select = _prefix(block, position)
    marked, mark = _marked(joins_of(block.select)[position])
    select.set("joins", [*joins_of(select), marked])
    return select.select(_alias(_count(), "n"), _alias(exp.Count(this=mark), "matched"))


def count_filtered(block: Block) -> exp.Select:
    """Rows after all joins and WHERE."""
    select = _prefix(block, len(joins_of(block.select)))
    select.set("where", block.select.args["where"].copy())
    return _counted(select)


def count_output(block: Block, step: str) -> exp.Select:
    """Rows after one of the steps of `TAIL`."""
    kept = {name for each in TAIL[: TAIL.index(step) + 1] for name in _CLAUSES[each]}
    dropped = {name for names in _CLAUSES.values() for name in names} - kept
    select = block.select.copy()
    for name in ("with_", *sorted(dropped)):
        select.set(name, None)
    return _counted(exp.Select().from_(select.subquery("counted")))


def count_recoverable(block: Block, position: int, also_left: Collection[int]) -> exp.Select:
    """Rows without a match at one inner join that the other joins and WHERE would let pass.

    Args:
        block: The SELECT.
        position: The inner join in question.
        also_left: Inner joins that only enrich; those after `position` become left joins too, so
            that the numbers of all of them add up to the rows that left joins would yield more.
    """
    select = _prefix(block, len(joins_of(block.select)))
    built = joins_of(select)
    built[position], mark = _marked(built[position])
    for later in also_left:
        if later > position:
            built[later].set("side", "LEFT")
            built[later].set("kind", None)
    select.set("joins", built)
    where = block.select.args.get("where")
    unmatched = mark.is_(exp.null())
    condition = exp.and_(where.this.copy(), unmatched) if where is not None else unmatched
    select.set("where", exp.Where(this=condition))
    return _counted(select)


def unmatched_keys(
    block: Block, position: int, keys: Sequence[tuple[exp.Expr, str]], limit: int
) -> exp.Select:
    """The most frequent left keys without a match at one join, and how many rows have each."""
    select = _prefix(block, position)
    marked, mark = _marked(joins_of(block.select)[position])
    select.set("joins", [*joins_of(select), marked])
    for left, name in keys:
        shown = left.name if isinstance(left, exp.Column) else name
        select = select.select(exp.alias_(left.copy(), shown, quoted=True), copy=False)
        select = select.group_by(left.copy(), copy=False)
    select = select.select(_alias(_count(), "rows_without_match"), copy=False)
    select = select.where(mark.is_(exp.null()), copy=False)
    order = [exp.Ordered(this=_count(), desc=True), *(left.copy() for left, _ in keys)]
    return select.order_by(*order, copy=False).limit(limit, copy=False)


def count_repeated_keys(block: Block, position: int, keys: Sequence[exp.Expr]) -> exp.Select:
    """How many join keys more than one left row has; NULL keys aside."""
    select = _prefix(block, position).select(_alias(exp.Literal.number(1), "one"))
    for key in keys:
        select = select.where(exp.not_(key.copy().is_(exp.null())), copy=False)
        select = select.group_by(key.copy(), copy=False)
    select = select.having(exp.GT(this=_count(), expression=exp.Literal.number(1)), copy=False)
    return _counted(exp.Select().from_(select.subquery("repeated")))


def one_statement(block: Block, counts: Sequence[exp.Select], dialect: str) -> str:
    """All counts in one row, columns in the order of `counts`, with the CTEs they need."""
    statement = exp.Select()
    ctes: list[exp.CTE] = []
    for number, count in enumerate(counts):
        # as CTEs, not as subqueries in FROM: there a name inside could mean another count's column
        name = f"dagster_agent_{number}"
        alias = exp.TableAlias(this=exp.to_identifier(name))
        ctes.append(exp.CTE(this=count, alias=alias))
        for projection in count.expressions:
            column = exp.column(projection.alias, table=name)
            shown = _alias(column, f"{projection.alias}_{number}")
            statement = statement.select(shown, copy=False)
        if number == 0:
            statement = statement.from_(name, copy=False)
        else:
            statement = statement.join(exp.to_table(name), join_type="cross", copy=False)
    return with_ctes(statement, block, ctes).sql(dialect, comments=False)


def with_ctes(statement: exp.Select, block: Block, further: Sequence[exp.CTE] = ()) -> exp.Select:
    """The statement preceded by the CTEs that the block needs, and further ones.

    Raises:
        QueryRefused: Two CTEs of one name would have to stand side by side.
    """
    ctes = needed(_without_with(block.select), block.visible)
    names = [named.name.casefold() for named in ctes]
    if len(set(names)) < len(names):
        raise QueryRefused("a nested WITH defines a name that is taken outside")
    expressions = [*(named.cte.copy() for named in ctes), *further]
    if expressions:
        recursive = any(named.recursive for named in ctes) or None
        statement.set("with_", exp.With(expressions=expressions, recursive=recursive))
    return statement


def _prefix(block: Block, joins: int) -> exp.Select:
    """FROM and the first joins, without an output list."""
    select = exp.Select()
    select.set("from_", block.select.args["from_"].copy())
    select.set("laterals", [each.copy() for each in block.select.args.get("laterals") or ()])
    select.set("joins", [join.copy() for join in joins_of(block.select)[:joins]])
    return select


def _marked(join: exp.Join) -> tuple[exp.Join, exp.Column]:
    """The join as a left join to its source with the mark, and the mark's column."""
    join = join.copy()
    right = join.this
    alias = _alias_identifier(right)
    marked = exp.Select().select(exp.Star(), _alias(exp.Literal.number(1), MARK)).from_(right)
    join.set("this", marked.subquery(alias))
    join.set("side", "LEFT")
    join.set("kind", None)
    if not (join.args.get("on") or join.args.get("using") or join.method == "NATURAL"):
        join.set("on", exp.true())
    return join, exp.column(exp.to_identifier(MARK), table=alias.copy())


def _alias_identifier(source: exp.Expr) -> exp.Identifier:
    alias = source.args.get("alias")
    named = alias.this if isinstance(alias, exp.TableAlias) else None
    if isinstance(named, exp.Identifier):
        return named.copy()
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
        return source.this.copy()
    return exp.to_identifier("dagster_agent_right")


def _counted(select: exp.Select) -> exp.Select:
    return select.select(_alias(_count(), "n"), copy=False)


def _count() -> exp.Count:
    return exp.Count(this=exp.Star())


def _alias(expression: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(expression, name)


def _without_with(select: exp.Select) -> exp.Select:
    select = select.copy()
    select.set("with_", None)
    return select
