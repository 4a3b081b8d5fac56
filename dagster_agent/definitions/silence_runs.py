"""Dagster's runs as the silence judgements read them: going on, good ones before, completions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import dagster as dg
from dagster import AssetRecordsFilter, DagsterRunStatus, RunRecord, RunsFilter

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG, RETRY_KIND
from dagster_agent.connectors.orchestrators.dagster_waiting import waits_for
from dagster_agent.definitions.redacting import redacted
from dagster_agent.model import Symptom
from dagster_agent.quality.freshness.promises import last_deadline
from dagster_agent.quality.silence.config import SilenceConfig
from dagster_agent.quality.silence.deadlines import Completion, Deadline, missed
from dagster_agent.quality.silence.stuck import RunTimes, stuck

_GOING_ON = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_MOST = 500
"""Runs going on that are looked at; more than that is a trouble of its own, and they are alike."""
_COMPLETIONS = 20
_IMPLICIT_JOB = "__ASSET_JOB"
_NAMED = 3


def job_of(run: dg.DagsterRun) -> str:
    """What a run runs, in words that stay the same: its job, or the assets that were selected."""
    if not run.job_name.startswith(_IMPLICIT_JOB) or not run.asset_selection:
        return run.job_name
    keys = sorted(key.to_user_string() for key in run.asset_selection)
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return f"materialisation of {', '.join(keys[:_NAMED])}{more}"


def is_watched(run: dg.DagsterRun, location: str | None) -> bool:
    """Whether a run is the customer's, of this code location; retries of ours build like theirs."""
    if run.tags.get(KIND_TAG) not in (None, RETRY_KIND):
        return False
    origin = run.remote_job_origin
    return origin is None or location is None or origin.location_name == location


def is_ignored(name: str, config: SilenceConfig) -> bool:
    """Whether the settings leave it alone."""
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in config.ignore)


def runs_going_on(
    instance: dg.DagsterInstance, config: SilenceConfig, location: str | None
) -> list[RunRecord]:
    """Watched runs that have not ended, oldest first."""
    records = instance.get_run_records(
        RunsFilter(statuses=_GOING_ON), limit=_MOST, order_by="create_timestamp", ascending=True
    )
    return [
        record
        for record in records
        if is_watched(record.dagster_run, location)
        and not is_ignored(record.dagster_run.job_name, config)
    ]


def stuck_runs(
    going_on: Iterable[RunRecord],
    instance: dg.DagsterInstance,
    config: SilenceConfig,
    now: datetime,
) -> Iterator[Symptom]:
    """Of each job the oldest run that waits or runs far beyond its history."""
    floor = timedelta(minutes=config.min_stuck_minutes)
    told: set[str | None] = set()
    for record in going_on:
        times = _times(record)
        if now - (times.started_at or times.created_at) <= floor:
            continue
        history = _good_runs(record.dagster_run, instance, config)
        found = stuck(times, history, config, now)
        if found is None or found.check in told:
            continue
        told.add(found.check)
        reason = redacted(waits_for(instance, record))
        explained = stuck(times, history, config, now, waits_for=reason)
        yield explained or found


def missed_deadlines(
    going_on: Iterable[RunRecord],
    instance: dg.DagsterInstance,
    config: SilenceConfig,
    now: datetime,
) -> Iterator[Symptom]:
    """Deadlines of the settings that have passed without a completion."""
    window = timedelta(hours=config.deadline_window_hours)
    current = list(going_on)
    for name, text in sorted(config.deadlines.items()):
        deadline = Deadline.parse(name, text)
        due = last_deadline(deadline.clock, deadline.zone, now, deadline.weekdays)
        completions = [
            *_job_completions(name, instance),
            *_asset_completions(name, instance, due - window),
        ]
        found = missed(deadline, completions, now, window=window, going_on=_doing(name, current))
        if found is not None:
            yield found


def _good_runs(
    run: dg.DagsterRun, instance: dg.DagsterInstance, config: SilenceConfig
) -> list[RunTimes]:
    """Earlier good runs of the same job and the same assets."""
    records = instance.get_run_records(
        RunsFilter(job_name=run.job_name, statuses=[DagsterRunStatus.SUCCESS]),
        limit=config.history_runs,
    )
    same = [r for r in records if r.dagster_run.asset_selection == run.asset_selection]
    return [_times(record) for record in same]


def _times(record: RunRecord) -> RunTimes:
    begun, ended = record.start_time, record.end_time
    return RunTimes(
        run_id=record.dagster_run.run_id,
        job=job_of(record.dagster_run),
        created_at=_utc(record.create_timestamp),
        started_at=datetime.fromtimestamp(begun, UTC) if begun is not None else None,
        ended_at=datetime.fromtimestamp(ended, UTC) if ended is not None else None,
    )


def _job_completions(job: str, instance: dg.DagsterInstance) -> list[Completion]:
    records = instance.get_run_records(
        RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS]), limit=_COMPLETIONS
    )
    return [
        Completion(begun_at=times.created_at, ended_at=times.ended_at)
        for times in map(_times, records)
        if times.ended_at is not None
    ]


def _asset_completions(key: str, instance: dg.DagsterInstance, since: datetime) -> list[Completion]:
    """Materialisations of the asset of that key; none where it is a job's name."""
    found = instance.fetch_materializations(
        AssetRecordsFilter(
            asset_key=dg.AssetKey.from_user_string(key), after_timestamp=since.timestamp()
        ),
        limit=1,
    )
    moments = (datetime.fromtimestamp(record.timestamp, UTC) for record in found.records)
    return [Completion(begun_at=moment, ended_at=moment) for moment in moments]


def _doing(name: str, going_on: Iterable[RunRecord]) -> str:
    """The run that is to complete it, in words."""
    for record in going_on:
        run = record.dagster_run
        keys = {key.to_user_string() for key in run.asset_selection or ()}
        if run.job_name == name or name in keys:
            times = _times(record)
            since = times.started_at or times.created_at
            state = "running" if times.started_at is not None else "queued"
            return f"run {run.run_id[:8]} is {state} since {since:%Y-%m-%d %H:%M} UTC"
    return ""


def _utc(moment: datetime) -> datetime:
    """Dagster's storages give naive moments in UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
