"""Aggregates per column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from dagster_agent.model import (
    Cell,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
)
from dagster_agent.reconciliation.canonical import common_kind, kind_of
from dagster_agent.reconciliation.comparison import EXACT, Comparison, Side, TablePair
from dagster_agent.reconciliation.config import Tolerance
from dagster_agent.reconciliation.method import reconciliation_method

_ROUNDING = 1e-9
"""Relative difference that adding floating-point numbers in another order may make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One aggregate of one column on both sides."""

    column: str
    aggregate: str
    ours: Decimal | None
    theirs: Decimal | None
    agrees: bool


@reconciliation_method(id="column-aggregates")
def column_aggregates(comparison: Comparison) -> Detection | None:
    """Whether missing values, sums, minima and maxima of the mapped columns agree.

    One statement per side, each scanning its table once. Text is only counted for missing values:
    which text is the smallest depends on the store's collation.
    Not this method: values that are exchanged between rows, which leave every aggregate as it is
    (`key-difference` with `columns`).
    """
    pair = comparison.tables
    names = (*pair.measures, *pair.columns) if pair is not None and not pair.inferred else ()
    names = tuple(dict.fromkeys(names))
    if pair is None or not names:
        return None
    (ours, our_query), (theirs, their_query) = (
        _aggregate(pair, side, names) for side in (pair.ours, pair.theirs)
    )
    lines = list(_lines(pair, ours, theirs))
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
        _headline(comparison, wrong, lines, names, other),
        severity=Severity.ERROR if wrong else Severity.INFO,
        metrics=_metrics(pair, lines),
        sample=table,
        evidence=(
            Evidence(kind="reconciliation", statement=f"aggregates of {name}", query=our_query),
            Evidence(kind="reconciliation", statement=f"aggregates of {other}", query=their_query),
        ),
    )


def _headline(
    comparison: Comparison,
    wrong: list[_Line],
    lines: list[_Line],
    names: tuple[str, ...],
    other: str,
) -> str:
    if not wrong:
        return f"{len(lines)} aggregates of {len(names)} columns agree with {other}"
    first = wrong[0]
    one, another = (_number(value) for value in _shown(comparison, first))
    told = f"{first.aggregate}({first.column}) is {one} in {comparison.asset.name}"
    more = f"; {len(wrong) - 1} more aggregates differ" if len(wrong) > 1 else ""
    return f"{told} and {another} in {other}{more}"


def _aggregate(
    pair: TablePair, side: Side, names: tuple[str, ...]
) -> tuple[dict[tuple[str, str], Cell], str]:
    """Values by column and aggregate, and the statement."""
    asked = [(name, aggregate) for name in names for aggregate in _aggregates(pair, name)]
    selected = ", ".join(
        f"{_FORMS[aggregate].format(x=side.sql(name))} as a{i}"
        for i, (name, aggregate) in enumerate(asked)
    )
    query = f"select {selected} from {side.rows_sql}"
    (row,) = side.warehouse.query(query, purpose="column aggregates").rows
    return dict(zip(asked, row, strict=True)), query


_FORMS = {
    "missing": "count(*) - count({x})",
    "sum": "sum({x})",
    "min": "min({x})",
    "max": "max({x})",
    "true": "sum(case when {x} then 1 else 0 end)",
}


def _aggregates(pair: TablePair, name: str) -> tuple[str, ...]:
    types = [column.type for side in (pair.ours, pair.theirs) if (column := side.column(name))]
    kinds = [kind_of(type_name) for type_name in types]
    kind = common_kind(kinds[0], kinds[-1]) if kinds else None
    texts = [k.name == "text" for k in kinds]
    if kind is None or kind.numeric:
        # text on one side cannot be summed there without saying how to read it
        return ("missing",) if any(texts) else ("missing", "sum", "min", "max")
    if kind.name in ("date", "timestamp"):
        return ("missing",) if any(texts) else ("missing", "min", "max")
    return ("missing", "true") if kind.name == "boolean" and not any(texts) else ("missing",)


def _lines(
    pair: TablePair, ours: dict[tuple[str, str], Cell], theirs: dict[tuple[str, str], Cell]
) -> Iterator[_Line]:
    for (column, aggregate), value in ours.items():
        tolerance = pair.measures.get(column, EXACT) if aggregate != "missing" else EXACT
        other_value = theirs[column, aggregate]
        one, other = _decimal(value), _decimal(other_value)
        rounded = isinstance(value, float) or isinstance(other_value, float)
        yield _Line(
            column=column,
            aggregate=aggregate,
            ours=one,
            theirs=other,
            agrees=_agree(one, other, tolerance, rounded),
        )


def _agree(one: Decimal | None, other: Decimal | None, tolerance: Tolerance, rounded: bool) -> bool:
    if one is None or other is None or not (one.is_finite() and other.is_finite()):
        return str(one) == str(other)
    relative = max(tolerance.relative, _ROUNDING if rounded else 0)
    return abs(one - other) <= max(Decimal(tolerance.absolute), Decimal(relative) * abs(other))


def _decimal(value: Cell) -> Decimal | None:
    """A number; of a moment, its seconds since 1970, read as UTC where no zone is given."""
    if isinstance(value, datetime):
        return Decimal((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return Decimal(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    return None if value is None else Decimal(str(value))


def _shown(comparison: Comparison, line: _Line) -> tuple[Cell, Cell]:
    """Both values; a minimum or maximum is a value of some row, so it is masked like one."""
    if line.aggregate not in ("min", "max"):
        return line.ours, line.theirs
    values = ResultTable(columns=(line.column,), rows=((line.ours,), (line.theirs,)))
    (one,), (other,) = comparison.mask(values).rows
    return one, other


def _number(value: Cell) -> str:
    if not isinstance(value, Decimal):
        return "NULL" if value is None else str(value)
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def _metrics(pair: TablePair, lines: list[_Line]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in lines:
        if line.aggregate == "sum" and line.ours is not None and line.theirs is not None:
            found[f"sum_difference.{line.column}{pair.suffix}"] = float(line.ours - line.theirs)
        if line.aggregate == "missing":
            gap = float((line.ours or 0) - (line.theirs or 0))
            found[f"missing_difference.{line.column}{pair.suffix}"] = gap
    found[f"aggregates_differing{pair.suffix}"] = sum(not line.agrees for line in lines)
    return found
