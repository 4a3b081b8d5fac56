"""What a pull request says, and that it is opened once.

This file is long because everything a pull request owes its reviewers is told on the same
incident and remote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_agent.actions.pull_request import branch_name, close, mark_ready, open_pull_request
from dagster_agent.autonomy.config import AutonomyConfig
from dagster_agent.autonomy.guard import AutonomyGuard
from dagster_agent.connectors.code_hosts.local import LocalCodeHost
from dagster_agent.errors import ApprovalRequired, ConfigError, ConnectorError
from dagster_agent.git.repository import GitRepository
from dagster_agent.model import (
    FileEdit,
    Finding,
    ProposedChange,
    PullRequest,
    PullRequestDraft,
    PullRequestState,
)
from dagster_agent.ports import CodeHost
from dagster_agent.testing import FakeCodeHost, MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
BRANCH = "agent/i-3f2a1c-keep-flights-whose-plane-is-unknown"

Git = Callable[..., str]


class Desk:
    """Everything that opening a pull request needs."""

    def __init__(self, repository: GitRepository, host: CodeHost) -> None:
        self.repository = repository
        self.host = host
        self.store = MemoryStore()
        self.guard = AutonomyGuard(self.store, AutonomyConfig(), holder="run-1")

    def open(self, finding: Finding, *, base: str | None = None) -> PullRequest:
        return open_pull_request(
            finding,
            guard=self.guard,
            repository=self.repository,
            project_prefix="dbt",
            code_host=self.host,
            base=base,
            now=NOW,
        )

    def log(self) -> list[tuple[str, str]]:
        return [(r.action, str(r.detail["phase"])) for r in self.store.audit()]


@pytest.fixture
def host() -> FakeCodeHost:
    return FakeCodeHost()


@pytest.fixture
def desk(repository: GitRepository, host: FakeCodeHost) -> Desk:
    return Desk(repository, host)


def with_report(finding: Finding, **changes: object) -> Finding:
    return dataclasses.replace(finding, report=dataclasses.replace(finding.report, **changes))


def with_edit(finding: Finding, path: str) -> Finding:
    assert finding.report.change is not None
    edits = (FileEdit(path=path, before=None, after="x\n"),)
    return with_report(finding, change=dataclasses.replace(finding.report.change, edits=edits))


def remote_branches(git: Git) -> list[str]:
    return git("for-each-ref", "--format=%(refname:short)", "refs/heads", bare=True).splitlines()


def test_a_proven_finding_becomes_a_branch_and_a_draft(
    desk: Desk, host: FakeCodeHost, git: Git, finding: Finding
) -> None:
    opened = desk.open(finding)
    assert (opened.branch, opened.base, opened.state) == (BRANCH, "main", PullRequestState.DRAFT)
    assert git("rev-parse", BRANCH, bare=True) == opened.head_sha
    assert git("log", "--format=%an <%ae> %aI%n%B", "-1", BRANCH, bare=True) == (
        "dagster-agent <dagster-agent@localhost> 2026-11-03T06:12:00+00:00\n"
        "Keep flights whose plane is unknown\n\n"
        "A left join keeps every flight; nothing reads the columns of `planes`.\n\n"
        "Incident: I-3F2A1C\nFinding: F-0a1b2c"
    )
    assert git("diff", "--stat", f"main..{BRANCH}", bare=True).startswith(
        "dbt/models/stg_flights.sql | 2 +-"
    )
    (draft,) = host.drafts
    assert draft.title == "Keep flights whose plane is unknown"
    assert draft.labels == ("dagster-agent",)
    assert f"git revert {opened.head_sha}" in draft.body
    assert git("status", "--porcelain") == ""
    assert git("branch", "--show-current") == "main"
    assert desk.log() == [("open-pull-request", "intent"), ("open-pull-request", "done")]


def test_asking_twice_gives_one_pull_request(
    desk: Desk, host: FakeCodeHost, git: Git, finding: Finding
) -> None:
    opened = desk.open(finding)
    assert desk.open(finding) == opened
    assert len(host.pull_requests) == 1
    assert len(desk.store.audit()) == 2


def test_with_the_local_host(repository: GitRepository, tmp_path: Path, finding: Finding) -> None:
    opened = Desk(repository, LocalCodeHost(tmp_path / "remote.git")).open(finding)
    page = Path(opened.url.removeprefix("file://"))
    assert page.parent == tmp_path / "remote.git" / "pull-requests"
    assert "+left join planes p on f.tailnum = p.tailnum" in page.read_text()


@pytest.mark.parametrize(
    "broken",
    [
        lambda f: with_report(f, verification=None),
        lambda f: with_report(
            f, verification=dataclasses.replace(f.report.verification, tests_failed=("t",))
        ),
        lambda f: with_report(f, verification=dataclasses.replace(f.report.verification, steps=())),
        lambda f: with_report(f, confidence=0.79),
    ],
)
def test_without_proof_nothing_is_opened(
    desk: Desk, git: Git, finding: Finding, broken: Callable[[Finding], Finding]
) -> None:
    with pytest.raises(ApprovalRequired, match=r"not verified|confidence 0\.79 is below 0\.8"):
        desk.open(broken(finding))
    assert remote_branches(git) == ["main"]
    assert [(r.action, r.allowed) for r in desk.store.audit()] == [("open-pull-request", False)]


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        "models/.hidden.sql",
        "macros/ref.sql",
        "dbt_project.yml",
        "profiles.yml",
        "packages.yml",
        "models/run.py",
        "models/Makefile",
        "/etc/x.sql",
        "../x.sql",
    ],
)
def test_only_models_and_their_descriptions_are_changed(
    desk: Desk, git: Git, finding: Finding, path: str
) -> None:
    with pytest.raises(ApprovalRequired, match="is not for the agent to change"):
        desk.open(with_edit(finding, path))
    assert remote_branches(git) == ["main"]


def test_a_new_file_of_the_project_is_fine(desk: Desk, git: Git, finding: Finding) -> None:
    desk.open(with_edit(finding, "models/staging/größe.yml"))
    assert "größe.yml" in git(
        "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", BRANCH, bare=True
    )


def test_a_finding_without_a_change_cannot_be_opened(desk: Desk, finding: Finding) -> None:
    with pytest.raises(ConfigError, match="F-0a1b2c proposes no change"):
        desk.open(with_report(finding, change=None))


def test_when_the_host_is_down_nothing_stays_pushed(
    desk: Desk, host: FakeCodeHost, git: Git, finding: Finding
) -> None:
    host.refuses = {"open_pull_request"}
    with pytest.raises(ConnectorError, match="the code host is down"):
        desk.open(finding)
    assert remote_branches(git) == ["main"]
    assert desk.log() == [("open-pull-request", "intent"), ("open-pull-request", "failed")]
    assert desk.store.leases(now=NOW) == []
    host.refuses = set()
    assert desk.open(finding).number == 1
    assert remote_branches(git) == [BRANCH, "main"]


class Terminated(BaseException):
    """As Dagster's interruption: no Exception."""


