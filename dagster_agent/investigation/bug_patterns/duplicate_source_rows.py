"""A source delivers the same rows again, and they are counted again."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.investigation.accounts.keys import KeyAccount, copied_table
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.invariants import key_is_unique
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    Asset,
    Evidence,
    Hypothesis,
    Invariant,
    ProposedChange,
    Recheck,
    ResultTable,
)
from dagster_agent.repair.deduplication_edits import OneRowPerKey
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import column_origin

_PRIOR = 0.72
"""Rows that repeat a declared key; above a join that multiplies rows because of them."""
_IDENTICAL = 0.06
"""They are equal in all but load times: delivered again, not changed."""
_BY_LINEAGE = -0.07
"""Nobody declared the key for the source itself; the model that copies it has it."""
_BY_NAME = -0.1
"""Nobody declared the key at all; the column is called like one."""


@bug_pattern(id="duplicate-source-rows", answers=("reconciliation/keys",))
def duplicate_source_rows(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source holds several rows with one key: a webhook that was replayed, a load that ran twice.

    Seen as: the key of a source occurs more than once, and still does in the model that copies it.
    The rows are equal but for load times, or they are later versions of the same thing.
    Not this pattern: sources whose readers keep one row per key already, keys that a join in a
    model multiplies.
    Refuted if: with one row per key in the model that copies the source, its key still repeats.
    """
    accounts = {account.asset: account for account in dossier.keys}
    for account in dossier.keys:
        asset = codebase.manifest.asset(account.asset)
        if asset.resource_type != "source" or not account.surplus_rows:
            continue
        readers = [
            codebase.manifest.asset(uid)
            for uid in codebase.manifest.children(account.asset)
            if _copies(uid, asset, codebase)
        ]
        repeating = [r for r in readers if _repeats(accounts.get(r.unique_id))]
        if repeating:
            yield _hypothesis(asset, account, repeating, accounts, dossier, codebase)
        elif not readers and not _handled(asset, account, accounts, codebase):
            yield _unread(asset, account, codebase)


def _repeats(reader: KeyAccount | None) -> bool:
    return reader is not None and reader.surplus_rows > 0


def _handled(
    source: Asset, account: KeyAccount, accounts: dict[str, KeyAccount], codebase: Codebase
) -> bool:
    """Whether a model that reads the source keeps one row per key of it."""
    for uid in codebase.manifest.children(source.unique_id):
        reader, sql = accounts.get(uid), codebase.manifest.compiled_code(uid)
        if reader is None or not sql or reader.surplus_rows:
            continue
        origins = [column_origin(sql, codebase.dialect, name) for name in reader.key]
        if {o[1].casefold() for o in origins if o} == {name.casefold() for name in account.key}:
            return True
    return False


def _copies(uid: str, source: Asset, codebase: Codebase) -> bool:
    sql = codebase.manifest.compiled_code(uid)
    table = copied_table(sql, codebase.dialect) if sql else None
    return (
        table is not None and source.relation is not None and same_relation(table, source.relation)
    )


def _hypothesis(
    source: Asset,
    account: KeyAccount,
    readers: list[Asset],
    accounts: dict[str, KeyAccount],
    dossier: Dossier,
    codebase: Codebase,
) -> Hypothesis:
    proposed = _change(account, readers, dossier, codebase)
    change = None if isinstance(proposed, NoEdit) else proposed
    mechanism = _told(source, account)
    if isinstance(proposed, NoEdit):
        mechanism += f" No change is proposed: {proposed.reason}."
    reader = readers[0]
    staged = accounts[reader.unique_id]
    return Hypothesis(
        pattern="duplicate-source-rows",
        asset=reader.unique_id if change else source.unique_id,
        mechanism=mechanism,
        refuted_by=f"the key still repeats with one row per {', '.join(account.key)} "
        f"in {reader.name}",
        confidence=_confidence(account),
        evidence=tuple(_evidence(source, account, staged, reader)),
        files=tuple(r.path for r in readers),
        change=change,
        recheck=Recheck.INVARIANT,
        invariant=_invariant(reader, staged, codebase),
        data_cause=change is None,
    )


