"""Hypotheses, the report of an investigation, and the finding that people see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dagster_agent.model.change import ProposedChange, PullRequest, Verification
from dagster_agent.model.evidence import Evidence

UNTESTED_CONFIDENCE_CAP = 0.79
"""A hypothesis that was not tested in a sandbox stays at or below this."""


class HypothesisStatus(StrEnum):
    """What the test said."""

    UNTESTED = "untested"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"


class Recheck(StrEnum):
    """What is run again in the sandbox, to be seen red without the change and green with it."""

    RECONCILIATION = "reconciliation"
    """Do the asset's rows agree with what it is made from, and with its configured truths?"""
    BUILD = "build"
    """Is the asset built without an error?"""
    INVARIANT = "invariant"
    """Does the hypothesis's own invariant hold?"""
    COLUMNS = "columns"
    """Has the asset the columns that the hypothesis names?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """Something that must be true of the data."""

    statement: str
    """In words a person would use: `every payment_id occurs once in stg_payments`."""
    sql: str
    """One SELECT that yields one number: how often it is violated. Tables by their full names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What only a person can answer, with what they can choose from."""

    text: str
    """The question."""
    options: tuple[str, ...]
    """Two or more; the first is what the agent would do."""
    why: str
    """Why the agent cannot decide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A possible cause that says what would refute it."""

    pattern: str
    """Id of the bug pattern that formed it."""
    asset: str
    """dbt unique id whose code or data holds the cause."""
    mechanism: str
    """One or two sentences: what happens, where, since when, with numbers."""
    refuted_by: str
    """The observation that would prove it wrong."""
    confidence: float
    """0 to 1; at most `UNTESTED_CONFIDENCE_CAP` before the test."""
    evidence: tuple[Evidence, ...] = ()
    """What speaks for it."""
    files: tuple[str, ...] = ()
    """Files that hold the cause, relative to the dbt project."""
    line: int | None = None
    """1-based line in the first file."""
    commit: str | None = None
    """Commit that introduced it, when known."""
    change: ProposedChange | None = None
    """What would mend it."""
    recheck: Recheck = Recheck.RECONCILIATION
    """What must be red without the change and green with it."""
    invariant: Invariant | None = None
    """Only with `Recheck.INVARIANT`."""
    columns: tuple[str, ...] = ()
    """Only with `Recheck.COLUMNS`: the columns that are missing."""
    data_cause: bool = False
    """True where the data that arrived is wrong and no code is: then the test builds `asset` and
    its children anew from the same sources, unchanged, and the trouble must stay."""
    question: Question | None = None
    """What only a person can decide if this is the cause, where the pattern knows."""
    status: HypothesisStatus = HypothesisStatus.UNTESTED
    """What the test said."""


class Verdict(StrEnum):
    """How an investigation ends. All four are proper answers."""

    CAUSE_FOUND = "cause-found"
    NARROWED = "narrowed"
    HEALTHY = "healthy"
    CANNOT_TELL = "cannot-tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is wrong and where."""

    files: tuple[str, ...]
    """Files that hold it, relative to the dbt project."""
    mechanism: str
    """What happens, with numbers."""
    pattern: str
    """Id of the bug pattern."""
    line: int | None = None
    """1-based line in the first file."""
    commit: str | None = None
    """Commit that introduced it, when known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """Who is misled."""

    models: tuple[str, ...]
    """dbt unique ids downstream of the cause, itself included, sorted."""
    exposures: tuple[str, ...] = ()
    """`name (owner)` of each exposure that reads them."""
    statement: str = ""
    """One sentence with the numbers that are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one investigation."""

    incident_id: str
    """The incident it answers."""
    asset: str | None
    """dbt unique id of the asset the story is told about."""
    verdict: Verdict
    """How it ended."""
    confidence: float
    """0 to 1."""
    headline: str
    """One line: what happened to which asset, how much, since when."""
    evidence: tuple[Evidence, ...]
    """Numbered `E1`, `E2`, ..."""
    started_at: datetime
    """UTC."""
    finished_at: datetime
    """UTC."""
    cause: Cause | None = None
    """Present when the verdict is `cause-found` or `narrowed`."""
    ruled_out: tuple[str, ...] = ()
    """What was looked at and is not the cause, each with its evidence id."""
    blast_radius: BlastRadius | None = None
    """Who is misled."""
    change: ProposedChange | None = None
    """What would mend it."""
    verification: Verification | None = None
    """What the sandbox showed of the change."""
    question: Question | None = None
    """What a person has to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationRecord:
    """What asking Claude came to, and what it cost."""

    model: str
    """Id of the model."""
    outcome: str
    """`answered`, `nothing-found`, `over-budget`, `unreachable`, `refused`, `invalid-answer`."""
    detail: str = ""
    """Why it ended so."""
    summary: str = ""
    """In Claude's words, bounded and harmless to show."""
    turns: int = 0
    """Requests answered."""
    tool_calls: int = 0
    """Tools run or refused."""
    input_tokens: int = 0
    """Tokens read."""
    output_tokens: int = 0
    """Tokens written."""
    cost_usd: float | None = None
    """At the configured prices; None for a model whose price is not known."""
    seconds: float = 0.0
    """Wall time."""


class FindingStatus(StrEnum):
    """Where a finding stands with people."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A report as people see it: with an identity, a pull request and a state."""

    id: str
    """`F-` and six hexadecimal digits."""
    report: Report
    """What was found."""
    created_at: datetime
    """UTC."""
    pull_request: PullRequest | None = None
    """What was opened for it."""
    status: FindingStatus = FindingStatus.OPEN
    """Where it stands."""
    snoozed_until: datetime | None = None
    """UTC; only while SNOOZED."""
    run_id: str | None = None
    """Dagster run of the investigation."""
    consultation: ConsultationRecord | None = None
    """What asking Claude came to; None where it was not asked."""
    resolved_because: str = ""
    """Why it was closed without a person; empty where it was not."""


class DecisionKind(StrEnum):
    """What a person can say to a finding."""

    APPROVE = "approve"
    REJECT = "reject"
    SNOOZE = "snooze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided."""

    finding_id: str
    """The finding it answers."""
    kind: DecisionKind
    """What was decided."""
    decided_by: str
    """As given in the form; open-source Dagster has no users of its own."""
    decided_at: datetime
    """UTC."""
    comment: str = ""
    """In their words."""
    run_id: str | None = None
    """Dagster run that recorded it."""