class TerminatedHost(FakeCodeHost):
    """Somebody presses Terminate while the request is under way."""

    def open_pull_request(self, draft: PullRequestDraft) -> PullRequest:
        raise Terminated


def test_terminate_leaves_nothing_half_pushed(
    repository: GitRepository, git: Git, finding: Finding
) -> None:
    desk = Desk(repository, TerminatedHost())
    with pytest.raises(Terminated):
        desk.open(finding)
    assert remote_branches(git) == ["main"]
    assert desk.log() == [("open-pull-request", "intent"), ("open-pull-request", "interrupted")]
    assert desk.store.leases(now=NOW) == []


class SlowRepository(GitRepository):
    """Somebody presses Terminate when the remote has the branch and git has not returned yet."""

    def push(self, branch: str, remote_name: str = "origin") -> None:
        super().push(branch, remote_name)
        raise Terminated


def test_terminate_during_the_push_leaves_nothing_pushed(
    repository: GitRepository, git: Git, finding: Finding
) -> None:
    with pytest.raises(Terminated):
        Desk(SlowRepository(repository.root), FakeCodeHost()).open(finding)
    assert remote_branches(git) == ["main"]


def test_a_branch_that_somebody_else_wrote_to_is_left_alone(
    desk: Desk, git: Git, finding: Finding
) -> None:
    git("branch", "theirs", "main")
    git("commit", "--quiet", "--allow-empty", "--message", "Theirs")
    git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    theirs = git("rev-parse", BRANCH, bare=True)
    with pytest.raises(ConnectorError, match="commits of other people"):
        desk.open(finding, base="main")
    assert git("rev-parse", BRANCH, bare=True) == theirs


