"""A key in the documents of a JSON column holds another JSON type.

Why it matters: as for a column: a cast of it fails, or means something else.
Severity: an error where a model takes the key out, else a warning; whole numbers that have decimals
now are a warning where it is read, and told only where it is not.
Not this rule: a column of another type as a whole, which `column-retyped` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import EFFECT, Drift, drift_rule, severity_of


@drift_rule(id="json-key-retyped", severity=Severity.WARN)
def json_key_retyped(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per key, of nested ones the outermost."""
    for change in diff.keys:
        if change.kind == "retyped":
            readers = diff.readers_of(change.name)
            what = f"key {change.name}" if change.path else f"the document in {change.name}"
            yield Drift(
                statement=(
                    f"{what} went from {change.before} to {change.after} "
                    f"({EFFECT[change.change]}): {change.evidence}"
                ),
                column=change.name,
                before=change.before,
                after=change.after,
                readers=readers,
                severity=severity_of(change.change, read=bool(readers)),
            )
