"""Output columns that a NULL makes incomplete: sums, concatenations, and counts of a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from dagster_agent.investigation.accounts.null_risks import NullKind, NullRisk, Reading, Spot
from dagster_agent.investigation.clues.measures import words
from dagster_agent.repair.null_safe_edits import GuardKind
from dagster_agent.sql.columns import owner, source_origin

_FAMILIES = ((exp.Add, exp.Sub), (exp.DPipe,))
_NUMERIC = ("DECIMAL", "NUMERIC", "NUMBER", "DOUBLE", "FLOAT", "REAL")
_INTEGER = ("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "UTINY", "USMALL", "UINT", "UBIG")
_TEXT = ("VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR", "NVARCHAR")
_COUNTING = frozenset({"count", "counts", "cnt", "n", "nr", "num", "number", "of", "total"})
_ROWS = frozenset({"row", "record"})


def value_risks(reading: Reading) -> Iterator[NullRisk]:
    """Sums, differences and concatenations of several columns in named output columns."""
    select = reading.block.select
    for projection in select.expressions:
        if not isinstance(projection, exp.Alias):
            continue
        for family in _FAMILIES:
            for node in projection.find_all(*family):
                own = node.find_ancestor(exp.Select) is select
                if own and not _continues(node, family) and not _is_judged(node, projection):
                    risk = _chain_risk(node, family, projection.alias, reading)
                    if risk is not None:
                        yield risk


def count_risks(reading: Reading) -> Iterator[NullRisk]:
    """`count(column)` under a name that speaks of rows, or of what the rows are."""
    select = reading.block.select
    counts = [call for p in select.expressions for call in p.find_all(exp.Count)]
    if any(not isinstance(c.this, exp.Column | exp.Distinct | exp.Case) for c in counts):
        return  # count(*) stands beside it: the difference is known
    for projection in select.expressions:
        call = projection.unalias()
        column = call.this if isinstance(call, exp.Count) else None
        if not isinstance(column, exp.Column) or not isinstance(projection, exp.Alias):
            continue
        if isinstance(column.this, exp.Star) or reading.may_lack_row(column):
            continue
        if _names_rows(projection.alias, column, reading):
            null = exp.Is(this=column.copy(), expression=exp.null())
            lost = reading.passes(null)
            spot = Spot(
                node=call,
                column=column,
                mended=exp.Count(this=exp.Star()),
                lost=lost,
                way=GuardKind.EVERY_ROW,
            )
            yield NullRisk(
                kind=NullKind.COUNT, node=call, spots=(spot,), lost=lost, output=projection.alias
            )


def _continues(node: exp.Expr, family: tuple[type[exp.Expr], ...]) -> bool:
    """Whether it is part of a longer chain."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, family)


def _is_judged(node: exp.Expr, projection: exp.Expr) -> bool:
    """Whether it is compared with something: a condition, no value."""
    parent = node.parent
    while parent is not None and parent is not projection:
        if isinstance(parent, exp.Predicate | exp.Connector | exp.Not):
            return True
        parent = parent.parent
    return False


def _chain_risk(
    node: exp.Expr, family: tuple[type[exp.Expr], ...], output: str, reading: Reading
) -> NullRisk | None:
    operands = [o for o in _operands(node, family) if o.find(exp.Column)]
    text = isinstance(node, exp.DPipe)
    if len(operands) < 2 or not _fits(node, operands, reading, text=text):
        return None
    grouped = any(o.find(exp.AggFunc) for o in operands)
    if grouped and _has_grouping_sets(reading.block.select):
        return None
    spots = tuple(
        Spot(
            node=operand,
            column=operand,
            mended=exp.Coalesce(this=operand.copy(), expressions=[_nothing(text)]),
            lost=_alone(operand, operands, reading, grouped=grouped),
            way=GuardKind.EMPTY_TEXT if text else GuardKind.ZERO,
        )
        for operand in operands
        if _is_simple(operand)
    )
    if not spots:
        return None
    lost = exp.or_(*(spot.lost.copy() for spot in spots))
    return NullRisk(
        kind=NullKind.VALUE, node=node, spots=spots, lost=lost, output=output, grouped=grouped
    )


def _nothing(text: bool) -> exp.Expr:
    return exp.Literal.string("") if text else exp.Literal.number(0)


def _alone(
    operand: exp.Expr, operands: Sequence[exp.Expr], reading: Reading, *, grouped: bool
) -> exp.Expr:
    """The operand is NULL and another one is not."""
    null = exp.Is(this=operand.copy(), expression=exp.null())
    others = [
        exp.not_(exp.Is(this=o.copy(), expression=exp.null())) for o in operands if o is not operand
    ]
    condition = exp.and_(null, exp.or_(*others))
    return condition if grouped else reading.passes(condition)


def _operands(node: exp.Expr, family: tuple[type[exp.Expr], ...]) -> Iterator[exp.Expr]:
    node = node.unnest()
    if isinstance(node, family) and isinstance(node, exp.Binary):
        yield from _operands(node.left, family)
        yield from _operands(node.right, family)
    else:
        yield node


def _is_simple(operand: exp.Expr) -> bool:
    """A column, a cast of one, or an aggregate: what can be missing by itself."""
    inner = operand.this if isinstance(operand, exp.Cast) else operand
    if isinstance(inner, exp.AggFunc):
        return isinstance(inner, exp.Sum | exp.Avg | exp.Min | exp.Max)
    return isinstance(inner, exp.Column)


def _fits(node: exp.Expr, operands: Sequence[exp.Expr], reading: Reading, *, text: bool) -> bool:
    """Whether its parts are numbers, or texts, as far as types are known, of this SELECT's rows."""
    if node.find(exp.Window, exp.Query, exp.Interval) is not None:
        return False
    wanted = _TEXT if text else (*_NUMERIC, *_INTEGER)
    aliases = {p.alias.casefold() for p in reading.block.select.expressions if p.alias}
    for column in node.find_all(exp.Column):
        source = owner(column, reading.block, reading.known)
        if source is None and not column.table and column.name.casefold() in aliases:
            return False
    plain = [o for o in operands if isinstance(o, exp.Column)]
    types = [reading.type_of(column) for column in plain]
    return all(not known or _is_of(known.upper(), wanted) for known in types)


def _is_of(type_: str, wanted: tuple[str, ...]) -> bool:
    return type_.startswith(wanted) and not type_.startswith("INTERVAL")


def _has_grouping_sets(select: exp.Select) -> bool:
    group = select.args.get("group")
    names = ("rollup", "cube", "grouping_sets")
    return group is not None and any(group.args.get(name) for name in names)


def _names_rows(alias: str, column: exp.Column, reading: Reading) -> bool:
    """Whether a name speaks of rows, or of what the rows are, and not of the counted column."""
    spoken = words(alias)
    noun = {_singular(w) for w in spoken - _COUNTING}
    if not noun or noun <= _ROWS:
        return bool(spoken)
    return not noun & {_singular(w) for w in words(column.name)} and noun <= _subject(
        column, reading
    )


def _subject(column: exp.Column, reading: Reading) -> set[str]:
    """The words of what drives the SELECT, and of the table behind it."""
    driving = reading.block.select.args["from_"].this
    names = [driving.name] if isinstance(driving, exp.Table) else []
    source = owner(column, reading.block, reading.known) or driving
    origin = source_origin(source, column.name, reading.block.visible, reading.known)
    names += [origin[0].name] if origin is not None else []
    return {_singular(word) for name in names for word in words(name)}


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
