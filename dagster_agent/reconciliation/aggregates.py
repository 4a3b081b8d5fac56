"""Counts and aggregates of two tables, in total and by day, and which of them agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation, localcontext

from dagster_agent.model import Cell
from dagster_agent.reconciliation.config import Tolerance

ROUNDING = Decimal("1e-9")
"""Share of the added magnitudes by which sums of floating-point numbers may differ because they
were added in another order."""
_DIGITS = 80
"""Sums of 38-digit decimals over many days are added without rounding."""
EXACT = Tolerance()
"""No difference is tolerated."""

Name = tuple[str, str]
"""A column by our name and an aggregate: `missing`, `sum`, `min`, `max`, `true`, `magnitude`, or
one of `NO_NUMBERS`."""
NO_NUMBERS = ("nan", "infinite", "negative infinite")
"""Counts of values that hide a sum, where they do."""
_COUNTS = ("missing", *NO_NUMBERS)
"""Aggregates that no tolerance is meant for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Aggregates of some rows."""

    rows: int
    """How many."""
    values: Mapping[Name, Cell]
    """By column and aggregate; None where all values are NULL."""

    @property
    def without_sum(self) -> frozenset[str]:
        """Columns of which the sum is NaN or infinite: nothing is known of their other values."""
        sums = [(c, as_decimal(v)) for (c, name), v in self.values.items() if name == "sum"]
        return frozenset(c for c, total in sums if total is not None and not total.is_finite())


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAggregates:
    """What one statement told of one table."""

    totals: Totals
    """Of all its rows."""
    by_day: Mapping[str, Totals] | None
    """By ISO day, `` for rows without one; None where no day was asked for."""
    query: str
    """The statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAggregates:
    """Both tables."""

    ours: SideAggregates
    """The asset."""
    theirs: SideAggregates
    """What it must agree with."""
    seconds: float = 0
    """How long both statements took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One aggregate of one column on both sides."""

    column: str
    """By our name."""
    aggregate: str
    """`missing`, `sum`, `min`, `max`, `true` or one of `NO_NUMBERS`."""
    ours: Decimal | None
    """Of the asset."""
    theirs: Decimal | None
    """Of the other table."""
    shown: tuple[Cell, Cell]
    """Both as the warehouses gave them."""
    agrees: bool
    """Within the tolerance."""

    @property
    def gap(self) -> Decimal:
        """Ours less theirs; a missing sum counts as 0. NaN where one of both is not finite."""
        ours, theirs = self.ours or Decimal(0), self.theirs or Decimal(0)
        return ours - theirs if ours.is_finite() and theirs.is_finite() else Decimal("NaN")


def compared(ours: Totals, theirs: Totals, tolerances: Mapping[str, Tolerance]) -> Iterator[Line]:
    """Both sides' aggregates, judged, in the order in which they were asked for."""
    for (column, aggregate), value in ours.values.items():
        if aggregate == "magnitude":
            continue
        other = theirs.values.get((column, aggregate))
        one, two = as_decimal(value), as_decimal(other)
        tolerance = EXACT if aggregate in _COUNTS else tolerances.get(column, EXACT)
        rounding = _rounding(column, aggregate, (value, other), (ours, theirs))
        yield Line(
            column=column,
            aggregate=aggregate,
            ours=one,
            theirs=two,
            shown=(value, other),
            agrees=within(one, two, tolerance, rounding),
        )


def within(
    one: Decimal | None, two: Decimal | None, tolerance: Tolerance, rounding: Decimal = Decimal(0)
) -> bool:
    """Whether two numbers agree; NaN agrees with NaN, infinity with itself, NULL with NULL."""
    if one is None or two is None or not (one.is_finite() and two.is_finite()):
        return str(one) == str(two)
    with localcontext(prec=_DIGITS):
        limit = max(Decimal(str(tolerance.absolute)), Decimal(str(tolerance.relative)) * abs(two))
        return abs(one - two) <= max(limit, rounding)


def as_decimal(value: Cell) -> Decimal | None:
    """A number; of a moment, its seconds since 1970, read as UTC where no zone is given."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return _seconds(aware)
    if isinstance(value, date):
        return _seconds(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return None if value is None else Decimal(str(value))


def added_up(groups: Iterable[Totals], names: Iterable[Name]) -> Totals:
    """The aggregates of all groups together; without groups, those of an empty table."""
    held = list(groups)
    with localcontext(prec=_DIGITS) as context:
        context.traps[InvalidOperation] = False  # infinity less infinity is NaN, no error
        values = {name: _together(name[1], [g.values[name] for g in held]) for name in names}
    return Totals(rows=sum(group.rows for group in held), values=values)


def _together(aggregate: str, found: list[Cell]) -> Cell:
    if aggregate in _COUNTS:
        return sum(int(str(value or 0)) for value in found)
    known = [value for value in found if value is not None]
    if not known:
        return None
    if aggregate in ("min", "max"):
        pick = min if aggregate == "min" else max
        return pick(known, key=_ordered)
    if any(isinstance(value, float) for value in known):
        return float(sum((Decimal(str(value)) for value in known), Decimal(0)))
    return sum((Decimal(str(value)) for value in known), Decimal(0))


def _ordered(value: Cell) -> tuple[bool, Decimal]:
    """NaN is greater than any number, as in the warehouses."""
    number = as_decimal(value) or Decimal(0)
    return (True, Decimal(0)) if number.is_nan() else (False, number)


def _rounding(
    column: str, aggregate: str, values: tuple[Cell, Cell], sides: tuple[Totals, Totals]
) -> Decimal:
    if not any(isinstance(value, float) for value in values):
        return Decimal(0)
    sizes = [as_decimal(side.values.get((column, "magnitude"))) for side in sides]
    if aggregate != "sum" or not any(sizes):
        sizes = [as_decimal(value) for value in values]
    finite = [abs(size) for size in sizes if size is not None and size.is_finite()]
    return ROUNDING * max(finite, default=Decimal(0))


def _seconds(moment: datetime) -> Decimal:
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(gap.days * 86_400 + gap.seconds) + Decimal(gap.microseconds) / 1_000_000
