"""An inner join to a lookup drops the rows that have no match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.join_history import commit_that_narrowed
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import (
    Asset,
    Evidence,
    FileEdit,
    Hypothesis,
    ProposedChange,
    ResultTable,
)
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.sql.row_accounting import ScopeAccount, StepCount
from dagster_agent.sql.scopes import Join

_PRIOR = 0.6
"""Rows vanish at an inner join that also reads columns: seldom meant, and easily written."""
_WITH_COMMIT = 0.15
"""A commit turned that very join from left to inner."""
_EXACT = 0.04
"""The joins' losses add up to all that the model loses."""
_EPHEMERAL = "__dbt__cte__"
"""Scopes that dbt inlines from ephemeral models, which are accounted by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """Rows lost at one inner join."""

    scope: ScopeAccount
    step: StepCount
    join: Join
    rows_in: int
    alone: int | None
    """Rows without a match, had no other join dropped rows before."""


@bug_pattern(id="inner-join-drops-rows")
def inner_join_drops_rows(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """Rows without a match vanish at an inner join, and every dbt test stays green.

    Seen as: row accounting loses rows at an inner join whose right side contributes columns. Where
    a commit turned a left join into this inner join, that is the cause; where it always was inner,
    it is a careless join from the start.
    Not this pattern: an inner join that reads nothing from its right side (a filter by another
    name), rows lost to a WHERE, rows multiplied by a join.
    Refuted if: with a left join in its place the rows do not come back.
    """
    for account in dossier.accounts:
        losses = _losses(account)
        if losses:
            asset = codebase.manifest.asset(account.asset)
            yield _hypothesis(asset, account, losses, codebase)


def _losses(account: AssetAccount) -> list[_Loss]:
    found: list[_Loss] = []
    for scope in account.scopes:
        if scope.scope.startswith(_EPHEMERAL):
            continue
        rows_in = 0
        for step in scope.steps:
            if step.join is not None and step.recoverable:
                alone = account.unmatched_alone.get(str(step.join.ordinal))
                found.append(
                    _Loss(scope=scope, step=step, join=step.join, rows_in=rows_in, alone=alone)
                )
            rows_in = step.rows
    return found


def _hypothesis(
    asset: Asset, account: AssetAccount, losses: list[_Loss], codebase: Codebase
) -> Hypothesis:
    narrowing = _narrowing_commit(asset, losses, codebase)
    change, line, obstacle = _change(asset, losses, codebase)
    told = "; ".join(_told(loss) for loss in losses)
    mechanism = told
    if narrowing is not None:
        mechanism = (
            f"Commit {narrowing.sha[:7]} ({narrowing.at:%Y-%m-%d %H:%M} UTC) turned a left join "
            f"into an inner join: {mechanism}"
        )
    if obstacle:
        mechanism += f". No change is proposed: {obstacle}"
    lost_elsewhere = sum(
        step.lost for scope in account.scopes for step in scope.steps if step.kind != "join"
    )
    confidence = _PRIOR + (_WITH_COMMIT if narrowing else 0) + (0 if lost_elsewhere else _EXACT)
    return Hypothesis(
        pattern="inner-join-drops-rows",
        asset=asset.unique_id,
        mechanism=mechanism,
        refuted_by="the rows stay away with a left join in its place",
        confidence=confidence,
        evidence=tuple(_evidence(account, losses, narrowing)),
        files=(asset.path,),
        line=line,
        commit=narrowing.sha if narrowing else None,
        change=change,
    )


def _told(loss: _Loss) -> str:
    lost = loss.step.recoverable or 0
    share = lost / loss.rows_in if loss.rows_in else 0.0
    told = (
        f"the {loss.join.label} drops {lost:,} of {loss.rows_in:,} rows ({share:.1%}) "
        f"that have no match in {loss.join.source.label}"
    )
    if loss.alone is not None and loss.alone != lost:
        told += f" ({loss.alone:,} by itself, the others are dropped before)"
    return told


def _evidence(
    account: AssetAccount, losses: list[_Loss], narrowing: Commit | None
) -> Iterator[Evidence]:
    scopes = {loss.scope.scope: loss.scope for loss in losses}
    steps = [(scope, step) for scope in scopes.values() for step in scope.steps]
    rows_in, rows_out = steps[0][1].rows, steps[-1][1].rows
    others = [
        step
        for scope in account.scopes
        for step in scope.steps
        if step.kind == "join" and all(step is not loss.step for loss in losses)
    ]
    spared = sum(not step.lost for step in others)
    statement = f"{rows_in:,} rows in, {rows_out:,} rows out; lost: " + ", ".join(
        f"{loss.step.recoverable or 0:,} at {loss.join.label}" for loss in losses
    )
    if others:
        statement += f"; {spared} of {len(others)} other joins lose none"
    yield Evidence(
        kind="row-accounting",
        statement=statement,
        query=losses[0].step.query,
        result=ResultTable(
            columns=("step", "rows", "lost", "added"),
            rows=tuple((step.label, step.rows, step.lost, step.added) for _, step in steps),
        ),
    )
    if narrowing is not None:
        yield Evidence(
            kind="timeline",
            statement=f"the left join became an inner join in {narrowing.sha[:7]} of "
            f"{narrowing.at:%Y-%m-%d %H:%M} UTC by {narrowing.author}: {narrowing.subject}",
            source=narrowing.sha,
        )


def _narrowing_commit(asset: Asset, losses: list[_Loss], codebase: Codebase) -> Commit | None:
    """The newest commit that narrowed any of the joins."""
    commits = [
        commit
        for loss in losses
        if (commit := commit_that_narrowed(codebase, asset.path, loss.join.source.label))
    ]
    return max(commits, key=lambda commit: commit.at, default=None)


def _change(
    asset: Asset, losses: list[_Loss], codebase: Codebase
) -> tuple[ProposedChange | None, int | None, str]:
    """All the joins made left joins in one edit; the line of the first; what stands in the way."""
    before = codebase.text(asset.path)
    if before is None:
        return None, None, f"{asset.path} is not in the project"
    text, lines, rationale = before, list[int](), list[str]()
    for loss in losses:
        proposed = (
            fixers()
            .get("left-join")
            .propose(
                Fault(
                    asset=asset.unique_id,
                    path=asset.path,
                    text=text,
                    compiled_code=codebase.manifest.compiled_code(asset.unique_id) or "",
                    dialect=codebase.dialect,
                    join_ordinal=loss.join.ordinal,
                )
            )
        )
        if isinstance(proposed, NoEdit):
            return None, None, f"of the {loss.join.label}, {proposed.reason}"
        (edit,) = proposed.edits
        lines.append(_first_difference(text, edit.after))
        text = edit.after
        rationale.append(proposed.rationale)
    labels = " and ".join(dict.fromkeys(loss.join.source.label for loss in losses))
    change = ProposedChange(
        title=f"Keep the rows of {asset.name} that have no match in {labels}",
        rationale=" ".join(rationale),
        edits=(FileEdit(path=asset.path, before=before, after=text),),
        assets=(asset.unique_id,),
    )
    return change, min(lines), ""


def _first_difference(before: str, after: str) -> int:
    """1-based number of the first line that differs."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((n for n, (old, new) in enumerate(pairs, 1) if old != new), 1)
