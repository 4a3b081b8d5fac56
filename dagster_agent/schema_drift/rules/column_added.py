"""A new column.

Why it matters: seldom; nothing reads it yet. It is told once, so that people learn of it.
Not this rule: a rename, which `column-renamed` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-added", severity=Severity.INFO)
def column_added(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per new column."""
    for column in diff.added:
        yield Drift(
            statement=f"column {column.name} ({column.type}) is new",
            column=column.name,
            after=column.type,
        )
