"""The columns of a table as the warehouse has them."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)


class TableColumns(ToolArguments):
    """Of which table."""

    name: str = Field(description="dbt name or unique id.")


@tool(id="table-schema", arguments=TableColumns, evidence="schema")
def table_schema(arguments: TableColumns, bench: Bench) -> ToolOutput:
    """List the columns and types of an asset's table as they are in the warehouse now, beside those
    that the team accepted before and those that the yml declares. Use it when a column may be
    renamed, dropped or retyped.
    """
    asset = bench.asset(arguments.name)
    relation = bench.relation(asset)
    schema = bench.warehouse.schemas([relation]).get(relation)
    if schema is None:
        raise ToolError(f"{relation} does not exist", hint="it was never built, or was dropped")
    accepted = bench.dossier.accepted.get(asset.unique_id)
    data = {
        "table": str(relation),
        "kind": schema.kind,
        "columns": [{"name": c.name, "type": c.type} for c in schema.columns],
        "accepted_before": [c.name for c in accepted.columns] if accepted else None,
        "declared_in_yml": list(asset.declared_columns),
    }
    return ToolOutput(data=data, summary=f"{len(schema.columns)} columns of {relation}")
