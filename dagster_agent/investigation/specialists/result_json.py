"""Result tables as JSON that a model reads."""

from __future__ import annotations

from typing import Any

from dagster_agent.model import ResultTable


def table_data(table: ResultTable) -> dict[str, Any]:
    """Columns once, then the rows; says when there were more."""
    data: dict[str, Any] = {
        "columns": list(table.columns),
        "rows": [list(row) for row in table.rows],
    }
    if table.truncated:
        data["more"] = f"only the first {len(table.rows)} rows are shown: aggregate"
    return data
