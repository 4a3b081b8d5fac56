"""What the schema check says: headline, numbers, evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Asset,
    Baseline,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
    TableSchema,
)
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.impact import tree_of
from dagster_agent.schema_drift.json_contents import Contents
from dagster_agent.schema_drift.rule import JudgedDrift

DETECTOR = "schema-drift"
"""Detector name of all detections of this engine."""
_READERS_TOLD = 3
_ROWS_TOLD = 50


def could_not_run(asset: Asset, problem: DagsterAgentError, now: datetime) -> Detection:
    """The schema could not be read or judged; says nothing about drift."""
    return Detection(
        detector=DETECTOR,
        asset=asset.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"the schema of {asset.name} could not be checked: {problem.message}",
        observed_at=now,
        hint=problem.hint,
    )


def first_sight(asset: Asset, observed: TableSchema | None, now: datetime) -> Detection:
    """Nothing to compare with yet."""
    if observed is None:
        where = f" {asset.relation}" if asset.relation else ""
        return Detection(
            detector=DETECTOR,
            asset=asset.unique_id,
            status=DetectionStatus.COULD_NOT_RUN,
            headline=f"{asset.name} has no table{where} yet, and none was ever seen",
            observed_at=now,
            hint="build it with dbt; its first schema becomes the accepted one",
        )
    return Detection(
        detector=DETECTOR,
        asset=asset.unique_id,
        status=DetectionStatus.UNTRAINED,
        headline=f"first snapshot of {asset.name}: {len(observed.columns)} columns, taken as right",
        observed_at=now,
        severity=Severity.INFO,
        metrics={"columns": float(len(observed.columns))},
        hint="later changes are compared with this snapshot",
    )


def drifted(
    asset: Asset,
    diff: SchemaDiff,
    judged: Sequence[JudgedDrift],
    *,
    baseline: Baseline,
    contents: Contents,
    now: datetime,
) -> Detection:
    """The verdict on a comparison. Documents that could not be looked into are never green.

    Args:
        asset: What was compared.
        diff: The differences.
        judged: What the rules found, the worst first.
        baseline: What was compared with.
        contents: The look into JSON columns.
        now: UTC.
    """
    failing = [j for j in judged if j.severity is not Severity.INFO]
    since = f"accepted {baseline.accepted_at:%Y-%m-%d} by {baseline.accepted_by}"
    return Detection(
        detector=DETECTOR,
        asset=asset.unique_id,
        status=_status(failing, contents),
        headline=f"{asset.name}: {_told(failing or judged, diff)}{_inside(contents)}"
        f" (schema {since})",
        observed_at=now,
        severity=judged[0].severity if judged else Severity.INFO,
        metrics=_metrics(diff, judged) | _looked(contents),
        sample=_table(judged, diff) if judged else None,
        evidence=(*_evidence(judged, diff), *_look(contents)),
        hint=_hint(failing, contents),
    )


def _status(failing: Sequence[JudgedDrift], contents: Contents) -> DetectionStatus:
    if failing:
        return DetectionStatus.FAILED
    return DetectionStatus.COULD_NOT_RUN if contents.problem else DetectionStatus.PASSED


def _hint(failing: Sequence[JudgedDrift], contents: Contents) -> str:
    if failing:
        return "revert the change, or accept the new schema; the check stays red until then"
    return contents.problem.hint if contents.problem else ""


def _inside(contents: Contents) -> str:
    """What is to be said of the look into documents; nothing where there is nothing to look at."""
    if contents.problem:
        return f"; JSON columns could not be looked into: {contents.problem.message}"
    if contents.not_looked:
        return f"; {contents.not_looked}"
    return f"; {contents.told}" if contents.told and not contents.changes else ""


def _looked(contents: Contents) -> dict[str, float]:
    if not contents.found:
        return {}
    documents = max(column.documents for column in contents.found.values())
    return {"json_keys": float(contents.keys), "json_documents": float(documents)}


def _look(contents: Contents) -> Iterator[Evidence]:
    if contents.query and contents.changes:
        yield Evidence(kind="schema", statement=contents.told, query=contents.query)


def _told(judged: Sequence[JudgedDrift], diff: SchemaDiff) -> str:
    if not judged:
        count = len(diff.observed.columns) if diff.observed else 0
        return f"all {count} columns are as accepted"
    more = len(judged) - 1
    others = f", and {more} more change{'s' if more > 1 else ''}" if more else ""
    return f"{_sentence(judged[0], diff)}{others}"


def _sentence(judged: JudgedDrift, diff: SchemaDiff) -> str:
    """What happened, who reads it first, and how much is built on it."""
    readers = judged.drift.readers
    if not readers:
        return judged.drift.statement
    told = ", ".join(readers[:_READERS_TOLD])
    more = len(readers) - _READERS_TOLD
    told += f" and {more} more" if more > 0 else ""
    impact = diff.impact_of(judged.drift.column)
    reached = f"; it reaches {impact.count}" if impact.behind else ""
    return f"{judged.drift.statement}; read by {told}{reached}"


def _metrics(diff: SchemaDiff, judged: Sequence[JudgedDrift]) -> dict[str, float]:
    by_rule = Counter(j.rule for j in judged)
    metrics = {"columns": float(len(diff.observed.columns) if diff.observed else 0)}
    reached = {
        uid for j in judged if j.drift.readers for uid in diff.impact_of(j.drift.column).models
    }
    metrics["models_reached"] = float(len(reached))
    metrics["drifts"] = float(sum(j.severity is not Severity.INFO for j in judged))
    metrics.update({f"drift.{rule}": float(count) for rule, count in sorted(by_rule.items())})
    return metrics


def _table(judged: Sequence[JudgedDrift], diff: SchemaDiff) -> ResultTable:
    rows = tuple(
        (
            *(j.severity.value, j.rule, j.drift.column, j.drift.before, j.drift.after),
            ", ".join(j.drift.readers),
            diff.impact_of(j.drift.column).count if j.drift.readers else "",
        )
        for j in judged
    )
    return ResultTable(
        columns=("severity", "change", "column", "before", "after", "read by", "reaches"),
        rows=rows[:_ROWS_TOLD],
        truncated=len(rows) > _ROWS_TOLD,
    )


def _evidence(judged: Sequence[JudgedDrift], diff: SchemaDiff) -> Iterator[Evidence]:
    """One for each drift, and the impact tree of those that somebody reads."""
    for one in judged[:_ROWS_TOLD]:
        yield Evidence(kind="schema", statement=_sentence(one, diff), source=f"rule {one.rule}")
    impacts = {j.drift.column: diff.impact_of(j.drift.column) for j in judged if j.drift.readers}
    if impacts:
        tree = tree_of(impacts)
        told = f"{len(tree.rows)} nodes of the project read what changed, or stand on those"
        yield Evidence(kind="schema", statement=told, result=tree, source="lineage by column")
