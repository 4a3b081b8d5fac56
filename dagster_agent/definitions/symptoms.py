"""What a finished run of the customer's shows to be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import dagster as dg
from dagster import AssetCheckSeverity

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import (
    DETECTOR_KEY,
    NEW_COLUMNS_KEY,
    PAIR_KEY,
    RED_PAIRS_KEY,
    REPEATED_KEY,
    is_failure,
    text_metadata,
)
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.definitions.feed import FinishedRun
from dagster_agent.definitions.redacting import redacted
from dagster_agent.model import Severity, Symptom, SymptomKind

_WILL_RETRY_TAG = "dagster/will_retry"
_DBT_FAILURE = re.compile(
    r"(?:Error|Failure) in (model|seed|snapshot|test|unit_test|operation|source|analysis)"
    r" (\S+)(?: \(([^)\n]+)\))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DbtFailure:
    """A node that dbt says has failed."""

    kind: Literal["test", "node"]
    name: str
    path: str


def symptoms_of_run(
    finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance
) -> list[Symptom]:
    """Failed checks of a run, and what failed in it besides.

    A step that failed only because dbt tests did is not told again: the tests are. A run that
    Dagster is going to retry shows nothing yet.
    """
    if finished.run.tags.get(_WILL_RETRY_TAG) == "true":
        return []
    evaluations = event_log.evaluations(instance, finished.run.run_id)
    found = [
        symptom
        for evaluation in evaluations
        if _is_symptom(evaluation, blueprint)
        for symptom in _of_evaluation(evaluation, finished, blueprint)
    ]
    if finished.failed and not _elsewhere(finished, blueprint, instance):
        found += _of_failure(finished, evaluations, blueprint, instance)
    return found


def check_symptoms(
    finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance
) -> list[Symptom]:
    """Failed checks only, for our own checks runs: when they break it is no trouble of the data."""
    return [
        symptom
        for evaluation in event_log.evaluations(instance, finished.run.run_id)
        if _is_symptom(evaluation, blueprint)
        for symptom in _of_evaluation(evaluation, finished, blueprint)
    ]


def _is_symptom(evaluation: dg.AssetCheckEvaluation, blueprint: Blueprint) -> bool:
    if evaluation.asset_key in blueprint.ignored:
        return False
    if evaluation.check_name == blueprint.names.open_findings:
        return False
    return is_failure(evaluation)


def news_of(
    finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance
) -> list[Symptom]:
    """Sources that have gained columns: no trouble, and worth a proposal."""
    return [
        symptom
        for evaluation in event_log.evaluations(instance, finished.run.run_id)
        if evaluation.passed
        and blueprint.names.engine_of(evaluation.check_name) == "schema-drift"
        and (symptom := _new_columns(evaluation, finished, blueprint)) is not None
    ]


def _new_columns(
    evaluation: dg.AssetCheckEvaluation, finished: FinishedRun, blueprint: Blueprint
) -> Symptom | None:
    ref = blueprint.by_key.get(evaluation.asset_key)
    names = text_metadata(evaluation, NEW_COLUMNS_KEY)
    if ref is None or ref.resource_type != "source" or not names:
        return None
    if text_metadata(evaluation, REPEATED_KEY):
        return None
    return Symptom(
        kind=SymptomKind.SCHEMA_CHANGED,
        headline=redacted(evaluation.description or f"{ref.name} has new columns"),
        observed_at=finished.ended_at,
        asset=ref.unique_id,
        check=text_metadata(evaluation, DETECTOR_KEY) or evaluation.check_name,
        detail=names,
        run_id=finished.run.run_id,
        severity=Severity.INFO,
    )


def _of_evaluation(
    evaluation: dg.AssetCheckEvaluation, finished: FinishedRun, blueprint: Blueprint
) -> Iterator[Symptom]:
    """What decided the check, then the other pairs that are red."""
    ref = blueprint.by_key.get(evaluation.asset_key)
    dbt_test = text_metadata(evaluation, "unique_id").startswith(("test.", "unit_test."))
    error = evaluation.severity is AssetCheckSeverity.ERROR
    decided = Symptom(
        kind=SymptomKind.DBT_TEST_FAILED if dbt_test else SymptomKind.CHECK_FAILED,
        headline=_headline(evaluation, dbt_test=dbt_test),
        observed_at=finished.ended_at,
        asset=ref.unique_id if ref is not None else None,
        check=text_metadata(evaluation, DETECTOR_KEY) or evaluation.check_name,
        detail=redacted(evaluation.description or ""),
        run_id=finished.run.run_id,
        severity=Severity.ERROR if error else Severity.WARN,
        metrics=_numbers(evaluation),
        pair=text_metadata(evaluation, PAIR_KEY) if PAIR_KEY in evaluation.metadata else None,
    )
    yield decided
    others = evaluation.metadata.get(RED_PAIRS_KEY)
    for other in _listed(others.value if isinstance(others, dg.JsonMetadataValue) else None):
        yield replace(
            decided,
            headline=redacted(other["headline"]),
            detail=redacted(other["headline"]),
            check=other["detector"],
            pair=other["pair"],
            severity=Severity(other["severity"]),
            metrics={},
        )


def _listed(value: object) -> list[Mapping[str, str]]:
    return cast("list[Mapping[str, str]]", value) if isinstance(value, list) else []


def _headline(evaluation: dg.AssetCheckEvaluation, *, dbt_test: bool) -> str:
    asset = evaluation.asset_key.to_user_string()
    if not dbt_test:
        said = evaluation.description
        return redacted(said or f"check {evaluation.check_name} fails on {asset}")
    rows = text_metadata(evaluation, "dagster_dbt/failed_row_count")
    told = f"dbt test {evaluation.check_name} fails on {asset}"
    return f"{told}: {rows} rows" if rows not in ("", "0") else told


def _numbers(evaluation: dg.AssetCheckEvaluation) -> dict[str, float]:
    numbers = {
        name: value.value
        for name, value in evaluation.metadata.items()
        if isinstance(value, (dg.IntMetadataValue, dg.FloatMetadataValue))
    }
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _of_failure(
    finished: FinishedRun,
    evaluations: Sequence[dg.AssetCheckEvaluation],
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
) -> Iterator[Symptom]:
    """What failed in the run other than checks that are told already."""
    told = {e.check_name for e in evaluations if not e.passed}
    run_id = finished.run.run_id
    for step in event_log.failed_steps(instance, run_id):
        if blueprint.names.owns_step(step.step_key):
            continue
        tail = event_log.output_tail(instance, run_id, step.step_key) if step.step_key else ""
        detail = redacted(f"{step.error}\n{tail}".strip())
        failures = _dbt_failures(f"{step.error}\n{tail}")
        if not failures:
            where = f"step {step.step_key} of {finished.run.job_name}"
            headline = f"{where if step.step_key else finished.run.job_name} failed: {_gist(step)}"
            yield _run_failed(finished, headline, detail, None)
        for failure in failures:
            if failure.kind == "test" and failure.name in told:
                continue
            yield _of_dbt_failure(failure, finished, detail, blueprint)


def _of_dbt_failure(
    failure: _DbtFailure, finished: FinishedRun, detail: str, blueprint: Blueprint
) -> Symptom:
    if failure.kind == "test":
        return Symptom(
            kind=SymptomKind.DBT_TEST_FAILED,
            headline=f"dbt test {failure.name} fails",
            observed_at=finished.ended_at,
            check=failure.name,
            detail=detail,
            run_id=finished.run.run_id,
        )
    ref = _node(failure, blueprint)
    return _run_failed(finished, f"{failure.name} could not be built", detail, ref)


def _run_failed(
    finished: FinishedRun, headline: str, detail: str, ref: DbtAssetRef | None
) -> Symptom:
    return Symptom(
        kind=SymptomKind.RUN_FAILED,
        headline=redacted(headline),
        observed_at=finished.ended_at,
        asset=ref.unique_id if ref is not None else None,
        detail=detail,
        run_id=finished.run.run_id,
    )


def _dbt_failures(text: str) -> list[_DbtFailure]:
    """Nodes that dbt names as failed, each once, in its order."""
    found = dict.fromkeys(
        _DbtFailure(
            kind="test" if match[1] in ("test", "unit_test") else "node",
            name=match[2],
            path=match[3] or "",
        )
        for match in _DBT_FAILURE.finditer(text)
    )
    return list(found)


def _node(failure: _DbtFailure, blueprint: Blueprint) -> DbtAssetRef | None:
    named = [r for r in blueprint.refs if r.name == failure.name and r.resource_type != "source"]
    at_path = [r for r in named if failure.path and r.path == failure.path]
    candidates = at_path or named
    return candidates[0] if candidates else None


def _elsewhere(finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance) -> bool:
    """Whether the run set out to build nothing but assets that the settings leave out."""
    planned = event_log.planned_assets(instance, finished.run.run_id)
    return bool(planned) and planned <= blueprint.ignored


def _gist(step: event_log.FailedStep) -> str:
    """The line of an error that says most: the last, where Dagster put its own in front."""
    lines = [line.strip() for line in step.error.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
