"""How the numbers of a column are spread, in bins that stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dagster_agent.anomaly.profiling.aggregates import (
    EDGES,
    QUANTILES,
    Output,
    bins,
    finite,
    number,
    spread_out,
)
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import MeasuredColumn
from dagster_agent.anomaly.profiling.statement import Extent
from dagster_agent.model import Cell, Distribution
from dagster_agent.ports import Warehouse

_LAST = "inf"
_COLUMNS = 80
"""Of one statement: ten counts each."""


def known_edges(previous: Mapping[str, Distribution]) -> dict[str, tuple[float, ...]]:
    """Where the bins of earlier histograms were cut, by column."""
    return {
        column: tuple(float(label) for label in found.labels[:-1])
        for column, found in previous.items()
        if found.kind == "numeric" and found.labels
    }


def edges_of(values: Mapping[str, Cell]) -> tuple[float, ...]:
    """Different quantiles of a first sample, ascending; () without any value."""
    found = {number(values.get(field)) for field in (*QUANTILES, *EDGES)}
    return tuple(sorted(edge for edge in found if edge is not None))


def numeric_distribution(
    column: str, edges: Sequence[float], values: Mapping[str, Cell], now: datetime
) -> Distribution | None:
    """The histogram of counts up to each edge; None without any value."""
    total = number(values.get("bins"))
    upto = [number(values.get(f"bin{i}")) or 0.0 for i in range(len(edges))]
    if not total:
        return None
    counts = [b - a for a, b in zip([0.0, *upto], [*upto, total], strict=True)]
    return Distribution(
        column=column,
        at=now,
        kind="numeric",
        labels=(*(repr(edge) for edge in edges), _LAST),
        counts=tuple(counts),
    )


def first_histograms(
    edges: Mapping[str, Sequence[float]],
    columns: Sequence[MeasuredColumn],
    extent: Extent,
    grammar: Grammar,
    warehouse: Warehouse,
    now: datetime,
) -> list[Distribution]:
    """Histograms of columns whose bins were only just chosen; one more statement."""
    chosen = [column for column in columns if edges.get(column.name)]
    found: list[Distribution] = []
    for start in range(0, len(chosen), _COLUMNS):
        batch = chosen[start : start + _COLUMNS]
        values = _binned(edges, batch, extent, grammar, warehouse)
        for column in batch:
            cut = edges[column.name]
            found += filter(
                None, [numeric_distribution(column.name, cut, values[column.name], now)]
            )
    return found


def _binned(
    edges: Mapping[str, Sequence[float]],
    columns: Sequence[MeasuredColumn],
    extent: Extent,
    grammar: Grammar,
    warehouse: Warehouse,
) -> dict[str, dict[str, Cell]]:
    outputs = [
        Output(column=column.name, field=field, sql=sql)
        for column in columns
        for field, sql in bins(finite(column, grammar), edges[column.name], grammar).items()
    ]
    names = ", ".join(grammar.name(column.name) for column in columns)
    picked = extent.picked(names, grammar)
    asked = ", ".join(f"{output.sql} AS h{index}" for index, output in enumerate(outputs))
    result = warehouse.query(
        f"SELECT {asked} FROM ({picked}) AS picked", purpose="profile histograms", max_rows=1
    )
    values: dict[str, dict[str, Cell]] = {}
    for output, cell in zip(outputs, result.rows[0], strict=True):
        values.setdefault(output.column, {})[output.field] = cell
    return {column: spread_out(counts) for column, counts in values.items()}
