"""Where the rows of a model come from and where they go."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)
from dagster_agent.sql.row_accounting import account_rows


class RowAccounting(ToolArguments):
    """Of which model."""

    name: str = Field(description="dbt name or unique id of a model.")


@tool(id="row-accounting", arguments=RowAccounting, evidence="row-accounting")
def row_accounting(arguments: RowAccounting, bench: Bench) -> ToolOutput:
    """Count the rows of a model's SQL after every FROM, join, filter and grouping: how many each
    step loses and adds. Use it when rows vanish or multiply inside a model.
    """
    asset = bench.asset(arguments.name)
    sql = bench.manifest.compiled_code(asset.unique_id)
    if not sql:
        raise ToolError(f"{asset.name} has no compiled SQL", hint="it is no SQL model")
    scopes = account_rows(sql, bench.warehouse)
    steps = [
        {
            "select": scope.scope or "(outermost)",
            "step": step.label,
            "rows_after": step.rows,
            "lost": step.lost,
            "added": step.added,
        }
        for scope in scopes
        for step in scope.steps
    ]
    counts = [step for scope in scopes for step in scope.steps]
    lost, added = sum(s.lost for s in counts), sum(s.added for s in counts)
    return ToolOutput(
        data={"model": asset.unique_id, "steps": steps},
        summary=f"{len(steps)} steps of {asset.name}: {lost:,} rows lost, {added:,} added",
    )
