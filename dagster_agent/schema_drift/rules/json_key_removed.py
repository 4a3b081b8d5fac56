"""A key is gone from the documents of a JSON column, or holds nothing but null.

Why it matters: what takes the key out of the document gets NULL, without any error.
Severity: an error where a model takes it out, else a warning.
Not this rule: a key that few documents ever had, or that is away for no longer than it has been
before; a column that is gone, which `column-removed` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="json-key-removed", severity=Severity.WARN)
def json_key_removed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per key, of nested ones the outermost."""
    for change in diff.keys:
        if change.kind == "removed":
            readers = diff.readers_of(change.name)
            what = "holds nothing but null" if change.after else "is gone"
            yield Drift(
                statement=f"key {change.name} ({change.before}) {what}: {change.evidence}",
                column=change.name,
                before=change.before,
                after=change.after,
                readers=readers,
                severity=Severity.ERROR if readers else Severity.WARN,
            )
