"""A join finds several rows where one was meant, and multiplies what it was joined to."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dagster_agent.investigation.accounts.load_times import version_time
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.fan_out import FanOut, fan_outs, known_columns
from dagster_agent.investigation.clues.fan_out_invariant import total_without_repeats
from dagster_agent.investigation.clues.invariants import key_is_unique
from dagster_agent.investigation.clues.join_changes import JoinChange, commit_that_joined
from dagster_agent.investigation.clues.measures import is_measure
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
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
from dagster_agent.repair.deduplication_edits import OneRowPerKey
from dagster_agent.repair.edits import JoinInFile, NoEdit, find_join
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.sql.columns import owner
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import joins_of

_PRIOR = 0.66
"""A join multiplies rows of a model that should keep them."""
_WITH_COMMIT = 0.1
"""A commit brought that very join, or changed what it finds."""
_REPEATS_UPSTREAM = 0.35
"""What is joined repeats its own key: the cause is where those rows come from."""


@bug_pattern(id="join-fans-out", answers=("reconciliation/keys",))
def join_fans_out(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A join finds several rows per row, so rows, and all that is added up from them, multiply.

    Seen as: row accounting adds rows at a join of a model that should keep the grain of what drives
    it: its own key repeats, the joined table's key does, neither side is unique on the join key, or
    an amount from elsewhere is added up after it.
    Not this pattern: a join to the parts of something, whose key the model takes over; a joined
    model that repeats its own key because its source does (`duplicate-source-rows`).
    Refuted if: with one row per key on the right side the rows are still too many.
    """
    for account in dossier.accounts:
        found = fan_outs(account, dossier, codebase)
        if found:
            asset = codebase.manifest.asset(account.asset)
            yield _hypothesis(asset, account, found[0], dossier, codebase)


def _hypothesis(
    asset: Asset, account: AssetAccount, fan_out: FanOut, dossier: Dossier, codebase: Codebase
) -> Hypothesis:
    sql = codebase.manifest.compiled_code(asset.unique_id) or ""
    written = _written(asset, sql, fan_out, codebase)
    change_of_join = commit_that_joined(codebase, asset.path, written.joined) if written else None
    proposed = _change(asset, sql, fan_out, dossier, codebase)
    change = None if isinstance(proposed, NoEdit) else proposed
    mechanism = _told(fan_out, change_of_join)
    if isinstance(proposed, NoEdit):
        mechanism += f" No change is proposed: {proposed.reason}."
    confidence = _REPEATS_UPSTREAM if fan_out.repeats_upstream else _PRIOR
    invariant = _invariant(asset, sql, fan_out, dossier, codebase)
    return Hypothesis(
        pattern="join-fans-out",
        asset=asset.unique_id,
        mechanism=mechanism,
        refuted_by="the rows are still too many with one row per key on the right side",
        confidence=round(confidence + (_WITH_COMMIT if change_of_join else 0), 2),
        evidence=tuple(_evidence(account, fan_out, change_of_join)),
        files=(asset.path,),
        line=written.line if written else None,
        commit=change_of_join.commit.sha if change_of_join else None,
        change=change,
        question=None if change else _question(asset, fan_out),
        recheck=Recheck.INVARIANT if invariant else Recheck.RECONCILIATION,
        invariant=invariant,
    )


def _written(asset: Asset, sql: str, fan_out: FanOut, codebase: Codebase) -> JoinInFile | None:
    text = codebase.text(asset.path)
    if text is None or fan_out.join.ordinal is None:
        return None
    found = find_join(
        text, compiled_code=sql, dialect=codebase.dialect, ordinal=fan_out.join.ordinal
    )
    return None if isinstance(found, NoEdit) else found


def _told(fan_out: FanOut, changed: JoinChange | None) -> str:
    after = fan_out.step.rows
    told = f"the {fan_out.join.label} makes {after:,} rows of {fan_out.rows_in:,}: {fan_out.reason}"
    if changed is not None:
        commit = changed.commit
        did = "brought this join" if changed.introduced else "changed what this join finds"
        told = f"Commit {commit.sha[:7]} ({commit.at:%Y-%m-%d %H:%M} UTC) {did}: {told}"
    if fan_out.repeats_upstream:
        told += "; what is joined repeats its own key already"
    return f"{told}."


