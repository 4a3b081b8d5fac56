"""Do all rows of a model's driving table arrive in it?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dagster_agent.model import Detection, DetectionStatus, Evidence, ResultTable, Severity
from dagster_agent.reconciliation.comparison import Comparison, ModelAccount
from dagster_agent.reconciliation.losses import (
    FanOut,
    JoinLoss,
    account_lines,
    fan_outs,
    join_losses,
    may_fan_out,
    told_losses,
)
from dagster_agent.reconciliation.model_counts import ModelCounts, count_model, key_repeats
from dagster_agent.reconciliation.wording import listed, rows, share
from dagster_agent.sql.row_accounting import ScopeAccount
from dagster_agent.sql.scopes import contributing
from dagster_agent.sql.unmatched import unmatched_keys

METHOD = "row-count"
_DROP_HINT = (
    "make it a left join; if the rows are meant to go, say so in "
    "`meta: dagster_agent: expected_losses: {{{name}: <largest share>}}`"
)


def judge_rows(comparison: Comparison, account: ModelAccount) -> Detection:
    """One result for the model's rows: lost at a join, multiplied, empty, or all there."""
    counts = count_model(account)
    lost = join_losses(account)
    tolerated = tuple(loss for loss in lost if not _too_much(loss, comparison, account))
    failing = tuple(loss for loss in lost if loss not in tolerated)
    repeats = key_repeats(account) if may_fan_out(account) else None
    multiplied = tuple(
        f
        for f in fan_outs(account, key_repeats=repeats)
        if f.added > comparison.config.max_added_share * f.before
    )
    metrics = _metrics(account, counts, lost)
    sample = ResultTable(
        columns=("select", "step", "rows", "lost", "added"), rows=tuple(account_lines(account))
    )
    evidence = tuple(_evidence(comparison, account, sample, failing or lost))
    told = partial(comparison.detection, METHOD, metrics=metrics, sample=sample, evidence=evidence)
    trouble = _trouble(comparison, account, counts, failing, multiplied)
    if trouble is not None:
        headline, severity, hint = trouble
        return told(DetectionStatus.FAILED, headline, severity=severity, hint=hint)
    uncounted = _uncounted(account)
    if uncounted:
        first = uncounted[0]
        headline = f"rows of {comparison.asset.name} could not be accounted for: {first.note}"
        return told(DetectionStatus.COULD_NOT_RUN, headline, hint=first.hint)
    return told(DetectionStatus.PASSED, _all_well(comparison, account, counts, tolerated))


def _too_much(loss: JoinLoss, comparison: Comparison, account: ModelAccount) -> bool:
    expected = account.expected_losses.get(loss.join.source.label.casefold())
    return loss.share > (comparison.config.max_lost_share if expected is None else expected)


def _trouble(
    comparison: Comparison,
    account: ModelAccount,
    counts: ModelCounts,
    failing: tuple[JoinLoss, ...],
    multiplied: tuple[FanOut, ...],
) -> tuple[str, Severity, str] | None:
    """Headline, severity and next step of what fails first."""
    name, config, driving = comparison.asset.name, comparison.config, account.driving
    if failing:
        worst = max(loss.share for loss in failing)
        severity = Severity.ERROR if worst > config.error_lost_share else Severity.WARN
        hint = _DROP_HINT.format(name=failing[0].join.source.label)
        return f"{name} lost {told_losses(failing)}", severity, hint
    if multiplied:
        first = multiplied[0]
        after = first.before + first.added
        place = first.join.label.replace(" join ", " join to ", 1)
        headline = f"{name}: {rows(first.before)} became {after:,} at the {place} ({first.reason})"
        return headline, Severity.ERROR, "join on a key that is unique on one side, or aggregate"
    if counts.source == 0 and driving is not None and not account.increment:
        headline = f"{driving.name}, which the rows of {name} come from, is empty"
        return headline, Severity.WARN, "look at the load of that table"
    if counts.stored == 0 and counts.yielded:
        headline = f"{name} is empty, although its SQL yields {rows(counts.yielded)} now"
        return headline, Severity.WARN, "build it"
    stale = counts.stale
    limit = config.max_stale_share
    if stale and limit is not None and abs(stale) > limit * (counts.yielded or 0):
        headline = (
            f"{name} holds {rows(counts.stored or 0)}, its SQL yields {counts.yielded or 0:,} now"
        )
        return headline, Severity.WARN, "build it"
    return None


