"""Where two tables differ: on which days, in which segments, and how much money that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dagster_agent.model import Cell, ResultTable
from dagster_agent.reconciliation.aggregates import (
    Name,
    PairAggregates,
    Totals,
    added_up,
    as_decimal,
    compared,
)
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.group_names import Mask, by_name, shown_names

MAX_SEGMENTS = 1_000
"""Values of a segment column that are told apart."""
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A day or a segment in which both sides differ."""

    name: str
    """`2026-11-17`, or `country=DE`."""
    ours: int
    """Our rows."""
    theirs: int
    """Their rows."""
    value: Decimal
    """Our value less theirs, of the measure at stake; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """All that is known of where they differ; net of what cancels inside a day or segment."""

    days: tuple[Part, ...] = ()
    """Differing days, oldest first."""
    day_count: int = 0
    """Days that were compared."""
    segments: tuple[Part, ...] = ()
    """Differing segments, the worst first."""
    at_stake: Decimal | None = None
    """Sum of the sizes of the differences in value, by day where there are days; None without a
    measure that tells."""

    @property
    def days_table(self) -> ResultTable:
        """Differing days."""
        return _table("day", self.days)

    @property
    def segments_table(self) -> ResultTable:
        """Differing segments."""
        return _table("segment", self.segments)


def broken_down(pair: TablePair, found: PairAggregates, mask: Mask) -> Breakdown:
    """By day from what was read already; by segment with one more statement per side.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    days = _days(pair, found)
    segments = [part for name in pair.segments for part in _segments(pair, name, mask)]
    return Breakdown(
        days=days,
        day_count=len({*(found.ours.by_day or {}), *(found.theirs.by_day or {})}),
        segments=tuple(sorted(segments, key=_worst_first)),
        at_stake=_at_stake(pair, found, days),
    )


def differing_days(pair: TablePair, found: PairAggregates) -> tuple[str, ...]:
    """ISO days on which a count or an aggregate differs; `` for rows without a day."""
    return tuple(part.name for part in _days(pair, found))


def _days(pair: TablePair, found: PairAggregates) -> tuple[Part, ...]:
    ours, theirs = found.ours.by_day, found.theirs.by_day
    if ours is None or theirs is None:
        return ()
    names = list(found.ours.totals.values)
    empty = added_up((), names)
    parts: list[Part] = []
    for day in sorted({*ours, *theirs}):
        one, two = ours.get(day, empty), theirs.get(day, empty)
        if _differ(pair, one, two):
            parts.append(Part(name=day, ours=one.rows, theirs=two.rows, value=_gap(pair, one, two)))
    return tuple(parts)


def _differ(pair: TablePair, one: Totals, two: Totals) -> bool:
    tolerances = {**pair.columns, **pair.measures}
    return one.rows != two.rows or any(not line.agrees for line in compared(one, two, tolerances))


def _gap(pair: TablePair, one: Totals, two: Totals) -> Decimal:
    if pair.value is None:
        return Decimal(0)
    sides = [as_decimal(side.values.get((pair.value, "sum"))) for side in (one, two)]
    ours, theirs = (x if x is not None and x.is_finite() else Decimal(0) for x in sides)
    return ours - theirs


def _at_stake(pair: TablePair, found: PairAggregates, days: Sequence[Part]) -> Decimal | None:
    if pair.value is None:
        return None
    if days:
        return sum((abs(part.value) for part in days), Decimal(0))
    return abs(_gap(pair, found.ours.totals, found.theirs.totals))


def _segments(pair: TablePair, column: str, mask: Mask) -> list[Part]:
    ours = _by_segment(pair, pair.ours, column)
    theirs = _by_segment(pair, pair.theirs, column)
    if ours is None or theirs is None:
        return []
    names = sorted({*ours, *theirs})
    shown = shown_names(mask, column, names)
    parts: list[Part] = []
    empty = Totals(rows=0, values={})
    for name in names:
        one, two = ours.get(name, empty), theirs.get(name, empty)
        gap = _gap(pair, one, two)
        if one.rows != two.rows or _beyond(pair, gap, two):
            label = f"{column}={shown[name]}"
            parts.append(Part(name=label, ours=one.rows, theirs=two.rows, value=gap))
    return parts


def _beyond(pair: TablePair, gap: Decimal, theirs: Totals) -> bool:
    """Whether a difference in value is more than its tolerance, or than rounding."""
    if pair.value is None or not gap:
        return False
    tolerance = pair.measures[pair.value]
    size = abs(as_decimal(theirs.values.get((pair.value, "sum"))) or Decimal(0))
    allowed = max(
        Decimal(str(tolerance.absolute)), Decimal(str(tolerance.relative)) * size, size / 10**9
    )
    return abs(gap) > allowed


def _by_segment(pair: TablePair, side: Side, column: str) -> Mapping[str, Totals] | None:
    """Rows and value by segment; None where there are too many values for a segment."""
    value = f", sum({side.sql(pair.value)}) as value" if pair.value else ""
    query = (
        f"select {side.sql(column)} as segment, count(*) as n{value} "
        f"from {side.rows_sql} group by 1"
    )
    found = side.warehouse.query(query, purpose="by segment", max_rows=MAX_SEGMENTS)
    if found.truncated:
        return None
    name: Name = (pair.value or "", "sum")
    return by_name((row[0], _totals(row, name)) for row in found.rows)


def _totals(row: Sequence[Cell], name: Name) -> Totals:
    return Totals(rows=int(str(row[1])), values={name: row[2]} if name[0] else {})


def _worst_first(part: Part) -> tuple[int, Decimal, str]:
    return -abs(part.ours - part.theirs), -abs(part.value), part.name


def _table(name: str, parts: Sequence[Part]) -> ResultTable:
    return ResultTable(
        columns=(name, "rows_ours", "rows_theirs", "difference", "value_difference"),
        rows=tuple((p.name, p.ours, p.theirs, p.ours - p.theirs, p.value) for p in parts[:_SHOWN]),
        truncated=len(parts) > _SHOWN,
    )
