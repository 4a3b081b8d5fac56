"""A table is new beside a source, and nobody declares it.

Why it matters: seldom; somebody may wait for it to be declared. It is told once.
Not this rule: tables that were there at the first look, and tables that models build.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="table-added", severity=Severity.INFO)
def table_added(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per table."""
    for table in diff.new_tables:
        yield Drift(statement=f"table {table} is new beside it, and no source", after=table)
