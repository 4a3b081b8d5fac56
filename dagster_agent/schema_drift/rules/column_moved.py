"""Columns stand in another order.

Why it matters: only where rows are read by position: `insert into ... select *`, `union all` of
two `select *`, exports without a header.
Not this rule: the shift that a new or gone column causes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="column-moved", severity=Severity.INFO)
def column_moved(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that has to move to explain the new order."""
    for name in diff.moved:
        before, after = diff.baseline.column(name), diff.observed and diff.observed.column(name)
        if before and after:
            yield Drift(
                statement=f"column {name} moved from place {before.position} to {after.position}",
                column=name,
                before=str(before.position),
                after=str(after.position),
            )
