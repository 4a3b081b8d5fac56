"""What follows from a report: a pull request where it is proven, and the hand-over to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dagster_agent.actions.pull_request import open_pull_request
from dagster_agent.errors import ApprovalRequired, DagsterAgentError
from dagster_agent.incidents import lifecycle
from dagster_agent.model import Finding, IncidentStatus, PullRequest, PullRequestState, Verdict
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
    change = finding.report.change
    for other in workspace.store.findings(open_only=True):
        request, theirs = other.pull_request, other.report.change
        if other.id == finding.id or request is None or theirs is None or change is None:
            continue
        if theirs.edits == change.edits and request.state in _UNDECIDED:
            return other
    return None


def hand_over(workspace: Workspace, finding: Finding, now: datetime) -> None:
    """Leave the incident to people, or close it where all is well."""
    incident = workspace.store.incident(finding.report.incident_id)
    if incident is None or incident.status is not IncidentStatus.INVESTIGATING:
        return
    healthy = finding.report.verdict is Verdict.HEALTHY
    status = IncidentStatus.RESOLVED if healthy else IncidentStatus.WAITING
    workspace.store.save_incident(lifecycle.move(incident, status, now=now))
