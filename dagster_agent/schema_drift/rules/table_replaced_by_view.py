"""A table became a view.

Why it matters: each read computes it anew: it costs more, and its rows change while nothing is
built. Often a materialization was lost by accident.
Not this rule: a view that became a table, which only makes reads cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="table-replaced-by-view", severity=Severity.WARN)
def table_replaced_by_view(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift when it happened."""
    if diff.replaced_by_view:
        yield Drift(
            statement=f"table {diff.baseline.relation} is a view now",
            before="table",
            after="view",
            readers=diff.readers_of(""),
        )
