"""A column that could not be NULL may be NULL now.

Why it matters: joins and sums over it lose rows without an error as soon as the first NULL comes.
Severity: a warning where somebody reads the column, else told only.
Not this rule: NULLs that are there already; the null share is the anomaly engine's.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-nullable", severity=Severity.WARN)
def column_nullable(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that lost its NOT NULL."""
    for name in diff.loosened:
        readers = diff.readers_of(name)
        yield Drift(
            statement=f"column {name} may be NULL now",
            column=name,
            before="NOT NULL",
            after="NULL",
            readers=readers,
            severity=Severity.WARN if readers else Severity.INFO,
        )
