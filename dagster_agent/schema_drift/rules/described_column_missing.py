"""The yml describes a column that the table does not have.

Why it matters: the description is out of date, or the column was never built.
Not this rule: a column that was accepted and is gone, which `column-removed` reports, and
an enforced contract, which `contract-violated` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="described-column-missing", severity=Severity.INFO)
def described_column_missing(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column."""
    for name in diff.described_only:
        if diff.baseline.column(name) is None:
            yield Drift(
                statement=f"column {name} is described in the yml and not in the table",
                column=name,
                before="described",
            )
