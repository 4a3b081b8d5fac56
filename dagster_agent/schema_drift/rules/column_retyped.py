"""A column has another type.

Why it matters: a narrower type cuts or refuses values, another kind of type breaks comparisons,
sums and joins, or silently changes what they mean. A wider one is seldom noticed, except by
consumers with a fixed schema.
Severity: another kind is an error; a narrower type is an error where somebody reads the column,
else a warning; a wider type is a warning.
Not this rule: two names of one type, such as VARCHAR and TEXT.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule
from dagster_agent.schema_drift.types import TypeChange

_EFFECT = {
    TypeChange.WIDENED: "wider: old values still fit",
    TypeChange.NARROWED: "narrower: old values may be cut or refused",
    TypeChange.CHANGED: "another kind of values",
}


@drift_rule(id="column-retyped", severity=Severity.WARN)
def column_retyped(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column with another type."""
    for retype in diff.retyped:
        readers = diff.readers_of(retype.name)
        broken = retype.change is TypeChange.CHANGED
        hurt = retype.change is TypeChange.NARROWED and bool(readers)
        yield Drift(
            statement=(
                f"column {retype.name} went from {retype.before} to {retype.after} "
                f"({_EFFECT[retype.change]})"
            ),
            column=retype.name,
            before=retype.before,
            after=retype.after,
            readers=readers,
            severity=Severity.ERROR if broken or hurt else Severity.WARN,
        )
