"""What would mend it, and what would prove that."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_agent.errors import ConnectorError
from dagster_agent.investigation.specialists.edit_policy import TextEdit, changed_files, models_of
from dagster_agent.investigation.specialists.envelope import plain_words
from dagster_agent.investigation.specialists.free_query import free_query
from dagster_agent.investigation.specialists.proposal import Proposal
from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)
from dagster_agent.model import Invariant, ProposedChange, Recheck

_MOST = 8


class Edit(BaseModel):
    """One replacement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="File, relative to the dbt project.")
    old: str = Field(min_length=1, description="Text that stands exactly once in the file.")
    new: str = Field(description="What takes its place.")


class Claim(BaseModel):
    """Something that must be true of the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statement: str = Field(description="In words: `every payment_id occurs once in stg_payments`.")
    sql: str = Field(description="One SELECT of one number: how often it is violated. No `*`.")


class ProposeChange(ToolArguments):
    """A change and its proof."""

    title: str = Field(description="Imperative, one line: `Keep flights without a plane`.")
    rationale: str = Field(description="Why this is the smallest change that mends the cause.")
    edits: list[Edit] = Field(
        description="Smallest replacements. Empty: no code is wrong, the data that arrived is."
    )
    recheck: Literal["reconciliation", "build", "invariant"] = Field(
        description="What is red now and green with the change. reconciliation: the model's rows "
        "agree with its inputs; build: the model builds; invariant: your own claim holds."
    )
    invariant: Claim | None = Field(description="With recheck `invariant` only, else null.")


@tool(id="propose-change", arguments=ProposeChange)
def propose_change(arguments: ProposeChange, bench: Bench) -> ToolOutput:
    """Record a change that would mend the cause, to be cited in your answer by its id. Nothing is
    changed: after your answer it is tried in a private copy, where the recheck must be red without
    it and green with it, and no test may break. Only the .sql files of models in scope and the
    `models:` of the yml files that describe them may be edited; no macros, no configuration. For a
    cause in the data give no edits, and an invariant that is violated.
    """
    if len(bench.proposals) >= _MOST:
        raise ToolError(f"{_MOST} proposals are enough", hint="answer with the best of them")
    invariant, violations = _invariant(arguments, bench)
    edits = changed_files(
        [TextEdit(path=e.path, old=e.old, new=e.new) for e in arguments.edits],
        codebase=bench.codebase,
        scope=bench.dossier.scope,
    )
    number = f"P{len(bench.proposals) + 1}"
    change = None
    if edits:
        change = ProposedChange(
            title=plain_words(arguments.title, 72, secrets=bench.secrets),
            rationale=plain_words(arguments.rationale, 600, secrets=bench.secrets),
            edits=edits,
            assets=models_of(edits, codebase=bench.codebase, scope=bench.dossier.scope),
        )
    recheck = Recheck(arguments.recheck)
    bench.proposals[number] = Proposal(
        id=number, change=change, recheck=recheck, invariant=invariant
    )
    data = {
        "proposal": number,
        "rebuilds": list(change.assets) if change else [],
        "diff": change.diff() if change else "",
        "violated_now": violations,
    }
    files = ", ".join(edit.path for edit in edits) or "no file: the data is wrong"
    return ToolOutput(data=data, summary=f"{number}: {files}; recheck {recheck}")


def _invariant(arguments: ProposeChange, bench: Bench) -> tuple[Invariant | None, int | None]:
    """The claim, and how often it is violated now, which also shows that it runs."""
    claim = arguments.invariant
    if (arguments.recheck == "invariant") != (claim is not None):
        raise ToolError(
            "recheck `invariant` and an invariant go together", hint="give both or none"
        )
    if not arguments.edits and claim is None:
        raise ToolError("a cause in the data needs an invariant", hint="one that is violated now")
    if claim is None:
        return None, None
    checked = free_query(claim.sql, manifest=bench.manifest, dialect=bench.codebase.dialect)
    try:
        rows = bench.warehouse.query(checked.sql, purpose="claude: invariant", max_rows=2).rows
    except ConnectorError as error:
        raise ToolError(checked.explained(error)) from error
    if len(rows) != 1 or len(rows[0]) != 1 or not isinstance(rows[0][0], int | float | Decimal):
        raise ToolError("the invariant does not yield one number", hint="SELECT count(*) ...")
    statement = plain_words(claim.statement, 200, secrets=bench.secrets)
    return Invariant(statement=statement, sql=checked.sql), int(rows[0][0])
