"""NULL takes rows or values away that its author did not think of."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.investigation.accounts.nulls import NullKind, NullLoss
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.invariants import totals_agree
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
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.repair.null_safe_edits import guarded
from dagster_agent.repair.written_sql import WrittenSql
from dagster_agent.sql.identifiers import relation_sql

_PRIORS = {
    NullKind.LIST: 0.75,
    NullKind.VALUE: 0.6,
    NullKind.CONDITION: 0.55,
    NullKind.COUNT: 0.5,
}
"""A list with NULL is never meant; a count may well be one of values."""
_SHOWN = 120


@bug_pattern(id="null-semantics", answers=("reconciliation/nulls",))
def null_semantics(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A comparison, list, sum or count does with NULL what SQL says and nobody meant.

    Seen as: rows without a value vanish with those that a condition leaves out; `not in` a list
    with NULL lets nothing pass; one missing part makes a sum or a text NULL; a column is counted
    where rows are meant. Counted at the place, and in the output of the model.
    Not this pattern: columns without NULL; `is distinct from`, `coalesce`, `or ... is null`; a
    condition on the optional side of an outer join in the same SELECT; what never reaches the
    output.
    Refuted if: with NULL let through the model puts out the same. Whether unknown values are meant
    to stay out only people know: so it asks.
    """
    found = [
        _hypothesis(codebase.manifest.asset(account.asset), loss, codebase)
        for account in dossier.nulls
        for loss in account.losses
    ]
    yield from sorted(found, key=lambda hypothesis: -hypothesis.confidence)


def _hypothesis(asset: Asset, loss: NullLoss, codebase: Codebase) -> Hypothesis:
    proposed = _change(asset, loss, codebase)
    change = None if isinstance(proposed, NoEdit) else proposed
    mechanism = f"{_told(loss)} {_effect(asset, loss)}"
    if isinstance(proposed, NoEdit):
        mechanism += f" No change is proposed: {proposed.reason}."
    invariant = _invariant(asset, loss, codebase)
    return Hypothesis(
        pattern="null-semantics",
        asset=asset.unique_id,
        mechanism=mechanism,
        refuted_by=f"{asset.name} puts out the same with NULL in {_columns(loss)} let through",
        confidence=_PRIORS[loss.kind],
        evidence=tuple(_evidence(asset, loss)),
        files=(asset.path,),
        line=_line(asset, loss, codebase),
        change=change,
        recheck=Recheck.INVARIANT if invariant else Recheck.RECONCILIATION,
        invariant=invariant,
        question=_question(asset, loss),
    )


def _change(asset: Asset, loss: NullLoss, codebase: Codebase) -> ProposedChange | NoEdit:
    text = codebase.text(asset.path)
    if text is None:
        return NoEdit(reason=f"{asset.path} is not in the project")
    fault = Fault(
        asset=asset.unique_id,
        path=asset.path,
        text=text,
        compiled_code=codebase.manifest.compiled_code(asset.unique_id) or "",
        dialect=codebase.dialect,
        null_guards=loss.guards,
    )
    return fixers().get("null-safe-condition").propose(fault)


def _line(asset: Asset, loss: NullLoss, codebase: Codebase) -> int | None:
    text = codebase.text(asset.path)
    if text is None or not loss.guards:
        return None
    compiled = codebase.manifest.compiled_code(asset.unique_id) or ""
    file = WrittenSql(text, compiled_code=compiled, dialect=codebase.dialect)
    return file.line(loss.guards[0].start)


def _told(loss: NullLoss) -> str:
    written, columns = _written(loss), _columns(loss)
    lost = f"{loss.rows:,} of {loss.rows_in:,} {'groups' if loss.grouped else 'rows'}"
    are = "is" if len(loss.columns) == 1 else "are"
    if loss.kind is NullKind.LIST:
        nulls = f"{loss.nulls_in_list:,} NULL{'s' if loss.nulls_in_list != 1 else ''}"
        return (
            f"`{written}` lets no row pass that is not in the list either, because the list holds "
            f"{nulls} of `{columns}`: {lost} vanish, {loss.kept:,} pass."
        )
    if loss.kind is NullKind.VALUE:
        return (
            f"`{written}` is NULL in {lost} in which only {columns} {are} NULL: "
            f"the rest of {loss.output} is lost with it."
        )
    if loss.kind is NullKind.COUNT:
        return f"`{written}` counts as {loss.output} all but {lost}, those whose {columns} is NULL."
    return f"`{written}` also drops {lost} whose {columns} is NULL."


