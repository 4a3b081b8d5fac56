"""A text column compares and sorts by other rules.

Why it matters: `=`, `group by`, `distinct` and joins may treat as equal what they told apart, so
counts and sums change without an error.
Severity: a warning where somebody reads the column; a collation where none was known is told only.
Not this rule: another type, which `column-retyped` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-collation-changed", severity=Severity.INFO)
def column_collation_changed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column with another collation."""
    for change in diff.recollated:
        readers = diff.readers_of(change.name)
        before, after = change.before or "the default", change.after or "the default"
        yield Drift(
            statement=f"the collation of {change.name} went from {before} to {after}",
            column=change.name,
            before=change.before,
            after=change.after,
            readers=readers,
            severity=Severity.WARN if readers and change.before else Severity.INFO,
        )
