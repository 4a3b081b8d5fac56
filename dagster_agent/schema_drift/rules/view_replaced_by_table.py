"""A view became a table.

Why it matters: reads get cheaper, but show what was true when the table was built.
Not this rule: a table that became a view, which `table-replaced-by-view` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="view-replaced-by-table", severity=Severity.INFO)
def view_replaced_by_table(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift when it happened."""
    if diff.replaced_by_table:
        yield Drift(
            statement=f"view {diff.baseline.relation} is a table now", before="view", after="table"
        )
