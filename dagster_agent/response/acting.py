"""What follows from a report: a pull request where it is proven, and the hand-over to people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dagster_agent.actions.pull_request import open_pull_request
from dagster_agent.errors import ApprovalRequired, DagsterAgentError, LeaseHeld
from dagster_agent.incidents import lifecycle
from dagster_agent.incidents.intake import merge
from dagster_agent.model import (
    OPEN_STATUSES,
    Finding,
    FindingStatus,
    IncidentStatus,
    PullRequest,
    PullRequestState,
    Verdict,
)
from dagster_agent.ports import Narrator
from dagster_agent.response.workspace import Workspace

_UNDECIDED = (PullRequestState.DRAFT, PullRequestState.OPEN)


def propose(
    workspace: Workspace, finding: Finding, narrator: Narrator, now: datetime, holder: str
) -> Finding:
    """Open the pull request of a verified change.

    What stands in the way (policy, git, the code host) is told and does not fail the run: the
    finding with its diff is worth more.

    Args:
        workspace: The opened project.
        finding: As reported.
        narrator: Hears what came of it.
        now: UTC.
        holder: Id of the investigation, for leases and audit.

    Returns:
        The finding, with its pull request where one was opened.
    """
    verification = finding.report.verification
    if finding.report.change is None or verification is None or not verification.verified:
        return finding
    twin = _twin(workspace, finding)
    if twin is not None and twin.pull_request is not None:
        narrator.step(
            f"point to pull request #{twin.pull_request.number}",
            why=f"finding {twin.id} proposes the very same change",
            result="no second pull request",
        )
        return replace(finding, pull_request=twin.pull_request)
    opened = _opened(workspace, finding, narrator, now, holder)
    if opened is None:
        return finding
    narrator.step(
        f"open pull request #{opened.number} as {opened.state}",
        why="the change is verified; a person decides whether it is merged",
        result=f"branch {opened.branch} at {opened.head_sha[:7]}",
    )
    return replace(finding, pull_request=opened)


def _opened(
    workspace: Workspace, finding: Finding, narrator: Narrator, now: datetime, holder: str
) -> PullRequest | None:
    """The pull request; None where something stands in the way, which is told."""
    if workspace.repository is None:
        narrator.step(
            "keep the verified change in the finding",
            why="the dbt project is not in a git repository",
            result="no pull request; apply the diff by hand",
        )
        return None
    try:
        return open_pull_request(
            finding,
            guard=workspace.guard(holder),
            repository=workspace.repository,
            project_prefix=workspace.project_prefix,
            code_host=workspace.code_host(),
            remote=workspace.settings.code_host.remote,
            base=workspace.settings.code_host.base_branch,
            now=now,
            secrets=workspace.secrets,
        )
    except ApprovalRequired as refusal:
        narrator.step("open a pull request", why="the change is verified", result=str(refusal))
        return None
    except DagsterAgentError as error:
        narrator.step(
            "open a pull request", why="the change is verified", result=f"failed: {error}"
        )
        return None


def _twin(workspace: Workspace, finding: Finding) -> Finding | None:
    """Another open finding whose pull request makes the same edits."""
    return next(
        (
            other
            for other in _same_change(workspace, finding)
            if other.pull_request is not None and other.pull_request.state in _UNDECIDED
        ),
        None,
    )


def _same_change(workspace: Workspace, finding: Finding) -> Iterator[Finding]:
    """Other open findings that make the same edits."""
    change = finding.report.change
    for other in workspace.store.findings(open_only=True):
        theirs = other.report.change
        if other.id == finding.id or change is None or theirs is None:
            continue
        if theirs.edits == change.edits:
            yield other


def join_twin(workspace: Workspace, finding: Finding, narrator: Narrator, now: datetime) -> Finding:
    """Let a finding that tells another's story once more end in it: one cause, one decision.

    Trouble that is seen after its cause was found opens an incident of its own, which may come to
    the same cause. Its symptoms go to the earlier one, which stays open until they are gone, too.

    Args:
        workspace: The opened project.
        finding: As it stands, with its pull request if there is one.
        narrator: Hears where it ends.
        now: UTC.

    Returns:
        The finding, resolved if an open one makes the same change with the same pull request.
    """
    incident = workspace.store.incident(finding.report.incident_id)
    for twin in _same_change(workspace, finding):
        home = workspace.store.incident(twin.report.incident_id)
        if incident is None or home is None or home.status not in OPEN_STATUSES:
            continue
        if home.id == incident.id or _number(twin) != _number(finding):
            continue
        what = f"close as the story of finding {twin.id}"
        reason = f"same cause and same change as finding {twin.id}, which is decided there"
        incidents = workspace.settings.incidents
        try:
            merge(incident, home, store=workspace.store, now=now, config=incidents)
        except LeaseHeld as error:
            narrator.step(what, why=reason, result=f"left open: {error}")
            return finding
        narrator.step(what, why=reason, result=home.title)
        workspace.store.append_audit(
            at=now,
            actor="agent",
            action="merge-incident",
            subject=incident.id,
            allowed=True,
            detail={"into": home.id, "finding": finding.id, "told_by": twin.id},
        )
        return replace(finding, status=FindingStatus.RESOLVED, resolved_because=reason)
    return finding


def retire_earlier(workspace: Workspace, finding: Finding, now: datetime) -> None:
    """Close what was found earlier of the same incident: who asks again wants the newest answer.

    A finding that a person has approved, or that has a pull request of its own, stays.

    Args:
        workspace: The opened project.
        finding: The newest, as it stands.
        now: UTC.
    """
    for earlier in workspace.store.findings(open_only=True):
        same = earlier.report.incident_id == finding.report.incident_id and earlier.id != finding.id
        told = earlier.pull_request is None or _number(earlier) == _number(finding)
        if same and told and earlier.status is not FindingStatus.APPROVED:
            reason = f"looked into again: finding {finding.id} takes its place"
            workspace.store.save_finding(
                replace(earlier, status=FindingStatus.RESOLVED, resolved_because=reason)
            )
            workspace.store.append_audit(
                at=now,
                actor="agent",
                action="replace-finding",
                subject=earlier.id,
                allowed=True,
                detail={"by": finding.id},
            )


def _number(finding: Finding) -> int | None:
    return finding.pull_request.number if finding.pull_request else None


def hand_over(workspace: Workspace, finding: Finding, now: datetime) -> None:
    """Leave the incident to people, or close it where all is well or told elsewhere."""
    incident = workspace.store.incident(finding.report.incident_id)
    if incident is None or incident.status is not IncidentStatus.INVESTIGATING:
        return
    closed = finding.report.verdict is Verdict.HEALTHY or finding.status is FindingStatus.RESOLVED
    status = IncidentStatus.RESOLVED if closed else IncidentStatus.WAITING
    workspace.store.save_incident(lifecycle.move(incident, status, now=now))
