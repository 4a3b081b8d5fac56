"""`heal`: run, diagnose, mend, run again; a bounded number of attempts, and then a person.

Source of the shape: the self-healing loop that was asked for (SH1 of the scenarios). The backup of
every applied change is kept, every attempt stands in the record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from dagster_agent.actions.working_tree import AppliedChange, apply_change
from dagster_agent.errors import ApprovalRequired, DagsterAgentError
from dagster_agent.incidents import lifecycle
from dagster_agent.model import (
    Attempt,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Verdict,
)
from dagster_agent.ports import Narrator
from dagster_agent.privacy.redaction import redact
from dagster_agent.repair.selection import selector
from dagster_agent.response.project_run import incident_of, run_project
from dagster_agent.response.requests import InvestigationRequest
from dagster_agent.response.stages import investigate
from dagster_agent.response.validation import Validation, validate
from dagster_agent.response.workspace import Workspace

Mode = Literal["human-in-loop", "autonomous"]
Outcome = Literal["healthy", "waiting-for-approval", "recovered", "escalated"]
MINIMUM_CONFIDENCE = 0.8
"""Below it nothing is applied, whoever wants it."""
MAX_ATTEMPTS = 3
BACKOFF_SECONDS = 5.0
"""Before the second attempt; doubles with each further one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """What came of it."""

    outcome: Outcome
    """`escalated` where no attempt mended it."""
    finding: Finding | None = None
    """The last one; None where all was well from the start."""
    attempts: tuple[Attempt, ...] = ()
    """In order."""
    backup: Path | None = None
    """Where the files as they were are kept, once a change is applied."""
    validation: Validation | None = None
    """Of the applied change."""
    error: str = ""
    """What the run said, redacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How far it may go."""

    mode: Mode
    """`human-in-loop` shows the change and waits; `autonomous` applies it at 0.8 or more."""
    approved_by: str = ""
    """The person who approves the change; empty while nobody has."""
    run_first: bool = False
    """Run the whole project to begin with, and heal what fails in it."""
    sleep: Callable[[float], None] = time.sleep
    """Waits between attempts."""


def heal(
    workspace: Workspace,
    request: InvestigationRequest | None,
    orders: Orders,
    *,
    narrator: Narrator,
    now: datetime,
) -> Healing:
    """Mend what is asked about, or what fails when the project is run.

    Args:
        workspace: The opened project.
        request: What to look at; None with `orders.run_first`.
        orders: How far it may go.
        narrator: Hears each step.
        now: UTC.
    """
    incident: Incident | None = None
    error = ""
    if orders.run_first:
        outcome = run_project(workspace, (), narrator)
        if outcome.success:
            return Healing(outcome="healthy")
        error = redact(outcome.trouble(), secrets=workspace.secrets)
        incident = incident_of(workspace, outcome, now)
        request = InvestigationRequest(incident_id=incident.id)
    if request is None:
        return Healing(outcome="healthy")
    return _attempts(workspace, request, orders, error, narrator, now)


def _attempts(
    workspace: Workspace,
    request: InvestigationRequest,
    orders: Orders,
    error: str,
    narrator: Narrator,
    now: datetime,
) -> Healing:
    tried: list[Attempt] = []
    finding: Finding | None = None
    for number in range(1, MAX_ATTEMPTS + 1):
        if number > 1:
            orders.sleep(BACKOFF_SECONDS * 2 ** (number - 2))
        finding = _investigated(workspace, request, number, narrator, now)
        if finding.report.verdict is Verdict.HEALTHY:
            return Healing(outcome="healthy", finding=finding, attempts=tuple(tried))
        if not _proven(finding):
            tried.append(_attempt(finding, now, "failed: no verified change"))
            if not _worth_another(finding):
                break
            continue
        if orders.mode == "human-in-loop" and not orders.approved_by:
            tried.append(_attempt(finding, now, "waiting for approval"))
            return Healing(
                outcome="waiting-for-approval",
                finding=finding,
                attempts=tuple(tried),
                error=error,
            )
        healed = _applied(workspace, finding, orders, narrator, now)
        tried += healed.attempts
        if healed.outcome == "recovered":
            return replace(healed, attempts=tuple(tried), error=error)
    return Healing(outcome="escalated", finding=finding, attempts=tuple(tried), error=error)


