"""A column has another default.

Why it matters: rows that do not give the column get another value from now on, without an error.
Severity: a warning where somebody reads the column; a default where there was none is told only.
Not this rule: rows that are there already, which keep their values.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-default-changed", severity=Severity.INFO)
def column_default_changed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column with another default."""
    for change in diff.redefaulted:
        readers = diff.readers_of(change.name)
        told = change.before or "none"
        yield Drift(
            statement=f"the default of {change.name} went from {told} to {change.after or 'none'}",
            column=change.name,
            before=change.before,
            after=change.after,
            readers=readers,
            severity=Severity.WARN if readers and change.before else Severity.INFO,
        )
