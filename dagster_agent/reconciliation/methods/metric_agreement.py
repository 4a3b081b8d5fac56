"""One number per group on either side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import (
    Cell,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
)
from dagster_agent.reconciliation.aggregates import ROUNDING, as_decimal, within
from dagster_agent.reconciliation.comparison import (
    Comparison,
    MetricPair,
    Side,
    TablePair,
)
from dagster_agent.reconciliation.group_names import by_name, shown_names
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.wording import money

MAX_GROUPS = 20_000
"""Groups that are compared; a metric with more of them is no metric but rows."""
_SHOWN = 20
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """A group whose numbers differ."""

    group: str
    ours: Cell
    theirs: Cell
    size: Decimal
    """Ours less theirs; NULL counts as 0."""


@reconciliation_method(id="metric-agreement", rung=2)
def metric_agreement(comparison: Comparison) -> Detection | None:
    """Whether a metric such as revenue by day is the same in two tables of any shape.

    One aggregate query per side; groups are matched by their value, a day as a day whatever type
    it is kept in. A group that only one side has differs unless its number is within the tolerance
    of 0.
    Not this method: which rows make the difference (`key-difference`).
    """
    pair = comparison.tables
    if pair is None or pair.metric is None:
        return None
    metric = pair.metric
    ours, our_query = _read(pair.ours, metric.ours, metric.by_ours)
    theirs, their_query = _read(pair.theirs, metric.theirs, metric.by_theirs)
    groups = sorted({*ours, *theirs})
    gaps = [
        gap for group in groups if (gap := _gap(group, ours.get(group), theirs.get(group), metric))
    ]
    shown = shown_names(comparison.mask, metric.by_ours or "all", [gap.group for gap in gaps])
    gaps = [replace(gap, group=shown[gap.group]) for gap in gaps]
    failed = bool(gaps) or bool(ours) != bool(theirs)
    sample = ResultTable(
        columns=("group", pair.ours.label, pair.theirs.label, "difference"),
        rows=tuple((g.group, g.ours, g.theirs, g.size) for g in gaps[:_SHOWN]),
        truncated=len(gaps) > _SHOWN,
    )
    unknown = sum(_no_number(ours.get(g), theirs.get(g), metric) for g in groups)
    status = DetectionStatus.FAILED if failed else DetectionStatus.PASSED
    if not groups:
        status = DetectionStatus.UNTRAINED
    elif unknown and not failed:
        status = DetectionStatus.COULD_NOT_RUN
    queries = ((pair.ours.label, our_query), (pair.theirs.label, their_query))
    return comparison.detection(
        "metric-agreement",
        status,
        _headline(comparison, pair, metric, gaps, len(groups), unknown),
        severity=Severity.ERROR if failed else Severity.INFO,
        metrics={
            f"metric_groups{pair.suffix}": len(groups),
            f"metric_groups_differing{pair.suffix}": len(gaps),
            f"metric_difference{pair.suffix}": float(sum((g.size for g in gaps), Decimal(0))),
        },
        sample=sample if gaps else None,
        evidence=tuple(
            Evidence(kind="reconciliation", statement=f"{metric.ours} of {label}", query=query)
            for label, query in queries
        ),
    )


def _read(side: Side, aggregate: str, by: str | None) -> tuple[Mapping[str, Cell], str]:
    """Without rows there is no group, also where the types of no values can be told."""
    try:
        return _groups(side, aggregate, by)
    except ConnectorError:
        query = f"select count(*) as n from {side.rows_sql}"
        if side.warehouse.query(query, purpose="rows of a metric").rows != ((0,),):
            raise
        return {}, query


def _groups(side: Side, aggregate: str, by: str | None) -> tuple[Mapping[str, Cell], str]:
    if by is None:
        query = f"select {aggregate} as value, count(*) as n from {side.rows_sql}"
        (row,) = side.warehouse.query(query, purpose="metric").rows
        return ({"all": row[0]} if row[1] else {}), query
    query = f"select {by} as grouped, {aggregate} as value from {side.rows_sql} group by 1"
    found = side.warehouse.query(query, purpose="metric by group", max_rows=MAX_GROUPS)
    if found.truncated:
        raise ConfigError(
            f"{by} of {side.label} has more than {MAX_GROUPS:,} values",
            hint="group by something coarser, such as a day, or compare rows with `key`",
        )
    return by_name((row[0], row[1]) for row in found.rows), query


def _gap(group: str, ours: Cell, theirs: Cell, metric: MetricPair) -> _Gap | None:
    one, two = (_number(value, metric) for value in (ours, theirs))
    zero = Decimal(0)
    floating = isinstance(ours, float) or isinstance(theirs, float)
    sizes = [abs(x) for x in (one, two) if x is not None and x.is_finite()]
    rounding = ROUNDING * max(sizes, default=zero) if floating else zero
    if within(
        zero if one is None else one, zero if two is None else two, metric.tolerance, rounding
    ):
        return None
    finite = all(x is None or x.is_finite() for x in (one, two))
    size = (one or zero) - (two or zero) if finite else zero
    return _Gap(group=group, ours=ours, theirs=theirs, size=size)


def _number(value: Cell, metric: MetricPair) -> Decimal | None:
    try:
        return as_decimal(value)
    except ArithmeticError as error:
        raise ConfigError(
            f"the metric {metric.ours} against {metric.theirs} yields {type(value).__name__}, "
            "no number",
            hint="write an aggregate of numbers, such as `sum(amount)`",
        ) from error


def _no_number(ours: Cell, theirs: Cell, metric: MetricPair) -> bool:
    """Whether both are NaN or infinite: then nothing is known of the values that were added."""
    numbers = [_number(value, metric) for value in (ours, theirs)]
    return all(number is not None and not number.is_finite() for number in numbers)


def _headline(
    comparison: Comparison,
    pair: TablePair,
    metric: MetricPair,
    gaps: list[_Gap],
    groups: int,
    unknown: int,
) -> str:
    name, other = comparison.asset.name, pair.theirs.label
    by = f" by {metric.by_ours}" if metric.by_ours else ""
    if not groups:
        return f"neither {name} nor {other} has rows to compute {metric.ours} from"
    if not gaps and unknown:
        told = f"{metric.ours}{by} of {name} and {other} is NaN or infinite on both sides"
        return f"{told}, in {unknown:,} of {groups:,} values: what it adds up is not compared"
    if not gaps:
        count = f" ({groups:,} values)" if metric.by_ours else ""
        return f"{metric.ours}{by} of {name} agrees with {other}{count}"
    total = sum((g.size for g in gaps), Decimal(0))
    sign = "less" if total < 0 else "more"
    told = f"{metric.ours}{by} of {name} differs from {other}"
    if metric.by_ours:
        worst = max(gaps, key=lambda g: (abs(g.size), g.group))
        told += f" in {len(gaps):,} of {groups:,} values"
        told += f", from {gaps[0].group} on" if _DAY.fullmatch(gaps[0].group) else ""
        if "‹" not in worst.group:  # masked: says nothing
            told += f"; most at {worst.group} ({money(worst.size, metric.unit)})"
    # what lies within the tolerance is not in the sum
    where = "in all" if len(gaps) == groups else "in these"
    return f"{told}: {money(abs(total), metric.unit)} {sign} {where}"
