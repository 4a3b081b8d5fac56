"""Aggregates per column."""

from __future__ import annotations

from decimal import Decimal

from dagster_agent.model import (
    Cell,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
)
from dagster_agent.reconciliation.aggregates import Line, compared
from dagster_agent.reconciliation.comparison import Comparison, TablePair
from dagster_agent.reconciliation.measuring import aggregates_in
from dagster_agent.reconciliation.method import reconciliation_method


@reconciliation_method(id="column-aggregates", rung=2)
def column_aggregates(comparison: Comparison) -> Detection | None:
    """Whether missing values, sums, minima and maxima of the mapped columns agree.

    One statement per side, each scanning its table once. Text is only counted for missing values:
    which text is the smallest depends on the store's collation. Sums of floating-point numbers may
    differ by a billionth of the added magnitudes, for the order in which they were added.
    Not this method: values that are exchanged between rows, which leave every aggregate as it is
    (`key-difference` with `columns`).
    """
    pair = comparison.tables
    if pair is None or pair.inferred or not (pair.measures or pair.columns):
        return None
    found = aggregates_in(comparison)
    tolerances = {**pair.columns, **pair.measures}
    lines = list(compared(found.ours.totals, found.theirs.totals, tolerances))
    if not lines:
        return None  # they could not be read, which was said
    wrong = [line for line in lines if not line.agrees]
    name, other = comparison.asset.name, pair.theirs.label
    table = ResultTable(
        columns=("column", "aggregate", name, other, "agrees"),
        rows=tuple(
            (x.column, x.aggregate, *_shown(comparison, x), x.agrees) for x in wrong or lines
        ),
    )
    return comparison.detection(
        "column-aggregates",
        DetectionStatus.FAILED if wrong else DetectionStatus.PASSED,
        _headline(comparison, wrong, lines, other),
        severity=Severity.ERROR if wrong else Severity.INFO,
        metrics=_metrics(pair, lines),
        sample=table,
        evidence=(
            Evidence(
                kind="reconciliation", statement=f"aggregates of {name}", query=found.ours.query
            ),
            Evidence(
                kind="reconciliation", statement=f"aggregates of {other}", query=found.theirs.query
            ),
        ),
    )


def _headline(comparison: Comparison, wrong: list[Line], lines: list[Line], other: str) -> str:
    if not wrong:
        count = len({line.column for line in lines})
        return f"{len(lines)} aggregates of {count} columns agree with {other}"
    # a sum that is off says more than the missing values that made it so
    first = next((line for line in wrong if line.aggregate == "sum"), wrong[0])
    one, another = (_number(value) for value in _shown(comparison, first))
    told = f"{first.aggregate}({first.column}) is {one} in {comparison.asset.name}"
    more = f"; {len(wrong) - 1} more aggregates differ" if len(wrong) > 1 else ""
    return f"{told} and {another} in {other}{more}"


def _shown(comparison: Comparison, line: Line) -> tuple[Cell, Cell]:
    """Both values; a minimum or maximum is a value of some row, so it is masked like one."""
    if line.aggregate not in ("min", "max"):
        return line.ours, line.theirs
    values = ResultTable(columns=(line.column,), rows=tuple((value,) for value in line.shown))
    (one,), (other,) = comparison.mask(values).rows
    return one, other


def _number(value: Cell) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = Decimal(str(value))
    if not isinstance(value, Decimal):
        return "NULL" if value is None else str(value)
    if not value.is_finite():
        return str(value)
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def _metrics(pair: TablePair, lines: list[Line]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in lines:
        known = line.ours is not None and line.theirs is not None
        if line.aggregate == "sum" and known and line.gap.is_finite():
            found[f"sum_difference.{line.column}{pair.suffix}"] = float(line.gap)
        if line.aggregate == "missing":
            found[f"missing_difference.{line.column}{pair.suffix}"] = float(line.gap)
    found[f"aggregates_differing{pair.suffix}"] = sum(not line.agrees for line in lines)
    return found
