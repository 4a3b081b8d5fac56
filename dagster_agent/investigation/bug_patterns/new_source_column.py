"""A source has gained a column that nothing reads yet: no trouble, and worth carrying on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagster_agent.investigation.accounts.new_columns import NewColumn
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, Evidence, Hypothesis, Recheck, ResultTable
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, YmlFile, fixers

_PRIOR = 0.7
"""The column is there, and the model that stages the source does not have it."""


@bug_pattern(id="new-source-column")
def new_source_column(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source table has a new column; nothing reads it, and the staging model does not carry it.

    Seen as: the schema check told of a column that is new. The change carries it into the model
    that stages the source and describes it in the yml; `not_null` is added only where no row is
    NULL in it today. Nothing downstream is touched.
    Not this pattern: a renamed column, models that take every column by a star.
    Refuted if: the staging model has the column already.
    """
    for source in dict.fromkeys(column.asset for column in dossier.new_columns):
        columns = [column for column in dossier.new_columns if column.asset == source]
        for reader in codebase.manifest.children(source):
            yield from _carried(codebase.manifest.asset(source), reader, columns, dossier, codebase)


def _carried(
    source: Asset,
    reader: str,
    columns: Sequence[NewColumn],
    dossier: Dossier,
    codebase: Codebase,
) -> Iterator[Hypothesis]:
    model = codebase.manifest.asset(reader)
    text = codebase.text(model.path)
    if text is None or source.relation is None or model.resource_type != "model":
        return
    yml = _yml_path(model, codebase)
    fault = Fault(
        asset=reader,
        path=model.path,
        text=text,
        compiled_code=codebase.manifest.compiled_code(reader) or "",
        dialect=codebase.dialect,
        columns=tuple(
            ColumnFault(
                relation=source.relation,
                column=column.column,
                type=column.type,
                description=f"New in {source.name} since {dossier.incident.opened_at:%Y-%m-%d}.",
                never_null=column.rows > 0 and column.nulls == 0,
            )
            for column in columns
        ),
        known={source.relation: _names(source, dossier)},
        yml=YmlFile(path=yml, text=codebase.text(yml)) if yml else None,
    )
    change = fixers().get("carry-column").propose(fault)
    names = " and ".join(f"{column.column} ({column.type})" for column in columns)
    mechanism = f"{source.name} has gained {names}; no model, test or exposure reads it"
    if isinstance(change, NoEdit):
        mechanism += f". It is not carried into {model.name}: {change.reason}"
    yield Hypothesis(
        pattern="new-source-column",
        asset=reader,
        mechanism=mechanism,
        refuted_by=f"{model.name} has the column already",
        confidence=_PRIOR,
        evidence=(_evidence(source, columns),),
        files=(model.path,),
        change=None if isinstance(change, NoEdit) else change,
        recheck=Recheck.COLUMNS,
        columns=tuple(column.column for column in columns),
    )


def _yml_path(model: Asset, codebase: Codebase) -> str:
    """The yml that describes the model; empty where none does."""
    return codebase.manifest.described_in(model.unique_id) or ""


def _names(source: Asset, dossier: Dossier) -> tuple[str, ...]:
    schema = dossier.schemas.get(source.unique_id)
    return tuple(column.name for column in schema.columns) if schema else ()


def _evidence(source: Asset, columns: Sequence[NewColumn]) -> Evidence:
    told = ", ".join(
        f"{c.column} is NULL in {c.nulls:,} of {c.rows:,} rows"
        if c.nulls
        else f"{c.column} is filled in all {c.rows:,} rows"
        for c in columns
    )
    return Evidence(
        kind="schema",
        statement=f"{source.name}: {told}",
        query=columns[0].query,
        result=ResultTable(
            columns=("column", "type", "rows", "null"),
            rows=tuple((c.column, c.type, c.rows, c.nulls) for c in columns),
        ),
    )
