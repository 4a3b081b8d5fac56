"""`FakeCodeHost`: a `CodeHost` in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from dagster_agent.errors import ConnectorError
from dagster_agent.model import PullRequest, PullRequestDraft, PullRequestState

_OPEN = {PullRequestState.DRAFT, PullRequestState.OPEN}


class FakeCodeHost:
    """Implements `ports.CodeHost`.

    Args:
        pull_requests: What is there already, oldest first.
        refuses: Names of methods that fail with a `ConnectorError`, as a host that is down does.
    """

    name = "fake"

    def __init__(
        self, pull_requests: Iterable[PullRequest] = (), *, refuses: Iterable[str] = ()
    ) -> None:
        self.pull_requests = {pr.number: pr for pr in pull_requests}
        """What is there now, by number."""
        self.drafts: list[PullRequestDraft] = []
        """What was asked for, in order; an identical question twice is two entries."""
        self.comments: list[tuple[int, str]] = []
        """Number and text of each comment, in order."""
        self.refuses = set(refuses)
        """May be changed while a test runs."""

    def open_pull_request(self, draft: PullRequestDraft) -> PullRequest:
        """See `CodeHost`."""
        self._answer("open_pull_request")
        self.drafts.append(draft)
        existing = self.find_pull_request(draft.branch)
        if existing and existing.state in _OPEN:
            return existing
        number = max(self.pull_requests, default=0) + 1
        self.pull_requests[number] = PullRequest(
            number=number,
            url=f"https://fake.example/pull/{number}",
            branch=draft.branch,
            base=draft.base,
            title=draft.title,
            head_sha=draft.head_sha,
            state=PullRequestState.DRAFT,
        )
        return self.pull_requests[number]

    def find_pull_request(self, branch: str) -> PullRequest | None:
        """See `CodeHost`."""
        self._answer("find_pull_request")
        found = [pr for pr in self.pull_requests.values() if pr.branch == branch]
        return max(found, key=lambda pr: pr.number, default=None)

    def mark_ready(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """See `CodeHost`."""
        self._answer("mark_ready")
        return self._change(pull_request, PullRequestState.OPEN, comment)

    def close(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """See `CodeHost`."""
        self._answer("close")
        return self._change(pull_request, PullRequestState.CLOSED, comment)

    def _change(self, asked: PullRequest, state: PullRequestState, comment: str) -> PullRequest:
        known = self.pull_requests.get(asked.number)
        if known is None:
            raise ConnectorError(f"fake: there is no pull request {asked.number}")
        if known.state is state:
            return known
        if known.state not in _OPEN:
            raise ConnectorError(f"fake: pull request {asked.number} is {known.state}")
        self.comments.append((asked.number, comment))
        self.pull_requests[asked.number] = dataclasses.replace(known, state=state)
        return self.pull_requests[asked.number]

    def _answer(self, method: str) -> None:
        if method in self.refuses:
            raise ConnectorError("fake: the code host is down", retryable=True)
