"""The few calls into Dagster's event log that are not public API, in this one place.

Everything here only reads, returns plain values, and falls back to an older or slower call where
a Dagster version lacks the better one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterEventType, EventLogEntry

_PAGE = 500
_LOG_CHUNK_BYTES = 1_000_000
_LOG_CHUNKS = 64
_TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStep:
    """One failed step of a run."""

    step_key: str
    """Step key; empty where the run failed outside of its steps."""
    error: str
    """Message of the error and of its causes, without stack frames or terminal colours."""


def entries(
    instance: dg.DagsterInstance, run_id: str, *types: DagsterEventType
) -> Iterator[EventLogEntry]:
    """Events of these types in one run, oldest first, read page by page."""
    reader = getattr(instance, "get_records_for_run", None)
    if reader is None:
        yield from instance.all_logs(run_id, of_type=set(types))
        return
    cursor: str | None = None
    while True:
        page = instance.get_records_for_run(
            run_id, cursor=cursor, of_type=set(types), limit=_PAGE, ascending=True
        )
        for record in page.records:
            yield record.event_log_entry
        if not page.has_more:
            return
        cursor = page.cursor


def events(
    instance: dg.DagsterInstance, run_id: str, *types: DagsterEventType
) -> Iterator[DagsterEvent]:
    """As `entries`, without the log's envelope."""
    for entry in entries(instance, run_id, *types):
        if entry.dagster_event is not None:
            yield entry.dagster_event


def evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    """Results of asset checks in one run, oldest first."""
    return [
        event.asset_check_evaluation_data
        for event in events(instance, run_id, DagsterEventType.ASSET_CHECK_EVALUATION)
    ]


def planned_checks(instance: dg.DagsterInstance, run_id: str) -> set[dg.AssetCheckKey]:
    """Asset checks that the run set out to execute."""
    found = events(instance, run_id, DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)
    return {event.asset_check_planned_data.asset_check_key for event in found}


def planned_assets(instance: dg.DagsterInstance, run_id: str) -> set[dg.AssetKey]:
    """Assets that the run set out to materialise."""
    return _asset_keys(instance, run_id, DagsterEventType.ASSET_MATERIALIZATION_PLANNED)


def materialised_assets(instance: dg.DagsterInstance, run_id: str) -> set[dg.AssetKey]:
    """Assets that the run did materialise."""
    return _asset_keys(instance, run_id, DagsterEventType.ASSET_MATERIALIZATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What a run set out to produce, and what it did."""

    planned_assets: frozenset[dg.AssetKey]
    """Assets it set out to materialise."""
    built_assets: frozenset[dg.AssetKey]
    """Assets it materialised."""
    made_assets: frozenset[dg.AssetKey]
    """Assets it materialised or observed."""
    planned_checks: frozenset[dg.AssetCheckKey]
    """Checks it set out to execute."""
    made_checks: frozenset[dg.AssetCheckKey]
    """Checks with a result."""


def promised(instance: dg.DagsterInstance, run_id: str, *, of_checks: bool = True) -> Promised:
    """Plans and results of one run, in one reading of its log.

    Args:
        instance: Where the run is recorded.
        run_id: Of the run.
        of_checks: Whether those of checks are read as well; a run may have thousands.
    """
    kind = DagsterEventType
    assets: dict[DagsterEventType, set[dg.AssetKey]] = {}
    checks: dict[DagsterEventType, set[dg.AssetCheckKey]] = {}
    wanted = [
        kind.ASSET_MATERIALIZATION_PLANNED,
        kind.ASSET_MATERIALIZATION,
        kind.ASSET_OBSERVATION,
    ]
    if of_checks:
        wanted += [kind.ASSET_CHECK_EVALUATION_PLANNED, kind.ASSET_CHECK_EVALUATION]
    for event in events(instance, run_id, *wanted):
        if event.event_type is kind.ASSET_CHECK_EVALUATION_PLANNED:
            planned = event.asset_check_planned_data
            checks.setdefault(event.event_type, set()).add(planned.asset_check_key)
        elif event.event_type is kind.ASSET_CHECK_EVALUATION:
            result = event.asset_check_evaluation_data
            checks.setdefault(event.event_type, set()).add(result.asset_check_key)
        elif event.asset_key is not None:
            assets.setdefault(event.event_type, set()).add(event.asset_key)
    built = assets.get(kind.ASSET_MATERIALIZATION, set())
    made = built | assets.get(kind.ASSET_OBSERVATION, set())
    return Promised(
        planned_assets=frozenset(assets.get(kind.ASSET_MATERIALIZATION_PLANNED, ())),
        built_assets=frozenset(built),
        made_assets=frozenset(made),
        planned_checks=frozenset(checks.get(kind.ASSET_CHECK_EVALUATION_PLANNED, ())),
        made_checks=frozenset(checks.get(kind.ASSET_CHECK_EVALUATION, ())),
    )


def materialises_anything(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether the run set out to materialise at least one asset."""
    found = events(instance, run_id, DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    return next(found, None) is not None


def passed_since(instance: dg.DagsterInstance, check: dg.AssetCheckKey, since: float) -> bool:
    """Whether the newest result of a check is a pass, and newer than that moment (epoch)."""
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])
    record = latest.get(check)
    if record is None or record.create_timestamp <= since or record.event is None:
        return False
    event = record.event.dagster_event
    return event is not None and event.asset_check_evaluation_data.passed


