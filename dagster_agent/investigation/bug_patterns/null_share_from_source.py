"""A source delivers NULL where it delivered values; nothing in the project changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dagster_agent.anomaly.profiling.event_time import event_time
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import measured_columns
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.null_shifts import NullShift, null_shifts
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, Hypothesis, Invariant, Question, Recheck
from dagster_agent.sql.identifiers import relation_sql

_PRIOR = 0.75
"""The source's own days show the same jump as the model's, and the model copies the column."""


@bug_pattern(id="null-share-from-source")
def null_share_from_source(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A column holds NULL in far more rows since a day, and the source delivers them so.

    Seen as: the anomaly check calls the daily share of NULL of a column unusual, the column is
    copied unchanged from a source, and the source's own days show the same jump.
    Not this pattern: a column that is computed, or whose source shows nothing of the kind: then it
    happened on the way. Tables whose rows have no day.
    Refuted if: building the models anew from the same source brings the values back.
    """
    by_source: dict[str, list[NullShift]] = {}
    for found in null_shifts(dossier, codebase):
        by_source.setdefault(found.source, []).append(found)
    for source, found in by_source.items():
        yield _hypothesis(codebase.manifest.asset(source), found, dossier, codebase)


def _hypothesis(
    source: Asset, found: Sequence[NullShift], dossier: Dossier, codebase: Codebase
) -> Hypothesis:
    invariant = _invariant(found[0], dossier, codebase)
    told = "; ".join(_told(source, each) for each in found)
    copies = [f"{each.copy.name}.{each.column} copies it" for each in found if each.copy != source]
    return Hypothesis(
        pattern="null-share-from-source",
        asset=source.unique_id,
        mechanism=". ".join([told, *copies[:1]]) + ". It came with the source.",
        refuted_by="building the models anew from the same source brings the values back",
        confidence=_PRIOR,
        evidence=tuple(each.evidence for each in found),
        files=(source.path,),
        recheck=Recheck.INVARIANT,
        invariant=invariant,
        data_cause=invariant is not None,
        question=Question(
            text=(f"{source.owner}: " if source.owner else "") + f"is this right? {told}.",
            options=(
                "no: whoever delivers it mends it and delivers these days again",
                "yes, it is meant to be so: call it expected in the anomaly check",
            ),
            why=f"the values are missing where they arrive, in {source.relation}: no change to the"
            " project brings them back",
        ),
    )


def _told(source: Asset, found: NullShift) -> str:
    shift = found.shift
    return (
        f"{source.name}.{shift.column} is NULL in {shift.after:.1%} of the rows since "
        f"{shift.day:%A}, {shift.day}; usual are {shift.before:.1%}"
    )


def _invariant(found: NullShift, dossier: Dossier, codebase: Codebase) -> Invariant | None:
    """Since the day the share is nearer to what was usual; None where the copy has no days."""
    relation, schema = found.copy.relation, dossier.schemas.get(found.copy.unique_id)
    column = schema.column(found.column) if schema is not None else None
    if relation is None or schema is None or column is None:
        return None
    moments = measured_columns(schema.columns, codebase.dialect)
    declared = (_configured(found.copy), codebase.manifest.time_column(found.copy.unique_id))
    by = event_time(moments, configured=None, declared=declared)
    if by is None:
        return None
    grammar = Grammar(codebase.dialect)
    day = grammar.day(grammar.name(by.column.name), zoned=by.column.zoned)
    limit = round((found.shift.before + found.shift.after) / 2, 6)
    name = grammar.name(column.name)
    return Invariant(
        statement=f"{found.copy.name}.{column.name} is NULL in at most {limit:.1%} of the rows "
        f"since {found.shift.day}",
        sql=f"select case when sum(case when {name} is null then 1 else 0 end) > "
        f"{limit} * count(*) then 1 else 0 end as violations "
        f"from {relation_sql(relation, codebase.dialect)} "
        f"where {day} >= date '{found.shift.day}'",
    )


def _configured(asset: Asset) -> str | None:
    """`profiling.timestamp` of the asset's meta."""
    ours = cast("Mapping[str, Any]", asset.meta.get("dagster_agent") or {})
    profiling = cast("Mapping[str, Any]", ours.get("profiling") or {})
    return profiling.get("timestamp")
