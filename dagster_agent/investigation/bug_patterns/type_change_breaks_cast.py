"""A source column holds another kind of values, and models compute with it as before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.column_changes import change_readers
from dagster_agent.investigation.clues.missing_columns import failed_model
from dagster_agent.investigation.clues.retyped_columns import (
    RetypedColumn,
    first_readers,
    outputs_of,
    retyped_columns,
)
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Evidence, Failure, Hypothesis, Invariant, Recheck
from dagster_agent.repair.fixer import ColumnFault

_PRIOR = 0.6
"""A column that models read changed to another kind of type."""
_FROM_A_COPY = -0.05
"""Known only from a table that was built before."""
_FAILED = 0.14
"""A model that reads it, or one after it, failed with an error of types."""
_SYMPTOMS = frozenset({"type_error"})
"""Classes of failure that a changed type causes."""


@bug_pattern(id="type-change-breaks-cast")
def type_change_breaks_cast(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source column went to another kind of type (an amount to text) without its readers.

    Seen as: the observed type is incompatible with the accepted one, or with the type that a model
    still has from copying the column before. Sums, comparisons and joins fail then, or mean
    something else. The change casts the column back where it is first read; a value that does not
    fit makes the model fail, so the sandbox tells whether all do.
    Not this pattern: a wider or narrower type of the same kind, and a type that a model's own code
    changed.
    Refuted if: with the cast the models still cannot be built.
    """
    found: dict[str, list[RetypedColumn]] = {}
    for column in retyped_columns(dossier, codebase):
        found.setdefault(column.asset, []).append(column)
    for columns in found.values():
        reads = _reads(columns, dossier, codebase)
        if reads:
            yield _hypothesis([c for c in columns if c.column in reads], reads, dossier, codebase)


_Reads = dict[str, list[tuple[str, str]]]
"""Readers and what they read it from, by column."""


def _reads(columns: Sequence[RetypedColumn], dossier: Dossier, codebase: Codebase) -> _Reads:
    readers = {
        column.column: list(first_readers(column.asset, column.column, dossier.schemas, codebase))
        for column in columns
    }
    return {column: found for column, found in readers.items() if found}


def _hypothesis(
    columns: Sequence[RetypedColumn], reads: _Reads, dossier: Dossier, codebase: Codebase
) -> Hypothesis:
    manifest = codebase.manifest
    faults: list[ColumnFault] = []
    by_reader: dict[str, list[str]] = {}
    for column in columns:
        for reader, upstream in reads[column.column]:
            relation = manifest.asset(upstream).relation
            by_reader.setdefault(reader, []).append(column.column)
            if relation is None:
                continue
            fault = ColumnFault(
                relation=relation, column=column.column, type=column.before, new_type=column.after
            )
            faults += [fault] if fault not in faults else []
    edit = change_readers(by_reader, {"column-cast": faults}, dossier, codebase)
    failures = _failures(list(by_reader), dossier, codebase)
    invariant = None if failures else _invariant(columns, reads, dossier, codebase)
    names = ", ".join(manifest.asset(uid).name for uid in by_reader)
    table = manifest.asset(columns[0].asset).relation
    told = " and ".join(f"{c.column} from {c.before} to {c.after}" for c in columns)
    confidence = _PRIOR + (_FAILED if failures else 0)
    confidence += 0 if all(c.accepted for c in columns) else _FROM_A_COPY
    return Hypothesis(
        pattern="type-change-breaks-cast",
        asset=next(iter(by_reader)),
        mechanism=f"{table} changed {told}; {names} and what is built from "
        f"{'it' if len(by_reader) == 1 else 'them'} compute with the old type{edit.told}",
        refuted_by="the models cannot be built with a cast to the old type either",
        confidence=round(confidence, 2),
        evidence=tuple(_evidence(columns, reads, failures, codebase)),
        files=edit.files,
        line=edit.line,
        change=edit.change,
        recheck=Recheck.INVARIANT if invariant else Recheck.BUILD,
        invariant=invariant,
    )


def _failures(readers: Sequence[str], dossier: Dossier, codebase: Codebase) -> list[Failure]:
    """Errors of types in the readers or after them; those whose model is not told count."""
    reached = {uid for reader in readers for uid in (reader, *codebase.manifest.downstream(reader))}
    found: list[Failure] = []
    for failure in dossier.failures:
        if failure.failure_class in _SYMPTOMS:
            model = failed_model(failure, codebase)
            if model is None or model.unique_id in reached:
                found.append(failure)
    return found


def _invariant(
    columns: Sequence[RetypedColumn], reads: _Reads, dossier: Dossier, codebase: Codebase
) -> Invariant | None:
    """That a copy of the column has its old type again: what can be seen where nothing fails."""
    for column in columns:
        for reader, upstream in reads[column.column]:
            relation = codebase.manifest.asset(reader).relation
            copies = outputs_of(reader, upstream, column.column, dossier.schemas, codebase)
            if relation is None or not copies:
                continue
            where = {
                "table_schema": relation.schema,
                "table_name": relation.name,
                "column_name": copies[0],
                "data_type": column.after,
            }
            conditions = " and ".join(
                f"lower({name}) = {_text(value.lower())}" for name, value in where.items() if value
            )
            return Invariant(
                statement=f"{copies[0]} of {relation.name} is no {column.after}",
                sql=f"select count(*) from information_schema.columns where {conditions}",
            )
    return None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _evidence(
    columns: Sequence[RetypedColumn],
    reads: _Reads,
    failures: Sequence[Failure],
    codebase: Codebase,
) -> Iterator[Evidence]:
    manifest = codebase.manifest
    for column in columns:
        yield Evidence(
            kind="schema",
            statement=f"{manifest.asset(column.asset).relation}.{column.column} was "
            f"{column.before} by {column.known_from} and is {column.after}",
        )
        for reader, upstream in reads[column.column]:
            asset = manifest.asset(reader)
            yield Evidence(
                kind="lineage",
                statement=f"{asset.name} reads {column.column} of {manifest.asset(upstream).name}",
                source=asset.path,
            )
    for failure in failures[:2]:
        yield Evidence(kind="run", statement=failure.excerpt)