def failed_steps(instance: dg.DagsterInstance, run_id: str) -> list[FailedStep]:
    """Steps that failed; one entry without a step key where the run failed outside of them."""
    found = [
        FailedStep(
            step_key=event.step_key or "",
            error=_error_text(event.step_failure_data.error)
            or _user_text(event.step_failure_data.user_failure_data),
        )
        for event in events(instance, run_id, DagsterEventType.STEP_FAILURE)
    ]
    if found:
        return found
    return [
        FailedStep(
            step_key="", error=_error_text(event.job_failure_data.error) or event.message or ""
        )
        for event in events(instance, run_id, DagsterEventType.RUN_FAILURE)
    ]


def output_tail(
    instance: dg.DagsterInstance, run_id: str, step_key: str, *, max_chars: int = 6000
) -> str:
    """The end of what a step printed, without terminal colours; empty when it was not kept.

    Compute logs live wherever the customer keeps them; whatever goes wrong while they are read
    must not hide the failure they belong to, so it becomes the text.
    """
    try:
        raw = _stdout_tail(instance, run_id, step_key, max_chars * 4)
    except Exception as error:
        return f"(the step's output could not be read: {type(error).__name__}: {error})"
    text = _TERMINAL_COLOURS.sub("", raw.decode("utf-8", errors="replace"))
    return text[-max_chars:]


def _asset_keys(
    instance: dg.DagsterInstance, run_id: str, event_type: DagsterEventType
) -> set[dg.AssetKey]:
    keys = (event.asset_key for event in events(instance, run_id, event_type))
    return {key for key in keys if key is not None}


def _error_text(error: Any) -> str:
    """Messages of an error and its causes; dagster wraps user errors once or twice."""
    told: list[str] = []
    while error is not None:
        told.append(_TERMINAL_COLOURS.sub("", error.message).strip())
        error = error.cause
    return "\n".join(dict.fromkeys(t for t in told if t))


def _user_text(user_failure: Any) -> str:
    return "" if user_failure is None else (user_failure.description or "")


def _stdout_tail(instance: dg.DagsterInstance, run_id: str, step_key: str, size: int) -> bytes:
    manager = instance.compute_log_manager
    tail = b""
    for event in events(instance, run_id, DagsterEventType.LOGS_CAPTURED):
        captured = event.logs_captured_data
        if step_key not in (captured.step_keys or [step_key]):
            continue
        log_key = [run_id, "compute_logs", captured.file_key]
        cursor: str | None = None
        for _ in range(_LOG_CHUNKS):
            data = manager.get_log_data(log_key, cursor=cursor, max_bytes=_LOG_CHUNK_BYTES)
            if not data.stdout:
                break
            tail = (tail + data.stdout)[-size:]
            cursor = data.cursor
    return tail
