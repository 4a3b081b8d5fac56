"""From a proven finding to a draft pull request, and from a person's decision to its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from dagster_agent.actions.pull_request_body import render_body
from dagster_agent.actions.quoting import Quoter
from dagster_agent.autonomy.guard import AutonomyGuard
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.git.command import NETWORK_SECONDS, git
from dagster_agent.git.repository import GitRepository
from dagster_agent.model import (
    Finding,
    ProposedChange,
    PullRequest,
    PullRequestDraft,
    PullRequestState,
)
from dagster_agent.ports import CodeHost

AUTHOR = "dagster-agent <dagster-agent@localhost>"
LABEL = "dagster-agent"
MINIMUM_CONFIDENCE = 0.8
"""Below it a change is shown with the finding and not proposed."""

_SUFFIXES = frozenset({".sql", ".yml", ".yaml", ".md", ".csv"})
_OFF_LIMITS = frozenset(
    {"dbt_project.yml", "profiles.yml", "packages.yml", "dependencies.yml", "package-lock.yml"}
)
"""They change more than a model: credentials, code from elsewhere, what is built at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the change goes."""

    repository: GitRepository
    prefix: str
    """The dbt project's folder in the repository."""
    remote: str
    base: str
    """Branch to merge into."""


def open_pull_request(
    finding: Finding,
    *,
    guard: AutonomyGuard,
    repository: GitRepository,
    project_prefix: str,
    code_host: CodeHost,
    base: str | None,
    now: datetime,
    remote: str = "origin",
    secrets: Sequence[str] = (),
) -> PullRequest:
    """Commit the change on a branch of its own, push it, and open a draft; again, the same one.

    Args:
        finding: With a change that was verified.
        guard: Policy, lease, limits, audit.
        repository: Holds the dbt project; its checkout is not touched.
        project_prefix: The project's folder in the repository; empty at the root.
        code_host: Where it is opened.
        base: Branch to merge into; None: the remote's default branch.
        now: UTC; the commit's time.
        remote: git remote to push to.
        secrets: Values that must not appear; see `privacy.redaction.known_secrets`.

    Raises:
        ApprovalRequired: The change is not proven or out of bounds, or policy refuses.
        ConfigError: No change, no remote, or no base branch.
        ConnectorError: git or the code host failed; what was pushed is taken back.
        LeaseHeld: Another run does the same.
    """
    change = _allowed_change(finding, guard, now)
    place = _Place(
        repository=repository,
        prefix=project_prefix,
        remote=remote,
        base=base or _default_branch(repository, remote),
    )
    branch = branch_name(finding, change)
    existing = code_host.find_pull_request(branch)
    if existing and existing.state in (PullRequestState.DRAFT, PullRequestState.OPEN):
        return existing

    def work() -> PullRequest:
        draft = _commit(finding, change, branch, place, Quoter(secrets), now)
        return _publish(draft, place, code_host)

    return guard.perform(
        "open-pull-request",
        finding.report.incident_id,
        now=now,
        work=work,
        detail={
            "finding": finding.id,
            "branch": branch,
            "base": place.base,
            "code_host": code_host.name,
        },
    )


def mark_ready(
    finding: Finding,
    *,
    guard: AutonomyGuard,
    code_host: CodeHost,
    decided_by: str,
    comment: str,
    now: datetime,
) -> PullRequest:
    """Turn the draft into an open pull request, because a person approved the finding.

    Raises:
        ConfigError: The finding has no pull request.
        ApprovalRequired: Nobody is named, or policy refuses.
        ConnectorError: The code host failed, or the pull request is closed.
    """
    opened = _pull_request(finding)
    said = _said("Approved", finding, decided_by, comment)
    return guard.perform(
        "mark-pull-request-ready",
        finding.report.incident_id,
        now=now,
        work=lambda: code_host.mark_ready(opened, comment=said),
        detail={"finding": finding.id, "number": opened.number, "comment": comment},
        approved_by=decided_by,
    )


def close(
    finding: Finding,
    *,
    guard: AutonomyGuard,
    code_host: CodeHost,
    decided_by: str,
    comment: str,
    now: datetime,
) -> PullRequest:
    """Close the pull request without merging, because a person rejected the finding.

    The branch stays, so that it can be opened again.

    Raises:
        ConfigError: The finding has no pull request.
        ApprovalRequired: Nobody is named, or policy refuses.
        ConnectorError: The code host failed, or the pull request is merged.
    """
    opened = _pull_request(finding)
    said = _said("Rejected", finding, decided_by, comment)
    return guard.perform(
        "close-pull-request",
        finding.report.incident_id,
        now=now,
        work=lambda: code_host.close(opened, comment=said),
        detail={"finding": finding.id, "number": opened.number, "comment": comment},
        approved_by=decided_by,
    )


