"""The table is not what an enforced dbt contract promises.

Why it matters: consumers were promised these columns and types; dbt refuses to build such a table,
so somebody changed it by hand, or the yml changed and nothing has been built since.
Severity: an error where a column is missing or of another kind, else a warning.
Not this rule: columns that a yml merely describes, which `described-column-missing` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="contract-violated", severity=Severity.ERROR)
def contract_violated(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that is not as promised."""
    for breach in diff.breaches:
        if not breach.found:
            told = f"column {breach.column} of its contract is not there"
        elif not breach.promised:
            told = f"column {breach.column} is not in its contract"
        else:
            told = f"column {breach.column} is {breach.found}, its contract says {breach.promised}"
        yield Drift(
            statement=told,
            column=breach.column,
            before=breach.promised,
            after=breach.found,
            readers=diff.readers_of(breach.column),
            severity=Severity.ERROR if breach.serious else Severity.WARN,
        )