def _unread(source: Asset, account: KeyAccount, codebase: Codebase) -> Hypothesis:
    """No model copies the source row for row: there is no one place to mend."""
    return Hypothesis(
        pattern="duplicate-source-rows",
        asset=source.unique_id,
        mechanism=f"{_told(source, account)} No change is proposed: no model copies {source.name} "
        "row for row, so there is no one place to mend.",
        refuted_by="the key does not repeat in the source",
        confidence=_confidence(account),
        evidence=tuple(_evidence(source, account, None, None)),
        files=(source.path,),
        recheck=Recheck.INVARIANT,
        invariant=_invariant(source, account, codebase),
        data_cause=True,
    )


def _confidence(account: KeyAccount) -> float:
    confidence = _PRIOR
    if account.identical_rows == account.surplus_rows:
        confidence += _IDENTICAL
    if account.source == "lineage":
        confidence += _BY_LINEAGE
    elif account.source == "name":
        confidence += _BY_NAME
    return round(confidence, 2)


def _invariant(asset: Asset, account: KeyAccount, codebase: Codebase) -> Invariant | None:
    if asset.relation is None:
        return None
    return key_is_unique(asset.name, asset.relation, account.key, codebase.dialect)


def _change(
    account: KeyAccount, readers: list[Asset], dossier: Dossier, codebase: Codebase
) -> ProposedChange | NoEdit:
    """One edit per model that copies the source and its repeated keys."""
    differing = account.surplus_rows - account.identical_rows
    if differing and account.newest_by is None:
        return NoEdit(
            reason=f"{differing:,} of the repeated rows differ, and no column says which is newest"
        )
    changes: list[ProposedChange] = []
    for reader in readers:
        proposed = _change_of(account, reader, dossier, codebase)
        if isinstance(proposed, NoEdit):
            return proposed
        changes.append(proposed)
    return ProposedChange(
        title=changes[0].title,
        rationale=" ".join(change.rationale for change in changes),
        edits=tuple(edit for change in changes for edit in change.edits),
        assets=tuple(uid for change in changes for uid in change.assets),
    )


def _change_of(
    account: KeyAccount, reader: Asset, dossier: Dossier, codebase: Codebase
) -> ProposedChange | NoEdit:
    text = codebase.text(reader.path)
    if text is None:
        return NoEdit(reason=f"{reader.path} is not in the project")
    schema = dossier.schemas.get(account.asset)
    fault = Fault(
        asset=reader.unique_id,
        path=reader.path,
        text=text,
        compiled_code=codebase.manifest.compiled_code(reader.unique_id) or "",
        dialect=codebase.dialect,
        known={schema.relation: [c.name for c in schema.columns]} if schema else {},
        one_row_per_key=OneRowPerKey(
            key=account.key, newest_by=account.newest_by, keyless_rows=account.null_keys > 0
        ),
    )
    return fixers().get("deduplicate-source").propose(fault)


def _told(source: Asset, account: KeyAccount) -> str:
    key = ", ".join(account.key)
    told = (
        f"{source.name} holds {account.surplus_rows:,} rows too many of {account.rows:,} "
        f"({account.surplus_rows / account.rows:.1%}): {account.repeated_keys:,} values of {key} "
        f"occur more than once"
    )
    if account.repeated_since is not None and account.newest_by is not None:
        told += f", since {account.repeated_since:%Y-%m-%d %H:%M} UTC by {account.newest_by}"
    if account.identical_rows == account.surplus_rows:
        return f"{told}. They were delivered again: they equal the first ones but for load times."
    differing = account.surplus_rows - account.identical_rows
    return f"{told}. {differing:,} of them differ from the others: later versions of the same rows."


def _evidence(
    source: Asset, account: KeyAccount, staged: KeyAccount | None, reader: Asset | None
) -> Iterator[Evidence]:
    key = ", ".join(account.key)
    yield Evidence(
        kind="key",
        statement=f"{source.name}: {account.repeated_keys:,} repeated {key}, "
        f"{account.surplus_rows:,} surplus rows, {account.identical_rows:,} of them identical",
        query=account.query,
        result=ResultTable(
            columns=("rows", "repeated keys", "surplus rows", "identical", "since", "until"),
            rows=(
                (
                    account.rows,
                    account.repeated_keys,
                    account.surplus_rows,
                    account.identical_rows,
                    account.repeated_since,
                    account.repeated_until,
                ),
            ),
        ),
    )
    if staged is not None and reader is not None:
        yield Evidence(
            kind="key",
            statement=f"{reader.name} copies them: {staged.surplus_rows:,} surplus rows of "
            f"{staged.rows:,} there too",
            query=staged.query,
        )