def _evidence(
    account: AssetAccount, fan_out: FanOut, changed: JoinChange | None
) -> Iterator[Evidence]:
    steps = next(s.steps for s in account.scopes if s.scope == fan_out.scope)
    yield Evidence(
        kind="row-accounting",
        statement=f"{fan_out.rows_in:,} rows before the {fan_out.join.label}, "
        f"{fan_out.step.rows:,} after it: {fan_out.step.added:,} added",
        query=fan_out.step.query,
        result=ResultTable(
            columns=("step", "rows", "lost", "added"),
            rows=tuple((step.label, step.rows, step.lost, step.added) for step in steps),
        ),
    )
    if changed is not None:
        commit = changed.commit
        yield Evidence(
            kind="timeline",
            statement=f"{commit.sha[:7]} of {commit.at:%Y-%m-%d %H:%M} UTC by {commit.author} "
            f"{'brought' if changed.introduced else 'changed'} the join: {commit.subject}",
            source=commit.sha,
        )


def _invariant(
    asset: Asset, sql: str, fan_out: FanOut, dossier: Dossier, codebase: Codebase
) -> Invariant | None:
    key = next((k for k in dossier.keys if k.asset == asset.unique_id), None)
    if key is not None and key.surplus_rows and asset.relation is not None:
        return key_is_unique(asset.name, asset.relation, key.key, codebase.dialect)
    known = known_columns(dossier)
    return total_without_repeats(fan_out, asset, sql, codebase.dialect, known)


def _change(
    asset: Asset, sql: str, fan_out: FanOut, dossier: Dossier, codebase: Codebase
) -> ProposedChange | NoEdit:
    text, join = codebase.text(asset.path), fan_out.join
    if text is None:
        return NoEdit(reason=f"{asset.path} is not in the project")
    if not join.table_keys or fan_out.right is None:
        return NoEdit(reason=f"{join.source.label} is no plain copy of one table")
    rule = _rule(fan_out, fan_out.right, dossier, _read_of(sql, fan_out, dossier, codebase))
    if isinstance(rule, NoEdit):
        return rule
    fault = Fault(
        asset=asset.unique_id,
        path=asset.path,
        text=text,
        compiled_code=sql,
        dialect=codebase.dialect,
        join_ordinal=join.ordinal,
        one_row_per_key=rule,
        known=known_columns(dossier),
    )
    return fixers().get("deduplicate-join").propose(fault)


def _rule(
    fan_out: FanOut, right: Asset, dossier: Dossier, read: tuple[str, ...] | None
) -> OneRowPerKey | NoEdit:
    """Which of several rows the join should find; NoEdit where that is a person's decision."""
    schema = dossier.schemas.get(right.unique_id)
    key = next((k for k in dossier.keys if k.asset == right.unique_id), None)
    table_keys = tuple(dict.fromkeys(fan_out.join.table_keys))
    alike = key is not None and key.surplus_rows == key.identical_rows and key.surplus_rows > 0
    columns = [schema.column(name) for name in read or ()] if schema else []
    measures = [c.name for c in columns if c is not None and is_measure(c)]
    if measures and not alike:
        return NoEdit(
            reason=f"it takes {', '.join(measures)} from {right.name}, and whether one of several "
            "rows counts or their sum is for people to say"
        )
    newest = version_time(schema) if schema else None
    if newest is None and read != () and not alike:
        return NoEdit(
            reason=f"the rows of {right.name} may differ, and no column says which is newest"
        )
    return OneRowPerKey(key=table_keys, newest_by=newest.name if newest else None)


def _read_of(
    sql: str, fan_out: FanOut, dossier: Dossier, codebase: Codebase
) -> tuple[str, ...] | None:
    """Columns that the SELECT reads of the joined source beside its keys; None behind a star."""
    known = known_columns(dossier)
    block = next(b for b in parsed_blocks(sql, codebase.dialect) if b.scope == fan_out.scope)
    if any(isinstance(p.unalias(), exp.Star) or p.is_star for p in block.select.expressions):
        return None
    join = next(
        (j for j in joins_of(block.select) if j.this.alias_or_name == fan_out.join.source.alias),
        None,
    )
    if join is None:
        return None
    keys = {name.casefold() for _, name in fan_out.join.keys}
    clauses = [*block.select.expressions, block.select.args.get("where")]
    names = [
        column.name
        for clause in clauses
        if clause is not None
        for column in clause.find_all(exp.Column)
        if owner(column, block, known) is join.this and column.name.casefold() not in keys
    ]
    return tuple(dict.fromkeys(names))


def _question(asset: Asset, fan_out: FanOut) -> Question:
    label, keys = fan_out.join.source.label, ", ".join(right for _, right in fan_out.join.keys)
    return Question(
        text=f"{label} has several rows per {keys}. What should {asset.name} take of them?",
        options=(
            "one row, the newest",
            f"their sum or count, made per {keys} before the join",
            f"all of them: {asset.name} is meant to have several rows",
        ),
        why="each gives other figures, and nothing in the project says which is meant",
    )