def _investigated(
    workspace: Workspace,
    request: InvestigationRequest,
    number: int,
    narrator: Narrator,
    now: datetime,
) -> Finding:
    narrator.step(f"attempt {number} of {MAX_ATTEMPTS}", why="find the cause", result="begins")
    return investigate(
        workspace,
        request,
        investigation_id=f"heal-{now:%Y%m%d%H%M%S%f}-{number}",
        narrator=narrator,
        now=now,
        act_on_it=False,
    )


def _applied(
    workspace: Workspace, finding: Finding, orders: Orders, narrator: Narrator, now: datetime
) -> Healing:
    """Apply, run again, validate; taken back where that does not mend it."""
    try:
        applied = apply_change(
            finding,
            guard=workspace.guard(f"heal {finding.id}"),
            project=workspace.project.root,
            backups=workspace.state_directory / "backups",
            approved_by=orders.approved_by or f"mode {orders.mode}",
            now=now,
        )
    except (ApprovalRequired, DagsterAgentError) as refusal:
        narrator.step("apply the change", why="it is verified", result=str(refusal))
        attempt = _attempt(finding, now, f"failed: {refusal}")
        return Healing(outcome="escalated", finding=finding, attempts=(attempt,))
    narrator.step(
        f"apply the change to {', '.join(e.path for e in applied.change.edits)}",
        why="it is verified",
        result="the files as they were are kept",
    )
    try:
        validation = _run_again(workspace, applied, narrator, now)
    except BaseException:
        applied.take_back()
        raise
    if validation is None or not validation.passed:
        applied.take_back()
        workspace.forget()
        attempt = _attempt(finding, now, "failed: applied, and taken back after the run")
        return Healing(outcome="escalated", finding=finding, attempts=(attempt,))
    closed = replace(finding, status=FindingStatus.RESOLVED)
    workspace.store.save_finding(closed)
    _resolve(workspace, finding.report.incident_id, now)
    return Healing(
        outcome="recovered",
        finding=closed,
        attempts=(_attempt(finding, now, "succeeded"),),
        backup=applied.backup,
        validation=validation,
    )


def _run_again(
    workspace: Workspace, applied: AppliedChange, narrator: Narrator, now: datetime
) -> Validation | None:
    workspace.forget()
    manifest = workspace.manifest
    changed = [uid for uid in applied.change.assets if uid in manifest.assets]
    selected = [f"{selector(manifest.asset(uid))}+" for uid in changed]
    outcome = run_project(workspace, selected, narrator)
    if not outcome.success:
        return None
    workspace.forget()
    return validate(workspace, changed, narrator=narrator, now=now)


def _resolve(workspace: Workspace, incident_id: str, now: datetime) -> None:
    incident = workspace.store.incident(incident_id)
    if incident is not None:
        workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.RESOLVED, now=now))


def _proven(finding: Finding) -> bool:
    report = finding.report
    verified = report.verification is not None and report.verification.verified
    return report.change is not None and verified and report.confidence >= MINIMUM_CONFIDENCE


def _worth_another(finding: Finding) -> bool:
    """Whether the same again could end otherwise: the sandbox, not the evidence, was in the way."""
    verification = finding.report.verification
    return verification is not None and any(
        step.name == "sandbox" and not step.passed for step in verification.steps
    )


def _attempt(finding: Finding, now: datetime, result: str) -> Attempt:
    change, cause = finding.report.change, finding.report.cause
    what = change.title if change else cause.mechanism if cause else finding.report.headline
    return Attempt(action="apply-change", what=what, at=now, result=result)
