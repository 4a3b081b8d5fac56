"""A column's name has other capitals.

Why it matters: where the warehouse tells them apart (PostgreSQL, Snowflake, Oracle, ClickHouse),
code that names the column fails, or needs quotes. Elsewhere only exports and tools notice.
Severity: an error where that counts and somebody reads the column, a warning where nobody does;
told only where capitals do not count.
Not this rule: another name, which `column-renamed` reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.rule import Drift, drift_rule

_CAPITALS_COUNT = frozenset({"postgres", "snowflake", "oracle", "clickhouse"})


@drift_rule(id="column-recased", severity=Severity.INFO)
def column_recased(diff: SchemaDiff) -> Iterator[Drift]:
    """One drift per column that is spelled differently."""
    for change in diff.recased:
        readers = diff.readers_of(change.name)
        broken = Severity.ERROR if readers else Severity.WARN
        yield Drift(
            statement=f"column {change.before} is spelled {change.after} now",
            column=change.before,
            before=change.before,
            after=change.after,
            readers=readers,
            severity=broken if diff.dialect in _CAPITALS_COUNT else Severity.INFO,
        )
