"""A column that models may read is gone.

Why it matters: every model that names it fails at its next run, and dashboards lose it.
Severity: an error where somebody reads it, else a warning.
Not this rule: a rename, which `column-renamed` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-removed", severity=Severity.ERROR)
def column_removed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that is gone."""
    for column in diff.removed:
        readers = diff.readers_of(column.name)
        yield Drift(
            statement=f"column {column.name} ({column.type}) is gone",
            column=column.name,
            before=column.type,
            readers=readers,
            severity=Severity.ERROR if readers else Severity.WARN,
        )
