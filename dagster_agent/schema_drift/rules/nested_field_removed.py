"""A field is gone from inside a struct, a list of structs or a map.

Why it matters: code that takes the field fails, or gets NULL where the warehouse is lenient.
Severity: an error where somebody reads the column that holds it, else a warning.
Not this rule: a column that is gone, which `column-removed` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="nested-field-removed", severity=Severity.WARN)
def nested_field_removed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per field."""
    for change in diff.nested:
        if change.kind == "removed":
            readers = diff.readers_of(change.column)
            yield Drift(
                statement=f"field {change.path} ({change.before}) is gone",
                column=change.column,
                before=change.before,
                readers=readers,
                severity=Severity.ERROR if readers else Severity.WARN,
            )
