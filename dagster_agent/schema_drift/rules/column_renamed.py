"""A column is gone and a new one of the same type looks like it.

Why it matters: every model that uses the old name fails at its next run; the fix is to use the new
one, which a plain "removed, added" would not tell.
Severity: an error where somebody reads the old name, else a warning.
Not this rule: two columns of different types, which are reported as removed and added.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-renamed", severity=Severity.ERROR)
def column_renamed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per pair."""
    for rename in diff.renamed:
        readers = diff.readers_of(rename.before.name)
        yield Drift(
            statement=(
                f"column {rename.before.name} looks renamed to {rename.after.name} "
                f"({rename.confidence:.2f}: {rename.evidence})"
            ),
            column=rename.before.name,
            before=rename.before.name,
            after=rename.after.name,
            readers=readers,
            severity=Severity.ERROR if readers else Severity.WARN,
        )
