"""A column that could be NULL may not be NULL any more.

Why it matters: reading gets safer; a load that still delivers NULLs fails from now on.
Not this rule: a column that may be NULL now, which `column-nullable` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-tightened", severity=Severity.INFO)
def column_tightened(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that got a NOT NULL."""
    for name in diff.tightened:
        yield Drift(
            statement=f"column {name} may not be NULL any more",
            column=name,
            before="NULL",
            after="NOT NULL",
        )
