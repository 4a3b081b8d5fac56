"""`DagsterOrchestrator`: what an investigation reads of Dagster runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

import dagster as dg
from dagster import AssetRecordsFilter, DagsterRunStatus, RunsFilter

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.model import Symptom, SymptomKind
from dagster_agent.ports.orchestrator import RunFacts

KIND_TAG = "dagster_agent/kind"
"""Run tag of every run of ours: `investigate`, `checks`, `retry`, `decide`, `accept-schema`,
`expected`."""

RETRY_KIND = "retry"
"""Kind of the runs in which a failed run's assets are built again."""

CHECKED_RUN_TAG = "dagster_agent/checked_run"
"""Run tag of a `checks` run: the customer's run whose assets it judges."""

STATUS_KEY = "dagster_agent/status"
"""Metadata key of a result of ours: the value of a `DetectionStatus`."""

REPEATED_KEY = "dagster_agent/repeated"
"""Metadata key of a result of ours that only repeats an earlier one."""

DETECTOR_KEY = "dagster_agent/detector"
"""Metadata key of a result of ours: the detector that decided it."""

RETRY_OF_TAG = "dagster_agent/retry_of"
"""Run tag of a retry of ours: the run that it makes again."""

PAIR_KEY = "dagster_agent/pair"
"""Metadata key of a reconciliation result of ours: `Detection.pair` of what decided it."""

RED_PAIRS_KEY = "dagster_agent/red_pairs"
"""Metadata key of a reconciliation result of ours: what is red besides what decided it, as a JSON
list of `{detector, pair, severity, headline}`, one for each pair."""

NEW_COLUMNS_KEY = "dagster_agent/new_columns"
"""Metadata key of a schema result of ours: names of columns that are new, a line each."""

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
_RETRIES_LOOKED_OVER = 12
_MATERIALIZATIONS_LOOKED_AT = 25


class DagsterOrchestrator:
    """Implements `Orchestrator` over a Dagster instance.

    Args:
        instance: Where the runs are recorded.
        asset_keys: Asset key of each dbt unique id.
    """

    def __init__(self, instance: dg.DagsterInstance, asset_keys: Mapping[str, dg.AssetKey]) -> None:
        self._instance = instance
        self._asset_keys = asset_keys

    def run(self, run_id: str) -> RunFacts | None:
        """Facts of one run, or None when it is gone."""
        record = self._instance.get_run_record_by_id(run_id)
        if record is None:
            return None
        run = record.dagster_run
        succeeded = run.status is DagsterRunStatus.SUCCESS
        return RunFacts(
            run_id=run_id,
            job=run.job_name,
            succeeded=succeeded,
            started_at=_moment(record.start_time),
            ended_at=_moment(record.end_time),
            log_tail="" if succeeded else failure_text(self._instance, run_id),
        )

    def recovered(self, symptom: Symptom) -> bool:
        """Whether what failed then has succeeded since: the test passes, the asset was built."""
        key = self._asset_keys.get(symptom.asset or "")
        if key is None:
            return False
        since = symptom.observed_at.timestamp()
        if symptom.check and symptom.kind is SymptomKind.DBT_TEST_FAILED:
            check = dg.AssetCheckKey(key, symptom.check)
            return event_log.passed_since(self._instance, check, since)
        built = self._instance.fetch_materializations(
            AssetRecordsFilter(asset_key=key, after_timestamp=since), limit=1
        )
        return bool(built.records)

    def earlier_runs(self, run_id: str, *, limit: int) -> Sequence[RunFacts]:
        """Runs of the same job that ended before that one began, newest first; retries left out."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or not limit:
            return ()
        records = self._instance.get_run_records(
            RunsFilter(job_name=run.job_name, statuses=_ENDED),
            limit=limit + _RETRIES_LOOKED_OVER,
        )
        begun = next((r.create_timestamp for r in records if r.dagster_run.run_id == run_id), None)
        earlier = (
            record.dagster_run.run_id
            for record in records
            if record.dagster_run.run_id != run_id
            and RETRY_OF_TAG not in record.dagster_run.tags
            and (begun is None or record.create_timestamp < begun)
        )
        found = (self.run(each) for each in islice(earlier, limit))
        return tuple(facts for facts in found if facts is not None)

    def last_good_materialization(self, asset: str, *, before: datetime) -> datetime | None:
        """When the asset was last built with no check failing, in that run or in ours about it."""
        key = self._asset_keys.get(asset)
        if key is None:
            return None
        found = self._instance.fetch_materializations(
            AssetRecordsFilter(asset_key=key, before_timestamp=before.timestamp()),
            limit=_MATERIALIZATIONS_LOOKED_AT,
        )
        for record in found.records:
            run_ids = [record.run_id, *self._runs_about(record.run_id)]
            if not any(self._failed_check(run_id, key) for run_id in run_ids):
                return _moment(record.timestamp)
        return None

    def _runs_about(self, run_id: str) -> list[str]:
        """Our checks runs that judged what this run built."""
        records = self._instance.get_run_records(RunsFilter(tags={CHECKED_RUN_TAG: run_id}))
        return [record.dagster_run.run_id for record in records]

    def _failed_check(self, run_id: str, key: dg.AssetKey) -> bool:
        return any(
            evaluation.asset_key == key and is_failure(evaluation)
            for evaluation in event_log.evaluations(self._instance, run_id)
        )


def is_failure(evaluation: dg.AssetCheckEvaluation) -> bool:
    """Whether a check result reports trouble seen in that very run.

    Of our own results that is neither a repeated one nor one that could not run.
    """
    if evaluation.passed or text_metadata(evaluation, REPEATED_KEY):
        return False
    return text_metadata(evaluation, STATUS_KEY) in ("", "failed")


def text_metadata(evaluation: dg.AssetCheckEvaluation, key: str) -> str:
    """A metadata value of a check result as text; empty when it has none."""
    value = evaluation.metadata.get(key)
    return "" if value is None else str(value.value)


def failure_text(instance: dg.DagsterInstance, run_id: str) -> str:
    """What failed in a run, and the end of what the failed steps printed. Redacted."""
    from dagster_agent.privacy.redaction import redact

    told: list[str] = []
    for step in event_log.failed_steps(instance, run_id):
        told.append(step.error)
        if step.step_key:
            told.append(event_log.output_tail(instance, run_id, step.step_key))
    return redact("\n".join(t for t in told if t))


def _moment(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
