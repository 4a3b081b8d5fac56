"""A filter that a recent commit added takes rows away; its author knows whether it is meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.filter_history import AddedFilter, added_filters
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import Asset, Evidence, Hypothesis, Question, ResultTable
from dagster_agent.sql.row_accounting import StepCount

_PRIOR = 0.7
"""A commit since the last good run added a condition, and the rows are lost at that clause."""
_RECENT = timedelta(days=14)
"""Where no last good run is known, commits older than this are no news."""
_FILTERS = ("where", "qualify")


@bug_pattern(id="new-filter-drops-rows")
def new_filter_drops_rows(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A commit added a condition to WHERE, and the rows that it takes away are missing since.

    Seen as: fewer rows than usual, nothing wrong with the source, row accounting loses rows at a
    filter, and a commit since the last good run (or of the last two weeks) brought a condition in.
    Not this pattern: filters that were always there, rows lost at joins.
    Refuted if: the person who wrote it says that the rows are meant to go. So it asks.
    """
    for account in dossier.accounts:
        losses = [
            step
            for scope in account.scopes
            for step in scope.steps
            if step.kind in _FILTERS and step.lost
        ]
        if not losses:
            continue
        asset = codebase.manifest.asset(account.asset)
        found = _recent(dossier, codebase, asset.path)
        if found is not None:
            step = max(losses, key=lambda step: step.lost)
            yield _hypothesis(asset, account, step, found)


def _recent(dossier: Dossier, codebase: Codebase, path: str) -> AddedFilter | None:
    since = dossier.last_good or dossier.incident.opened_at - _RECENT
    return next((f for f in added_filters(codebase, path) if f.commit.at >= since), None)


def _hypothesis(
    asset: Asset, account: AssetAccount, step: StepCount, found: AddedFilter
) -> Hypothesis:
    commit = found.commit
    rows_in = step.rows + step.lost - step.added
    written = " and ".join(found.conditions)
    compared = f"{rows_in:,} rows without it, {step.rows:,} with it"
    mechanism = (
        f"Commit {commit.sha[:7]} ({commit.at:%Y-%m-%d %H:%M} UTC) added the filter "
        f"`{written}` to {asset.name}: {compared} ({step.lost / rows_in:.0%} fewer)"
    )
    return Hypothesis(
        pattern="new-filter-drops-rows",
        asset=asset.unique_id,
        mechanism=mechanism,
        refuted_by="the rows are as few without the condition",
        confidence=_PRIOR,
        evidence=(
            Evidence(
                kind="row-accounting",
                statement=f"{step.lost:,} of {rows_in:,} rows are lost at {step.label}",
                query=step.query,
                result=_steps(account),
            ),
            Evidence(
                kind="timeline",
                statement=f"the condition came with {commit.sha[:7]} of "
                f"{commit.at:%Y-%m-%d %H:%M} UTC by {commit.author}: {commit.subject}",
                source=commit.sha,
            ),
        ),
        files=(asset.path,),
        commit=commit.sha,
        question=Question(
            text=f"Was it intended that `{written}` takes {step.lost:,} of {rows_in:,} rows out "
            f"of {asset.name}?",
            options=(
                f"no: take the condition of {commit.sha[:7]} out again",
                "yes: it is meant, learn the new level",
            ),
            why=f"the code says what it does, and only {commit.author} knows what it was for",
        ),
    )


def _steps(account: AssetAccount) -> ResultTable:
    return ResultTable(
        columns=("step", "rows", "lost", "added"),
        rows=tuple(
            (step.label, step.rows, step.lost, step.added)
            for scope in account.scopes
            for step in scope.steps
        ),
    )
