"""Which expressions measure a column, and what their results say."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from dagster_agent.anomaly.profiling.grammar import LARGEST, Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn
from dagster_agent.model import Cell, ColumnProfile

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
"""Shares by name of the metric."""
EDGES = {f"edge{share}": share for share in (0.15, 0.4, 0.6, 0.85)}
"""Where the bins of a histogram are cut at first sight, besides the quantiles."""

_LIST = "quantiles"
_COUNTS = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One column of a statement's result."""

    column: str
    """The measured column."""
    field: str
    """What it is."""
    sql: str
    """The expression."""


def whole_outputs(
    column: MeasuredColumn, grammar: Grammar, *, deep: bool, exact: bool = False
) -> list[Output]:
    """What is asked of every row.

    `exact`: values are counted and not estimated. An estimate is off by a few in a hundred, and
    differently for other rows: in a small table that looks like a key that repeats.
    """
    name = grammar.name(column.name)
    found = {"filled": f"count({name})"}
    if deep:
        distinct = grammar.distinct(name)
        if distinct and column.kind is not Kind.OTHER:
            found["distinct"] = f"count(DISTINCT {name})" if exact else distinct
        found |= _of_kind(column, name, grammar)
    return [Output(column=column.name, field=field, sql=sql) for field, sql in found.items()]


def _of_kind(column: MeasuredColumn, name: str, grammar: Grammar) -> dict[str, str]:
    if column.kind is Kind.TRUTH:
        return {"true": f"count(CASE WHEN {name} THEN 1 END)"}
    if column.kind is Kind.TEXT:
        length = f"length({name})"
        # DuckDB computes the length once, PostgreSQL compares faster than it counts characters
        empty = f"{name} = ''" if grammar.dialect == "postgres" else f"{length} = 0"
        return {"length": f"sum({length})", "empty": f"count(CASE WHEN {empty} THEN 1 END)"}
    if column.kind is not Kind.NUMBER:
        return {}
    number = finite(column, grammar)
    found = {
        "sum": f"sum({number})",
        "stddev": f"stddev_samp({number})",
        "zero": f"count(CASE WHEN {name} = 0 THEN 1 END)",
    }
    if column.inexact or column.decimal_nan:
        found["finite"] = f"count({number})"
    if not column.personal:
        value = number if "finite" in found else name
        found |= {
            "min": grammar.double(f"min({value})"),
            "max": grammar.double(f"max({value})"),
        }
    return found


def finite(column: MeasuredColumn, grammar: Grammar) -> str:
    """The number to compute with, NULL where nothing can be computed with it."""
    name = grammar.name(column.name)
    if column.decimal_nan:
        # PostgreSQL turns numeric into floating point by way of text, ten times slower than adding
        return f"CASE WHEN {name} <> 'NaN' THEN {name} END"
    number = grammar.double(name)
    # NaN is greater than every number where it can be compared at all
    return f"CASE WHEN abs({number}) < {LARGEST} THEN {number} END" if column.inexact else number


def sample_outputs(
    column: MeasuredColumn, grammar: Grammar, edges: Sequence[float] | None
) -> list[Output]:
    """What is asked of a sample: quantiles, and the histogram.

    Args:
        column: Which.
        grammar: Of the dialect.
        edges: Where the bins are cut; None where that is still to be found out.
    """
    if column.kind is not Kind.NUMBER or column.personal:
        return []
    number = finite(column, grammar)
    wanted = QUANTILES | (EDGES if edges is None else {})
    listed = grammar.quantile_list(number, list(wanted.values()))
    if listed is not None:
        found = {_LIST: listed}
    else:
        found = {field: grammar.quantile(number, share) for field, share in wanted.items()}
    if edges is not None:
        found |= bins(number, edges, grammar)
    return [Output(column=column.name, field=field, sql=sql) for field, sql in found.items()]


def spread_out(values: Mapping[str, Cell]) -> dict[str, Cell]:
    """Results by field, lists of quantiles and of counts taken apart."""
    found = dict(values)
    counted = found.pop(_COUNTS, None)
    if isinstance(counted, str):
        upto: list[int] = list(accumulate(json.loads(counted)))
        found |= {f"bin{index}": count for index, count in enumerate(upto)}
        found["bins"] = upto[-1]
    listed = found.pop(_LIST, None)
    if isinstance(listed, str):
        numbers: list[float | None] = json.loads(listed.replace("NULL", "null"))
        names = list(QUANTILES | EDGES)[: len(numbers)]
        found |= dict(zip(names, numbers, strict=True))
    return found


def bins(number: str, edges: Sequence[float], grammar: Grammar) -> dict[str, str]:
    """Counts up to each edge, and of all; as a list where the dialect counts them at once."""
    listed = grammar.histogram(number, edges)
    if listed is not None:
        return {_COUNTS: listed}
    found = {
        f"bin{i}": f"count(CASE WHEN {number} <= {edge!r} THEN 1 END)"
        for i, edge in enumerate(edges)
    }
    return found | {"bins": f"count({number})"}


def column_profile(
    column: MeasuredColumn, values: Mapping[str, Cell], rows: int, *, distinct: int | None
) -> ColumnProfile:
    """What a column's results say.

    Args:
        column: Which.
        values: Results by field.
        rows: Rows that were read.
        distinct: Number of distinct values, where it was not asked for by a function.
    """
    filled = whole(values.get("filled")) or 0
    counted = whole(values.get("finite")) if "finite" in values else filled
    total, length = number(values.get("sum")), number(values.get("length"))
    quantiles = {name: number(values.get(name)) for name in QUANTILES}
    if "distinct" in values:
        distinct = whole(values["distinct"])
    return ColumnProfile(
        name=column.name,
        type=column.type,
        null_count=max(0, rows - filled),
        distinct_estimate=distinct,
        minimum=number(values.get("min")),
        maximum=number(values.get("max")),
        sum=total,
        mean=total / counted if total is not None and counted else None,
        stddev=number(values.get("stddev")),
        zero_count=whole(values.get("zero")),
        not_finite_count=filled - (counted or 0) if "finite" in values else 0,
        empty_count=whole(values.get("empty")),
        length=length / filled if length is not None and filled else None,
        true_count=whole(values.get("true")),
        quantiles={name: value for name, value in quantiles.items() if value is not None},
    )


def number(value: Cell) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: Cell) -> int | None:
    """A count, else None."""
    found = number(value)
    return None if found is None else int(found)
