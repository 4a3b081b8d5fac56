"""A field is new inside a struct, a list of structs or a map.

Why it matters: seldom; nothing reads it yet. It is told once, so that people learn of it.
Not this rule: a new column, which `column-added` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="nested-field-added", severity=Severity.INFO)
def nested_field_added(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per field."""
    for change in diff.nested:
        if change.kind == "added":
            yield Drift(
                statement=f"field {change.path} ({change.after}) is new",
                column=change.column,
                after=change.after,
            )