def _effect(asset: Asset, loss: NullLoss) -> str:
    was, becomes = _number(loss.difference.now), _number(loss.difference.mended)
    if loss.difference.kind == "rows":
        return f"{asset.name} would have {becomes} rows instead of {was}."
    if loss.difference.kind == "values":
        return (
            f"{asset.name} would have a {loss.difference.column} in {becomes} rows, not in {was}."
        )
    return f"The {loss.difference.column} of {asset.name} would add up to {becomes}, not to {was}."


def _evidence(asset: Asset, loss: NullLoss) -> Iterator[Evidence]:
    unit = "groups" if loss.grouped else "rows"
    yield Evidence(
        kind="nulls",
        statement=f"`{_written(loss)}`: {loss.rows:,} of {loss.rows_in:,} {unit} are lost to NULL "
        f"in {_columns(loss)}; {loss.kept:,} pass the filters",
        query=loss.query,
        result=ResultTable(
            columns=(unit, "pass the filters", f"lost to NULL in {_columns(loss)}"),
            rows=((loss.rows_in, loss.kept, loss.rows),),
        ),
    )
    difference = loss.difference
    figure = f"{difference.kind} of {difference.column}" if difference.column else "rows"
    yield Evidence(
        kind="output",
        statement=_effect(asset, loss),
        query=difference.query,
        result=ResultTable(
            columns=(f"{figure} now", f"{figure} with NULL let through"),
            rows=((difference.now, difference.mended),),
        ),
    )


def _invariant(asset: Asset, loss: NullLoss, codebase: Codebase) -> Invariant | None:
    """The model's table has what its query yields with nothing lost there."""
    if asset.relation is None:
        return None
    difference = loss.difference
    table = relation_sql(asset.relation, codebase.dialect)
    total = f"select {difference.aggregate} as total from {table}"
    expected = f"select {difference.aggregate} as total from ({difference.mended_code}) as mended"
    columns = _columns(loss)
    if difference.kind == "sum":
        statement = f"NULL in {columns} takes nothing from {difference.column} in {asset.name}"
        return totals_agree(statement, total, expected)
    what = f"value of {difference.column}" if difference.column else "row"
    return Invariant(
        statement=f"no {what} is missing from {asset.name} for a NULL in {columns}",
        sql="select case when e.total > t.total then e.total - t.total else 0 end as missing "
        f"from ({total}) as t cross join ({expected}) as e",
    )


def _question(asset: Asset, loss: NullLoss) -> Question:
    columns, name = _columns(loss), asset.name
    if loss.kind is NullKind.LIST:
        text = f"Is a NULL in the list of `{_written(loss)}` meant to keep every row out of {name}?"
        options = (
            "no: leave NULL out of the list",
            "yes: with an unknown value in the list nothing may pass",
        )
    elif loss.kind is NullKind.VALUE:
        text = f"What is {loss.output} in {name} where {columns} is unknown?"
        options = (
            f"the rest of it: `{_mended(loss)}`",
            "unknown as well: it is meant, and the description of the column should say so",
        )
    elif loss.kind is NullKind.COUNT:
        text = f"Does {loss.output} in {name} count every row, or only those with a {columns}?"
        options = (
            f"every row: `{_mended(loss)}`",
            f"only those: it is meant, and a name after {columns} would say so",
        )
    else:
        text = f"Are rows whose {columns} is unknown meant to be left out of {name}?"
        options = (
            f"no: keep them, `{_mended(loss)}`",
            f"yes: it is meant, say so with `{columns} is not null`",
        )
    why = "SQL does the same either way, and only who knows the data can say what NULL means there"
    return Question(text=text, options=options, why=why)


def _mended(loss: NullLoss) -> str:
    if not loss.guards:
        return "let NULL through"
    if loss.kind is NullKind.VALUE:
        return " and ".join(guarded(guard, guard.column) for guard in loss.guards)
    return guarded(loss.guards[0], _written(loss))


def _columns(loss: NullLoss) -> str:
    return " and ".join(" ".join(column.split()) for column in loss.columns)


def _written(loss: NullLoss) -> str:
    written = " ".join(loss.written.split())
    return written if len(written) <= _SHOWN else f"{written[: _SHOWN - 1]}…"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
