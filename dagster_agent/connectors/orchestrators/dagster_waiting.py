"""What a run waits for, as far as Dagster's own records tell; nothing of it is public API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunRecord, RunsFilter

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log

_IN_PROGRESS = [
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_QUEUE_DAEMON = "QUEUED_RUN_COORDINATOR"
_STEP_ENDS = (
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.STEP_UP_FOR_RETRY,
)
_LINE = 160


def waits_for(instance: dg.DagsterInstance, record: RunRecord) -> str:
    """In words, what a run that has not ended waits for; empty where nothing tells. Not redacted.

    Whatever goes wrong while it is looked up must not hide that the run is stuck: it becomes the
    text.
    """
    try:
        return "; and for ".join(_reasons(instance, record))
    except Exception as error:
        return f"something that could not be looked up ({type(error).__name__}: {error})"


def _reasons(instance: dg.DagsterInstance, record: RunRecord) -> Iterator[str]:
    status = record.dagster_run.status
    if status is DagsterRunStatus.QUEUED:
        yield from _daemon(instance)
        yield from _pools(instance, record.dagster_run)
        yield from _limits(instance, record.dagster_run)
    elif status in (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING):
        yield "its worker: it was launched and has not reported yet"
    elif status is DagsterRunStatus.CANCELING:
        yield "its worker to end: it was told to stop"
    else:
        yield from _pools(instance, record.dagster_run)
        yield from _steps(instance, record.dagster_run.run_id)


def _daemon(instance: dg.DagsterInstance) -> Iterator[str]:
    if _QUEUE_DAEMON not in instance.get_required_daemon_types():
        return
    status = instance.get_daemon_statuses([_QUEUE_DAEMON]).get(_QUEUE_DAEMON)
    if status is None or status.healthy:
        return
    beat = status.last_heartbeat
    if beat is None:
        yield "the daemon that takes runs from the queue, which has never given a heartbeat"
        return
    last = datetime.fromtimestamp(beat.timestamp, UTC)
    yield (
        "the daemon that takes runs from the queue, whose last heartbeat was"
        f" {last:%Y-%m-%d %H:%M} UTC"
    )


def _pools(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[str]:
    """Concurrency pools of the run in which every slot is taken by others."""
    concurrency = run.run_op_concurrency
    storage = instance.event_log_storage
    if concurrency is None or not storage.supports_global_concurrency_limits:
        return
    for pool in sorted(concurrency.all_pools or concurrency.root_key_counts):
        info = storage.get_concurrency_info(pool)
        others = sorted({slot.run_id for slot in info.claimed_slots} - {run.run_id})
        if info.limit is not None and others and len(info.claimed_slots) >= info.limit:
            held = ", ".join(run_id[:8] for run_id in others[:3])
            yield f"a slot of the pool {pool}: {info.limit} of {info.limit} held by run {held}"


def _limits(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[str]:
    """Limits of the run queue that are reached."""
    config = instance.get_concurrency_config().run_queue_config
    if config is None:
        return
    running = instance.get_run_records(RunsFilter(statuses=_IN_PROGRESS))
    most = config.max_concurrent_runs
    if 0 <= most <= len(running):
        yield f"a place in the queue: {len(running)} runs go on, {most} may at once"
    for limit in config.tag_concurrency_limits or ():
        key, wanted = str(limit["key"]), limit.get("value")
        value = run.tags.get(key)
        if value is None or (isinstance(wanted, str) and wanted != value):
            continue
        # a mapping as value counts each value of the tag for itself, no value counts them all
        each = wanted is not None
        same = [
            r
            for r in running
            if key in r.dagster_run.tags and (not each or r.dagster_run.tags[key] == value)
        ]
        if len(same) >= int(limit["limit"]):
            told = f"{key}={value}" if each else key
            yield f"the limit of {limit['limit']} runs tagged {told}, which is reached"


def _steps(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Steps that have begun and not ended, with the last line that they printed."""
    begun: dict[str, datetime] = {}
    for entry in event_log.entries(instance, run_id, DagsterEventType.STEP_START, *_STEP_ENDS):
        event = entry.dagster_event
        step = event.step_key if event is not None else None
        if event is None or step is None:
            continue
        if event.event_type is DagsterEventType.STEP_START:
            begun[step] = datetime.fromtimestamp(entry.timestamp, UTC)
        else:
            begun.pop(step, None)
    for step, since in sorted(begun.items())[:3]:
        lines = [x for x in event_log.output_tail(instance, run_id, step).splitlines() if x.strip()]
        said = f", which printed last: {lines[-1].strip()[:_LINE]!r}" if lines else ""
        yield f"its step {step}, begun {since:%Y-%m-%d %H:%M} UTC{said}"
