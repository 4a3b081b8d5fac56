"""A field inside a struct, a list of structs or a map has another type.

Why it matters: as for a column: a narrower type cuts values, another kind breaks code.
Severity: an error where it does not fit any more and somebody reads the column, else a warning;
a wider type that nobody reads is told only.
Not this rule: a column of another type as a whole, which `column-retyped` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import EFFECT, Drift, drift_rule, severity_of


@drift_rule(id="nested-field-retyped", severity=Severity.WARN)
def nested_field_retyped(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per field."""
    for change in diff.nested:
        if change.kind == "retyped":
            readers = diff.readers_of(change.column)
            yield Drift(
                statement=(
                    f"field {change.path} went from {change.before} to {change.after} "
                    f"({EFFECT[change.change]})"
                ),
                column=change.column,
                before=change.before,
                after=change.after,
                readers=readers,
                severity=severity_of(change.change, read=bool(readers)),
            )
