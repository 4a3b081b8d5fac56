"""Amounts of several currencies are added up as if they were of one."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.accounts.amount_lineage import AmountLineage
from dagster_agent.investigation.accounts.currencies import CurrencyAccount
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.converted_amounts import (
    conversion_by_rate,
    conversion_to,
    converted_siblings,
    total_is_converted,
)
from dagster_agent.investigation.clues.line_history import commit_that_wrote
from dagster_agent.investigation.clues.measures import ISO_CODES, words
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    Asset,
    Evidence,
    Hypothesis,
    Invariant,
    ProposedChange,
    Question,
    Recheck,
    ResultTable,
)
from dagster_agent.repair.conversion_edits import Conversion
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers

_PRIOR = 0.7
"""Amounts of several currencies in one sum, or in the ELSE of a conversion: hardly ever meant."""
_CONVERTIBLE = 0.07
"""The project says how: a converted column beside them, or rates that its models use."""

_WITH_COMMIT = 0.02
"""A commit wrote the line at fault into a model that was there before."""


@bug_pattern(id="aggregate-mixes-currencies", answers=("reconciliation/currencies",))
def aggregate_mixes_currencies(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A model adds up amounts of several currencies, or takes a new currency for its own.

    Seen as: a sum over a column of amounts whose rows have several currencies, without grouping,
    filter or conversion; or a CASE that converts the currencies it knows and takes all others, of
    which there is more than one, as they are.
    Not this pattern: amounts that are converted upstream, sums per currency, sums in which every
    group happens to have one currency.
    Refuted if: the converted amounts add up to the same.
    """
    for account in dossier.currencies:
        yield _hypothesis(account, dossier, codebase)


def _hypothesis(account: CurrencyAccount, dossier: Dossier, codebase: Codebase) -> Hypothesis:
    asset = codebase.manifest.asset(account.asset)
    upstream = codebase.manifest.asset(account.upstream)
    proposed = _proposed(account, asset, dossier, codebase)
    mechanism = _told(account, asset, upstream)
    if isinstance(proposed, NoEdit):
        change, invariant = None, None
        mechanism += f" No change is proposed: {proposed.reason}."
    else:
        change, invariant = proposed
    line = _line(change)
    commit = _commit(asset, line, codebase)
    confidence = _PRIOR + (_CONVERTIBLE if change else 0) + (_WITH_COMMIT if commit else 0)
    return Hypothesis(
        pattern="aggregate-mixes-currencies",
        asset=asset.unique_id,
        mechanism=mechanism,
        refuted_by="the converted amounts add up to the same",
        confidence=round(confidence, 2),
        evidence=tuple(_evidence(account, upstream, commit)),
        files=(asset.path,),
        line=line,
        commit=commit.sha if commit else None,
        change=change,
        question=None if change else _question(account, asset),
        recheck=Recheck.INVARIANT if invariant else Recheck.RECONCILIATION,
        invariant=invariant,
    )


def _proposed(
    account: CurrencyAccount, asset: Asset, dossier: Dossier, codebase: Codebase
) -> tuple[ProposedChange, Invariant] | NoEdit:
    text = codebase.text(asset.path)
    sql = codebase.manifest.compiled_code(asset.unique_id) or ""
    lineage = AmountLineage(
        manifest=codebase.manifest, schemas=dossier.schemas, dialect=codebase.dialect
    )
    if text is None or account.upstream not in dossier.schemas:
        return NoEdit(reason=f"{asset.path} or the columns that it reads are not known")
    conversion = _conversion(account, sql, lineage, codebase)
    if isinstance(conversion, NoEdit):
        return conversion
    invariant = total_is_converted(account, conversion, asset, sql, lineage)
    if invariant is None:
        return NoEdit(reason=f"which output column {account.output} ends in is not known")
    fault = Fault(
        asset=asset.unique_id,
        path=asset.path,
        text=text,
        compiled_code=sql,
        dialect=codebase.dialect,
        conversion=conversion,
    )
    change = fixers().get("convert-currency").propose(fault)
    return change if isinstance(change, NoEdit) else (change, invariant)


def _conversion(
    account: CurrencyAccount, sql: str, lineage: AmountLineage, codebase: Codebase
) -> Conversion | NoEdit:
    """A converted column beside the amounts, else the rates that other models use."""
    siblings = converted_siblings(account, lineage)
    upstream = codebase.manifest.asset(account.upstream).name
    if len(siblings) > 1:
        return NoEdit(reason=f"{upstream} has them converted as {' and as '.join(siblings)}")
    for sibling in siblings:
        conversion = conversion_to(sibling, account, sql, lineage)
        if conversion is not None:
            return conversion
    by_rate = conversion_by_rate(account, sql, lineage, codebase)
    if isinstance(by_rate, NoEdit):
        beside = f"the SELECT does not see {siblings[0]} of {upstream}" if siblings else ""
        beside = beside or f"{upstream} has no column with these amounts converted"
        return NoEdit(reason=f"{beside}, and {by_rate.reason}")
    return by_rate


def _told(account: CurrencyAccount, asset: Asset, upstream: Asset) -> str:
    rows = ", ".join(f"{code} ({count:,} rows)" for code, count, _ in account.by_currency[:6])
    column = f"{asset.name}.{account.output}"
    if account.case:
        known = ", ".join(dict.fromkeys(account.listed))
        return (
            f"{column} converts {known} and takes {account.amount} of {upstream.name} in every "
            f"other currency as it is, as if all were one: {rows}."
        )
    groups = f" in {account.mixed_groups:,} of its groups" if account.mixed_groups > 1 else ""
    return (
        f"{column} adds up {account.amount} of {upstream.name} without conversion{groups}, though "
        f"its rows are in {len(account.by_currency)} currencies: {rows}."
    )


def _evidence(
    account: CurrencyAccount, upstream: Asset, commit: Commit | None
) -> Iterator[Evidence]:
    what = "left as they are" if account.case else "added up together"
    yield Evidence(
        kind="currencies",
        statement=f"{len(account.by_currency)} currencies of {upstream.name}.{account.currency} "
        f"are {what}",
        query=account.query,
        result=ResultTable(columns=("currency", "rows", "sum"), rows=account.by_currency),
    )
    if commit is not None:
        yield Evidence(
            kind="timeline",
            statement=f"{commit.sha[:7]} of {commit.at:%Y-%m-%d %H:%M} UTC by {commit.author} "
            f"wrote it: {commit.subject}",
            source=commit.sha,
        )


def _commit(asset: Asset, line: int | None, codebase: Codebase) -> Commit | None:
    """The commit that wrote the line at fault."""
    text = codebase.text(asset.path)
    if line is None or text is None:
        return None
    return commit_that_wrote(codebase, asset.path, text.splitlines()[line - 1])


def _line(change: ProposedChange | None) -> int | None:
    if change is None:
        return None
    (edit,) = change.edits
    pairs = zip((edit.before or "").splitlines(), edit.after.splitlines(), strict=False)
    return next((n for n, (old, new) in enumerate(pairs, 1) if old != new), 1)


def _question(account: CurrencyAccount, asset: Asset) -> Question:
    codes = [code for code, _, _ in account.by_currency]
    named = [code.upper() for code in words(account.output) & ISO_CODES]
    home = next(iter([*named, *codes]))
    return Question(
        text=f"In which currency should {asset.name}.{account.output} be?",
        options=(
            f"all in {home}, converted at a rate that you name",
            f"one row per {account.currency}",
            "each amount as it is: the column is not meant to be one figure",
        ),
        why=f"its amounts are in {', '.join(codes)}, and nothing in the project says at which "
        "rates they are to be added up",
    )
