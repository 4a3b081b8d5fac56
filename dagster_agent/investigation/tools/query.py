"""A question to the data."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.errors import ConnectorError
from dagster_agent.investigation.specialists.free_query import free_query
from dagster_agent.investigation.specialists.result_json import table_data
from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)

MAX_ROWS = 30


class Query(ToolArguments):
    """What to ask."""

    sql: str = Field(description="One SELECT in the warehouse's dialect, without `*`.")
    purpose: str = Field(description="A few words for the warehouse's query log.")


@tool(id="query", arguments=Query, evidence="query")
def query(arguments: Query, bench: Bench) -> ToolOutput:
    """Run one read-only SELECT on tables of the dbt project and see at most 30 rows. Ask for
    aggregates: counts, sums, shares, grouped by day or by a code. Name every column, qualify them
    in joins, give every join its ON. Text values are hidden unless they are short codes such as a
    status, a currency or a country; columns about people can be counted, grouped and joined by, and
    tested for NULL, nothing else. Each number that you state in your answer needs a call like this.
    """
    dialect = bench.codebase.dialect
    checked = free_query(arguments.sql, manifest=bench.manifest, dialect=dialect)
    try:
        found = bench.warehouse.query(
            checked.sql, purpose=f"claude: {arguments.purpose[:60]}", max_rows=MAX_ROWS
        )
    except ConnectorError as error:
        raise ToolError(checked.explained(error)) from error
    table = checked.masked(found)
    count = f"{len(table.rows)}{' or more' if table.truncated else ''} rows"
    return ToolOutput(data=table_data(table), summary=count, query=checked.sql, table=table)
