"""A column has another type.

Why it matters: a narrower type cuts or refuses values, another kind of type breaks comparisons,
sums and joins, or silently changes what they mean. A wider one is seldom noticed, except by
consumers with a fixed schema.
Severity: an error where the type is narrower or of another kind and somebody reads the column,
else a warning; a wider type that nobody reads is told only.
Not this rule: two names of one type, such as VARCHAR and TEXT, and fields inside a nested type.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import EFFECT, Drift, drift_rule, severity_of


@drift_rule(id="column-retyped", severity=Severity.WARN)
def column_retyped(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column with another type."""
    for retype in diff.retyped:
        readers = diff.readers_of(retype.name)
        yield Drift(
            statement=(
                f"column {retype.name} went from {retype.before} to {retype.after} "
                f"({EFFECT[retype.change]})"
            ),
            column=retype.name,
            before=retype.before,
            after=retype.after,
            readers=readers,
            severity=severity_of(retype.change, read=bool(readers)),
        )
