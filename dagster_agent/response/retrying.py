"""Triage: what may pass by itself is tried again, a bounded number of times, and then not again.

A run is retried only when everything that failed in it is of a retryable class, when none of the
runs before failed in the same way, and when the policy allows it. Every try stands in the incident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dagster_agent.errors import ApprovalRequired, LeaseHeld
from dagster_agent.incidents import lifecycle
from dagster_agent.investigation.classification import classify
from dagster_agent.model import (
    Attempt,
    Cause,
    Evidence,
    Failure,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Report,
    ResultTable,
    SymptomKind,
    Verdict,
)
from dagster_agent.ports import Orchestrator
from dagster_agent.response.workspace import Workspace

RETRY = "retry-run"
_REFUSED = "refused by the policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A run that is to be made again now."""

    incident_id: str
    """What it is for."""
    run_id: str
    """The run that failed last."""
    attempt: int
    """1 for the first retry."""


def triage(workspace: Workspace, *, orchestrator: Orchestrator, now: datetime) -> None:
    """Let open incidents that may pass by themselves wait for a retry instead of an investigation.

    Args:
        workspace: The opened project.
        orchestrator: Knows the runs before the failed one.
        now: UTC.
    """
    config = workspace.settings.incidents
    for incident in workspace.store.incidents(open_only=True):
        if incident.status is not IncidentStatus.OPEN:
            continue
        tried = _retries(incident)
        failures = _failures(incident)
        refused = any(attempt.result == _REFUSED for attempt in tried)
        if refused or len(tried) >= config.max_retries or not failures:
            continue
        if not all(failure.retryable for failure in failures):
            continue
        if not tried and _failed_alike(incident, failures, orchestrator, workspace):
            continue
        delay = timedelta(seconds=config.retry_backoff_seconds * 2 ** len(tried))
        waiting = lifecycle.move(incident, IncidentStatus.RETRYING, now=now)
        workspace.store.save_incident(replace(waiting, retry_at=now + delay))


def due_retries(workspace: Workspace, *, now: datetime) -> tuple[Retry, ...]:
    """Retries whose time has come and which the policy allows; they count as launched from here on.

    What the policy refuses is investigated instead.
    """
    found: list[Retry] = []
    for incident in workspace.store.incidents(open_only=True):
        if incident.retry_at is None or incident.retry_at > now:
            continue
        retry = _launched(workspace, incident, now)
        if retry is not None:
            found.append(retry)
    return tuple(found)


def retries_wait(workspace: Workspace) -> bool:
    """Whether a retry is planned or going on, so that the next tick has to look again."""
    return any(
        i.status is IncidentStatus.RETRYING for i in workspace.store.incidents(open_only=True)
    )


def settle(
    workspace: Workspace, incident_id: str, run_id: str, *, succeeded: bool, now: datetime
) -> Finding | None:
    """Write down what came of a retry.

    Args:
        workspace: The opened project.
        incident_id: What the retry was for.
        run_id: The run that was made.
        succeeded: Whether it ended well.
        now: UTC.

    Returns:
        After a success the finding that closes the incident; None after a failure: the incident is
        open again, for the next retry or an investigation.
    """
    incident = workspace.store.incident(incident_id)
    if incident is None or incident.status is not IncidentStatus.RETRYING:
        return None
    result = "succeeded" if succeeded else "failed"
    last = replace(incident.attempts[-1], result=f"{result} (run {run_id[:8]})")
    incident = replace(incident, attempts=(*incident.attempts[:-1], last))
    if not succeeded:
        workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.OPEN, now=now))
        return None
    finding = _recovered(incident, run_id, now)
    workspace.store.save_finding(finding)
    workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.RESOLVED, now=now))
    return finding


def _launched(workspace: Workspace, incident: Incident, now: datetime) -> Retry | None:
    run_id = _last_run(incident)
    number = len(_retries(incident)) + 1
    attempt = Attempt(action=RETRY, what=f"run {run_id[:8]} again", at=now)
    try:
        workspace.guard(f"retry {incident.id}").perform(
            RETRY,
            incident.id,
            now=now,
            work=lambda: None,
            detail={"run": run_id, "attempt": number},
        )
    except (ApprovalRequired, LeaseHeld):
        refused = replace(lifecycle.move(incident, IncidentStatus.OPEN, now=now), retry_at=None)
        barred = replace(attempt, result=_REFUSED)
        workspace.store.save_incident(replace(refused, attempts=(*incident.attempts, barred)))
        return None
    launched = replace(incident, attempts=(*incident.attempts, attempt), retry_at=None)
    workspace.store.save_incident(launched)
    return Retry(incident_id=incident.id, run_id=run_id, attempt=number)


def _retries(incident: Incident) -> list[Attempt]:
    return [a for a in incident.attempts if a.action == RETRY]


def _last_run(incident: Incident) -> str:
    return next((s.run_id for s in reversed(incident.symptoms) if s.run_id), "")


def _failures(incident: Incident) -> list[Failure]:
    """What failed in the incident's last run; empty where it is about more than failed runs."""
    if any(s.kind is not SymptomKind.RUN_FAILED for s in incident.symptoms):
        return []
    run_id = _last_run(incident)
    return [classify(s.detail) for s in incident.symptoms if s.run_id == run_id and run_id]


def _failed_alike(
    incident: Incident,
    failures: Sequence[Failure],
    orchestrator: Orchestrator,
    workspace: Workspace,
) -> bool:
    limit = workspace.settings.incidents.retry_lookback_runs
    seen = {_likeness(failure) for failure in failures}
    earlier = orchestrator.earlier_runs(_last_run(incident), limit=limit)
    return any(
        _likeness(classify(facts.log_tail)) in seen for facts in earlier if not facts.succeeded
    )


def _likeness(failure: Failure) -> tuple[str, str | None]:
    return failure.rule, failure.facts.model


def _recovered(incident: Incident, run_id: str, now: datetime) -> Finding:
    failure = max(_failures(incident), key=lambda f: f.confidence)
    tries = _retries(incident)
    name = failure.failure_class.replace("_", " ")
    headline = f"{incident.title}: it passed by itself ({name}), retry {len(tries)} succeeded"
    report = Report(
        incident_id=incident.id,
        asset=incident.asset,
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.9,
        headline=headline,
        evidence=(
            Evidence(
                kind="run",
                id="E1",
                statement=f"the run said: {failure.excerpt} ({name}, by rule {failure.rule})",
                source=f"run {_last_run(incident)}",
            ),
            Evidence(
                kind="run",
                id="E2",
                statement=f"the same run again, with nothing changed, succeeded: {run_id[:8]}",
                source=f"run {run_id}",
                result=attempt_table(incident.attempts),
            ),
        ),
        started_at=incident.opened_at,
        finished_at=now,
        cause=Cause(files=(), mechanism=failure.excerpt, pattern=failure.failure_class),
    )
    digest = hashlib.sha256(f"{incident.id}:{run_id}".encode()).hexdigest()
    return Finding(
        id=f"F-{digest[:6]}",
        report=report,
        created_at=now,
        status=FindingStatus.RESOLVED,
        run_id=run_id,
    )


def attempt_table(attempts: Sequence[Attempt]) -> ResultTable:
    """The attempts as a table: what, when, result."""
    return ResultTable(
        columns=("attempt", "action", "what", "at", "result"),
        rows=tuple(
            (number, a.action, a.what, f"{a.at:%Y-%m-%d %H:%M:%S} UTC", a.result)
            for number, a in enumerate(attempts, start=1)
        ),
    )
