"""A specialist's answer: its schema, and how it becomes hypotheses. What is not true is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.specialists.envelope import plain_words
from dagster_agent.investigation.specialists.proposal import Proposal
from dagster_agent.investigation.specialists.toolbox import CallRecord, Toolbox
from dagster_agent.model import (
    UNTESTED_CONFIDENCE_CAP,
    Evidence,
    FileEdit,
    Hypothesis,
    Recheck,
)

PATTERN = "claude"
"""`Hypothesis.pattern` of what a specialist suspects."""
MOST_HYPOTHESES = 3
_SHA = re.compile(r"[0-9a-f]{7,64}")


class InvalidAnswer(Exception):
    """The answer cannot be used; the message tells the specialist why."""


class Citation(BaseModel):
    """What a tool call showed."""

    model_config = ConfigDict(extra="forbid")

    call: str = Field(description="Id of the tool call: `T3`.")
    statement: str = Field(description="What it shows, one sentence with its numbers.")


class Suspicion(BaseModel):
    """A possible cause."""

    model_config = ConfigDict(extra="forbid")

    asset: str = Field(description="dbt unique id of the asset whose code or data is wrong.")
    mechanism: str = Field(
        description="One or two sentences: what happens, where, since when, with numbers."
    )
    refuted_by: str = Field(description="The observation that would prove it wrong.")
    confidence: float = Field(ge=0, le=1, description="0 to 1.")
    evidence: list[Citation]
    proposal: str | None = Field(description="Id of the propose_change that mends it, or null.")
    commit: str | None = Field(description="Id of the commit that introduced it, or null.")


class Answer(BaseModel):
    """What a specialist concludes."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(description="Two or three sentences for the team.")
    suspicions: list[Suspicion] = Field(description="At most three, likeliest first; may be empty.")


def read_answer(
    text: str, *, toolbox: Toolbox, codebase: Codebase, scope: tuple[str, ...]
) -> tuple[str, tuple[Hypothesis, ...]]:
    """The summary and the hypotheses, likeliest first.

    Raises:
        InvalidAnswer: It is no JSON of the schema, or names what does not exist.
    """
    try:
        answer = Answer.model_validate_json(text)
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, p['loc'])) or 'the text'}: {p['msg']}"
            for p in error.errors(include_input=False, include_url=False)[:8]
        ]
        raise InvalidAnswer("; ".join(told)) from None
    best = sorted(answer.suspicions, key=lambda s: -s.confidence)[:MOST_HYPOTHESES]
    found = tuple(_hypothesis(s, toolbox, codebase, scope) for s in best)
    return plain_words(answer.summary, 800, secrets=toolbox.secrets), found


def _hypothesis(
    suspicion: Suspicion, toolbox: Toolbox, codebase: Codebase, scope: tuple[str, ...]
) -> Hypothesis:
    try:
        asset = codebase.manifest.find(suspicion.asset)
    except DagsterAgentError as error:
        raise InvalidAnswer(str(error)) from None
    if asset.unique_id not in scope:
        raise InvalidAnswer(f"{asset.unique_id} is not in scope")
    proposal = _proposal(suspicion.proposal, toolbox.proposals)
    change = proposal.change if proposal else None
    edits = change.edits if change else ()
    return Hypothesis(
        pattern=PATTERN,
        asset=asset.unique_id,
        mechanism=plain_words(suspicion.mechanism, 500, secrets=toolbox.secrets),
        refuted_by=plain_words(suspicion.refuted_by, 300, secrets=toolbox.secrets),
        confidence=min(suspicion.confidence, UNTESTED_CONFIDENCE_CAP),
        evidence=tuple(_evidence(c, toolbox) for c in suspicion.evidence[:8]),
        files=tuple(edit.path for edit in edits) or ((asset.path,) if asset.path else ()),
        line=_first_changed_line(edits[0]) if edits else None,
        commit=_commit(suspicion.commit, codebase),
        change=change,
        recheck=proposal.recheck if proposal else Recheck.RECONCILIATION,
        invariant=proposal.invariant if proposal else None,
        data_cause=proposal is not None and change is None,
    )


def _proposal(number: str | None, known: Mapping[str, Proposal]) -> Proposal | None:
    if number is None:
        return None
    if number not in known:
        listed = ", ".join(known) or "none was recorded"
        raise InvalidAnswer(f"there is no proposal {number!r} (recorded: {listed})")
    return known[number]


def _evidence(citation: Citation, toolbox: Toolbox) -> Evidence:
    record: CallRecord | None = toolbox.records.get(citation.call)
    if record is None:
        listed = ", ".join(toolbox.records) or "none"
        raise InvalidAnswer(f"there is no tool call {citation.call!r} (made: {listed})")
    return Evidence(
        kind=record.evidence,
        statement=plain_words(citation.statement, 300, secrets=toolbox.secrets),
        query=record.query,
        result=record.table,
        source=f"{record.tool} {record.arguments}"[:300],
    )


def _commit(sha: str | None, codebase: Codebase) -> str | None:
    if sha is None or codebase.repository is None:
        return None
    found = codebase.repository.resolve(sha) if _SHA.fullmatch(sha) else None
    if found is None:
        raise InvalidAnswer(f"there is no commit {sha[:80]!r}; take it from git_log, or give null")
    return found


def _first_changed_line(edit: FileEdit) -> int:
    before, after = (edit.before or "").splitlines(), edit.after.splitlines()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return same + 1