def branch_name(finding: Finding, change: ProposedChange) -> str:
    """`agent/<incident>-<title>`: asking twice for one incident and change means one branch."""
    words = re.sub(r"[^a-z0-9]+", "-", change.title.lower()).strip("-")[:40].rstrip("-")
    return f"agent/{finding.report.incident_id.lower()}-{words or 'change'}"


def _allowed_change(finding: Finding, guard: AutonomyGuard, now: datetime) -> ProposedChange:
    """The change, once everything speaks for proposing it."""
    report = finding.report
    change, verification = report.change, report.verification
    if change is None:
        raise ConfigError(
            f"finding {finding.id} proposes no change", hint="there is nothing to open"
        )
    reason, hint = "", "read the diff in the finding; a person can apply it by hand"
    if verification is None or not verification.verified:
        reason = "the change is not verified: red before and green after was not shown"
    elif report.confidence < MINIMUM_CONFIDENCE:
        reason = f"confidence {report.confidence:.2f} is below {MINIMUM_CONFIDENCE}"
    elif outside := [edit.path for edit in change.edits if not _in_bounds(edit.path)]:
        reason = f"{', '.join(outside)} is not for the agent to change"
    if reason:
        guard.refuse(
            "open-pull-request",
            report.incident_id,
            now=now,
            reason=reason,
            hint=hint,
            detail={"finding": finding.id},
        )
    return change


def _in_bounds(path: str) -> bool:
    """A file of models, seeds or their descriptions; nothing hidden, no macro, no project file."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not PurePosixPath(path).is_absolute()
        and not any(part.startswith(".") for part in parts)
        and parts[0] != "macros"
        and parts[-1] not in _OFF_LIMITS
        and PurePosixPath(path).suffix in _SUFFIXES
    )


def _default_branch(repository: GitRepository, remote: str) -> str:
    found = repository.default_branch(remote)
    if found is None:
        raise ConfigError(
            f"the default branch of {remote!r} is not known",
            hint="set code_host.base_branch, or add the remote",
        )
    return found


def _commit(
    finding: Finding,
    change: ProposedChange,
    branch: str,
    place: _Place,
    quoter: Quoter,
    now: datetime,
) -> PullRequestDraft:
    """Commit the change on its branch, and say what shall be asked of the code host."""
    title = quoter.plain(change.title)
    sha = place.repository.commit_edits(
        branch=branch,
        base=_base_revision(place),
        edits=change.edits,
        prefix=place.prefix,
        message=f"{title}\n\n{quoter.plain(change.rationale)}",
        author=AUTHOR,
        at=now,
        trailers={"Incident": finding.report.incident_id, "Finding": finding.id},
    )
    return PullRequestDraft(
        branch=branch,
        base=place.base,
        title=title,
        body=render_body(finding, head_sha=sha, quoter=quoter),
        head_sha=sha,
        labels=(LABEL,),
    )


def _base_revision(place: _Place) -> str:
    """The commit to stand on: the base branch as the remote last had it, else as it is here."""
    for revision in (
        f"refs/remotes/{place.remote}/{place.base}",
        f"refs/heads/{place.base}",
        "HEAD",
    ):
        sha = place.repository.resolve(revision)
        if sha is not None:
            return sha
    raise ConfigError(f"{place.repository.root} has no commit", hint="commit the project first")


def _publish(draft: PullRequestDraft, place: _Place, code_host: CodeHost) -> PullRequest:
    """Push and open; when either fails or is interrupted, nothing stays on the remote."""
    try:
        place.repository.push(draft.branch, place.remote)
        return code_host.open_pull_request(draft)
    except BaseException as error:
        try:
            # only what we pushed: a branch that somebody else wrote to is not ours to delete
            if _remote_tip(draft.branch, place) == draft.head_sha:
                place.repository.delete_remote_branch(draft.branch, place.remote)
        except DagsterAgentError as trouble:
            error.add_note(f"the branch {draft.branch} may be left on {place.remote}: {trouble}")
        raise


def _remote_tip(branch: str, place: _Place) -> str | None:
    ref = f"refs/heads/{branch}"
    listed = git(place.repository.root, "ls-remote", place.remote, ref, seconds=NETWORK_SECONDS)
    return listed.decode(errors="replace").partition("\t")[0] or None


def _pull_request(finding: Finding) -> PullRequest:
    if finding.pull_request is None:
        raise ConfigError(
            f"finding {finding.id} has no pull request", hint="apply its diff by hand"
        )
    return finding.pull_request


def _said(verb: str, finding: Finding, decided_by: str, comment: str) -> str:
    quoter = Quoter()
    line = f"{verb} in Dagster by {quoter.prose(decided_by)} (finding {quoter.code(finding.id)})."
    return f"{line}\n\n> {quoter.prose(comment)}" if comment.strip() else line
