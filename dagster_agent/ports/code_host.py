"""`CodeHost`: where pull requests live."""

from __future__ import annotations

from typing import Protocol

from dagster_agent.model import PullRequest, PullRequestDraft


class CodeHost(Protocol):
    """GitHub, GitLab, ..., or a local bare repository with rendered documents.

    Held only by the autonomy guard's actions. Errors: `ConnectorError`.
    """

    @property
    def name(self) -> str:
        """What a person calls it: `github:acme/dbt`, `local`."""
        ...

    def open_pull_request(self, draft: PullRequestDraft) -> PullRequest:
        """Open a draft pull request, or return the one already open for `draft.branch`."""
        ...

    def find_pull_request(self, branch: str) -> PullRequest | None:
        """The newest pull request whose head is `branch`, whatever its state."""
        ...

    def mark_ready(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """Turn a draft into an open pull request, with a comment that says who approved."""
        ...

    def close(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """Close without merging, with a comment that says why."""
        ...
