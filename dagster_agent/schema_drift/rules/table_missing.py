"""A table that was there is gone.

Why it matters: everything that reads it fails at its next run.
Not this rule: a table that was never seen, and a warehouse that did not answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="table-missing", severity=Severity.ERROR)
def table_missing(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift when the table is gone."""
    if diff.missing:
        yield Drift(
            statement=f"{diff.baseline.kind} {diff.baseline.relation} is gone",
            before=diff.baseline.kind,
            readers=diff.readers_of(""),
        )
