"""The comment of a table or of a column is another one.

Why it matters: the meaning may have changed with it: another unit, a column that is deprecated.
Not this rule: descriptions in the yml, which are the project's own code.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule


@drift_rule(id="comment-changed", severity=Severity.INFO)
def comment_changed(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per comment."""
    for change in diff.recommented:
        what = f"column {change.name}" if change.name else "the table"
        yield Drift(
            statement=f"the comment of {what} is another one",
            column=change.name,
            before=change.before,
            after=change.after,
        )
