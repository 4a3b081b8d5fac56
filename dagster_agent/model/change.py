"""A proposed change, its proof, and the pull request it becomes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum

from dagster_agent.model.table import ResultTable


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """One file before and after."""

    path: str
    """POSIX path relative to the dbt project."""
    before: str | None
    """Text before; None creates the file."""
    after: str
    """Text after."""

    def diff(self) -> str:
        """Unified diff, as git prints it without its header lines."""
        old = (self.before or "").splitlines(keepends=True)
        new = self.after.splitlines(keepends=True)
        start = "/dev/null" if self.before is None else f"a/{self.path}"
        lines = difflib.unified_diff(old, new, start, f"b/{self.path}")
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """A change to the dbt project that would mend the cause."""

    title: str
    """Imperative, one line: becomes the commit's and the pull request's title."""
    rationale: str
    """Why this is the smallest change that mends it."""
    edits: tuple[FileEdit, ...]
    """At least one."""
    assets: tuple[str, ...]
    """dbt unique ids that are built differently by it."""

    def diff(self) -> str:
        """Unified diff of all files, in path order."""
        return "".join(edit.diff() for edit in sorted(self.edits, key=lambda e: e.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDiff:
    """How one model's rows differ between the build before and the build with the change."""

    asset: str
    """dbt unique id."""
    rows_before: int
    """Row count without the change."""
    rows_after: int
    """Row count with it."""
    rows_added: int
    """Rows (whole-row comparison, duplicates counted) only with the change."""
    rows_removed: int
    """Rows only without the change."""
    columns_added: tuple[str, ...] = ()
    """Columns that exist only with the change."""
    columns_removed: tuple[str, ...] = ()
    """Columns that exist only without it."""

    @property
    def identical(self) -> bool:
        """No row and no column differs."""
        return not (
            self.rows_added or self.rows_removed or self.columns_added or self.columns_removed
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationStep:
    """One thing that was run to prove or refute a hypothesis."""

    name: str
    """`reproduce`, `apply`, `rebuild`, `recheck`, `tests`, `data-diff`; `sandbox` for a step that
    could not be carried out and so says nothing about the change."""
    passed: bool
    """Whether it came out as the hypothesis demands."""
    detail: str
    """What was seen, with numbers."""
    seconds: float
    """Wall time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the sandbox showed."""

    steps: tuple[VerificationStep, ...]
    """In the order run; ends at the first that failed."""
    tests_passed: int = 0
    """dbt tests of the changed models that passed with the change."""
    tests_failed: tuple[str, ...] = ()
    """dbt tests that fail with the change and passed without it."""
    data_diff: tuple[TableDiff, ...] = ()
    """One per rebuilt model, in build order."""
    before: ResultTable | None = None
    """The failed thing before."""
    after: ResultTable | None = None
    """The same after."""

    @property
    def verified(self) -> bool:
        """Red before, green after, and nothing else broke."""
        return bool(self.steps) and all(s.passed for s in self.steps) and not self.tests_failed

    @property
    def seconds(self) -> float:
        """Wall time of all steps."""
        return sum(step.seconds for step in self.steps)


class PullRequestState(StrEnum):
    """State on the code host."""

    DRAFT = "draft"
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestDraft:
    """What is asked of a code host."""

    branch: str
    """Head branch; derived from the incident, so asking twice gives one pull request."""
    base: str
    """Branch to merge into."""
    title: str
    """One line."""
    body: str
    """Markdown: evidence, diff, data diff, rollback."""
    head_sha: str
    """Commit at the head."""
    labels: tuple[str, ...] = ()
    """Labels to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the code host knows it."""

    number: int
    """Number on the host."""
    url: str
    """Where a person reads it; a `file:` URL for a local bare repository."""
    branch: str
    """Head branch."""
    base: str
    """Branch to merge into."""
    title: str
    """One line."""
    head_sha: str
    """Commit at the head."""
    state: PullRequestState
    """Draft until a person approves."""