def _all_well(
    comparison: Comparison,
    account: ModelAccount,
    counts: ModelCounts,
    tolerated: tuple[JoinLoss, ...],
) -> str:
    name, driving = comparison.asset.name, account.driving
    if driving is None or counts.source is None:
        headline = f"no join drops rows of {name}"
    elif not driving.keeps_rows:
        headline = f"{name} is made of the {rows(counts.source)} of {driving.name} and no join"
        headline += f" drops any ({driving.note}: rows are counted up to there)"
    else:
        headline = f"{name} keeps the {rows(counts.source)} of {driving.name}"
    if counts.filtered:
        headline += f", but for {counts.filtered:,} that its WHERE takes"
    if tolerated:
        headline += f"; tolerated: {told_losses(tolerated)}"
    if account.increment:
        headline += "; its SQL was compiled for the newest increment, older rows are not looked at"
    recursive = [scope.name for scope in account.scopes if scope.recursive]
    skipped = [a.scope for a in account.accounts if a.note and a.scope not in recursive]
    if skipped:
        headline += f"; not counted: {listed(skipped)}"
    return headline


def _uncounted(account: ModelAccount) -> list[ScopeAccount]:
    """Scopes that the verdict would need; a recursive CTE makes rows by itself and loses none."""
    needed = contributing(account.scopes)
    return [
        counted
        for scope, counted in zip(account.scopes, account.accounts, strict=True)
        if counted.note.startswith("not counted")
        and not scope.recursive
        and (scope.name in needed or scope.joins)
    ]


def _metrics(
    account: ModelAccount, counts: ModelCounts, lost: tuple[JoinLoss, ...]
) -> dict[str, float]:
    numbers = {
        "rows_source": counts.source,
        "rows_now": counts.yielded,
        "rows_target": counts.stored,
        "stale_rows": counts.stale,
    }
    found: dict[str, float] = {k: number for k, number in numbers.items() if number is not None}
    found["rows_lost"] = sum(loss.rows for loss in lost)
    found["lost_share"] = min(sum(loss.share for loss in lost), 1.0)
    found["rows_filtered"] = counts.filtered
    own = contributing(account.scopes)
    found["rows_added"] = sum(
        s.added for a in account.accounts if a.scope in own for s in a.steps if s.join is not None
    )
    for loss in lost:
        key = f"rows_lost.{loss.join.source.label}"
        found[key] = found.get(key, 0) + loss.rows
    return found


def _evidence(
    comparison: Comparison,
    account: ModelAccount,
    sample: ResultTable,
    lost: tuple[JoinLoss, ...],
) -> Iterator[Evidence]:
    queries = [s.query for a in account.accounts for s in a.steps if s.query]
    told = f"lost: {told_losses(lost)}" if lost else "no join drops rows by accident"
    yield Evidence(
        kind="row-accounting",
        statement=f"rows counted after every clause; {told}",
        query=lost[0].query if lost else next(iter(queries), None),
        result=sample,
    )
    if not comparison.config.sample_rows:
        return
    for loss in lost:
        found = unmatched_keys(
            account.sql,
            account.warehouse,
            scope=loss.scope,
            position=loss.position,
            limit=comparison.config.sample_rows,
            columns=account.columns,
        )
        if found is not None:
            query, result = found
            name = loss.join.source.label
            yield Evidence(
                kind="reconciliation",
                statement=f"the keys most often without a match in {name}; "
                f"{share(loss.rows, loss.of)} of the rows have such a key",
                query=query,
                result=comparison.mask(result),
            )
