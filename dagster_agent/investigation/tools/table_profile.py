"""A table in numbers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dagster_agent.anomaly.profiling.measure import profile_table
from dagster_agent.investigation.specialists.free_query import marked_personal
from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)
from dagster_agent.model import ColumnProfile


class TableNumbers(ToolArguments):
    """Of which table."""

    name: str = Field(description="dbt name or unique id.")


@tool(id="table-profile", arguments=TableNumbers, evidence="profile")
def table_profile(arguments: TableNumbers, bench: Bench) -> ToolOutput:
    """Count an asset's rows and, column by column, NULLs and distinct values; of numbers also
    smallest, largest, mean and sum. One statement, no row leaves. Use it before you query.
    """
    asset = bench.asset(arguments.name)
    relation = bench.relation(asset)
    schema = bench.warehouse.schemas([relation]).get(relation)
    if schema is None:
        raise ToolError(f"{relation} does not exist", hint="it was never built, or was dropped")
    profile = profile_table(relation, schema, bench.warehouse, bench.now)
    hidden = marked_personal(asset)
    data = {
        "table": str(relation),
        "rows": profile.row_count,
        "columns": [_told(c, hide=c.name.casefold() in hidden) for c in profile.columns],
    }
    return ToolOutput(data=data, summary=f"{profile.row_count:,} rows in {relation}")


def _told(column: ColumnProfile, *, hide: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "nulls": column.null_count,
        "distinct_about": column.distinct_estimate,
    }
    if not hide:
        numbers = {
            "min": column.minimum,
            "max": column.maximum,
            "mean": column.mean,
            "sum": column.sum,
        }
        told |= {name: value for name, value in numbers.items() if value is not None}
    return told
