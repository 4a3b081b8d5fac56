"""The declared primary key is another one.

Why it matters: what counts as one row has changed; joins on the old key may multiply rows.
Severity: a key where there was none is told only.
Not this rule: rows that break a key that is declared, which tests and reconciliation find.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="primary-key-changed", severity=Severity.WARN)
def primary_key_changed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift when it happened."""
    change = diff.rekeyed
    if change is None:
        return
    yield Drift(
        statement=f"the primary key went from ({change.before}) to ({change.after})",
        before=change.before,
        after=change.after,
        readers=diff.readers_of(""),
        severity=Severity.WARN if change.before else Severity.INFO,
    )
