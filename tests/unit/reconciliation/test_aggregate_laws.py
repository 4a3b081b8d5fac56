"""What holds for all aggregates and tolerances."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.model import Cell
from dagster_agent.reconciliation.aggregates import Totals, added_up, compared, within
from dagster_agent.reconciliation.config import Tolerance

NAMES = (("amount", "missing"), ("amount", "sum"), ("amount", "min"), ("amount", "max"))
VALUES = st.lists(st.none() | st.decimals(-(10**30), 10**30, places=4, allow_nan=False), max_size=8)
SPECIAL = st.none() | st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-0")])
NUMBERS = SPECIAL | st.decimals(-(10**20), 10**20, places=3, allow_nan=False)


def totals(values: list[Decimal | None]) -> Totals:
    known = [v for v in values if v is not None]
    with localcontext(prec=80):
        total = sum(known, Decimal(0)) if known else None
    cells: list[Cell] = [
        len(values) - len(known),
        total,
        min(known, default=None),
        max(known, default=None),
    ]
    return Totals(rows=len(values), values=dict(zip(NAMES, cells, strict=True)))


@given(st.lists(VALUES, max_size=5))
def test_days_add_up_to_the_whole(days: list[list[Decimal | None]]) -> None:
    whole = totals([value for day in days for value in day])
    together = added_up([totals(day) for day in days], NAMES)
    assert together.rows == whole.rows
    assert all(line.agrees for line in compared(together, whole, {}))


@given(NUMBERS, st.floats(0, 100), st.floats(0, 1))
def test_a_number_agrees_with_itself(
    number: Decimal | None, absolute: float, relative: float
) -> None:
    assert within(number, number, Tolerance(absolute=absolute, relative=relative))


@given(NUMBERS, NUMBERS, st.floats(0, 100))
def test_a_wider_tolerance_forbids_nothing_more(
    one: Decimal | None, two: Decimal | None, absolute: float
) -> None:
    if within(one, two, Tolerance(absolute=absolute)):
        assert within(one, two, Tolerance(absolute=absolute * 2))
    assert within(one, two, Tolerance(absolute=absolute)) == within(
        two, one, Tolerance(absolute=absolute)
    )


def test_nothing_agrees_with_null_but_null() -> None:
    assert within(None, None, Tolerance())
    assert not within(None, Decimal(0), Tolerance(absolute=9))
    assert not within(Decimal("NaN"), Decimal(0), Tolerance(relative=9))