def test_a_remote_that_is_gone_is_an_error(
    desk: Desk, tmp_path: Path, git: Git, finding: Finding
) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    with pytest.raises(ConnectorError, match="git"):
        desk.open(finding, base="main")
    assert desk.log()[-1] == ("open-pull-request", "failed")


def test_without_a_remote_the_setting_is_named(desk: Desk, git: Git, finding: Finding) -> None:
    git("remote", "remove", "origin")
    with pytest.raises(ConfigError, match=r"default branch of 'origin'.*base_branch"):
        desk.open(finding)


def test_texts_from_outside_cannot_forge_the_commit(desk: Desk, git: Git, finding: Finding) -> None:
    assert finding.report.change is not None
    change = dataclasses.replace(
        finding.report.change,
        title="Keep\n\nCo-authored-by: x <x@y>",
        rationale="Fixes #12\n\nFinding: F-ffffff",
    )
    desk.open(with_report(finding, change=change))
    branch = "agent/i-3f2a1c-keep-co-authored-by-x-x-y"
    trailers = git("log", "-1", "--format=%(trailers:unfold)", branch, bare=True)
    assert trailers == "Incident: I-3F2A1C\nFinding: F-0a1b2c"
    assert "#12" not in git("log", "-1", "--format=%B", branch, bare=True)


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Keep flights", "agent/i-3f2a1c-keep-flights"),
        ("..//~^: @{-1}", "agent/i-3f2a1c-1"),
        ("日本", "agent/i-3f2a1c-change"),
        ("x" * 99, f"agent/i-3f2a1c-{'x' * 40}"),
    ],
)
def test_branch_names(finding: Finding, title: str, branch: str) -> None:
    change = ProposedChange(title=title, rationale="", edits=(), assets=())
    assert branch_name(finding, change) == branch


def test_approval_marks_it_ready_and_says_who(
    desk: Desk, host: FakeCodeHost, finding: Finding
) -> None:
    finding = dataclasses.replace(finding, pull_request=desk.open(finding))
    ready = mark_ready(
        finding,
        guard=desk.guard,
        code_host=host,
        decided_by="ana",
        comment="looks right @ops",
        now=NOW,
    )
    assert ready.state is PullRequestState.OPEN
    assert host.comments == [
        (1, "Approved in Dagster by ana (finding `F-0a1b2c`).\n\n> looks right @\u200bops")
    ]
    done = desk.store.audit()[-1]
    assert (done.action, done.detail["approved_by"]) == ("mark-pull-request-ready", "ana")


def test_rejection_closes_it(desk: Desk, host: FakeCodeHost, finding: Finding) -> None:
    finding = dataclasses.replace(finding, pull_request=desk.open(finding))
    closed = close(
        finding, guard=desk.guard, code_host=host, decided_by="ana", comment=" ", now=NOW
    )
    assert closed.state is PullRequestState.CLOSED
    assert host.comments == [(1, "Rejected in Dagster by ana (finding `F-0a1b2c`).")]


@pytest.mark.parametrize("act", [mark_ready, close])
def test_nobody_decides_nothing(
    desk: Desk, host: FakeCodeHost, finding: Finding, act: Callable[..., PullRequest]
) -> None:
    finding = dataclasses.replace(finding, pull_request=desk.open(finding))
    with pytest.raises(ApprovalRequired):
        act(finding, guard=desk.guard, code_host=host, decided_by=" ", comment="", now=NOW)
    assert host.pull_requests[1].state is PullRequestState.DRAFT


@pytest.mark.parametrize("act", [mark_ready, close])
def test_a_finding_without_a_pull_request_cannot_be_decided_there(
    desk: Desk, host: FakeCodeHost, finding: Finding, act: Callable[..., PullRequest]
) -> None:
    with pytest.raises(ConfigError, match="F-0a1b2c has no pull request"):
        act(finding, guard=desk.guard, code_host=host, decided_by="ana", comment="", now=NOW)
