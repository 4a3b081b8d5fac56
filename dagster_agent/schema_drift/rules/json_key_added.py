"""A key is new in the documents of a JSON column.

Why it matters: seldom; nothing reads it yet. It is told once, so that people learn of it.
Not this rule: a key of a map, whose keys are data, or a key that was merely not met before.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="json-key-added", severity=Severity.INFO)
def json_key_added(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per key, of nested ones the outermost."""
    for change in diff.keys:
        if change.kind == "added":
            yield Drift(
                statement=f"key {change.name} ({change.after}) is new: {change.evidence}",
                column=change.name,
                after=change.after,
            )
