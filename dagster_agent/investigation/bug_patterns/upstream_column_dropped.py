"""A column that models read is gone upstream, and nothing took its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.column_changes import change_readers, stale_tables
from dagster_agent.investigation.clues.column_successors import Fate, Fates
from dagster_agent.investigation.clues.missing_columns import (
    MissingColumns,
    came_with_the_reader,
    missing_columns,
)
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Evidence, Hypothesis, Recheck
from dagster_agent.repair.fixer import ColumnFault

_PRIOR = 0.68
"""A column that is known to have been there is read and is not there any more."""
_UNKNOWN = 0.5
"""It is read and is not there; nobody knows whether it ever was."""
_FAILED = 0.05
"""A run failed for want of it."""
_RIVAL = -0.15
"""Another column may be it under a new name, though it does not look like it."""
_READERS_OWN = -0.3
"""The newest change of the reader's own file brought the name in."""
_SUCCESSOR = 0.5
"""Likeness from which another column is taken for the old one."""
_DOUBT = 0.3
"""Likeness from which it may be."""


@bug_pattern(id="upstream-column-dropped")
def upstream_column_dropped(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source or an upstream model no longer has a column, and its readers fail.

    Seen as: a model reads a column that its upstream no longer has, and no new column looks like
    it. The change lets the pipeline run again with NULL in the column's place; the values are gone,
    and a person has to say whether that is acceptable.
    Not this pattern: a column that goes on under another name, and a name that never was there.
    Refuted if: without the column the readers still cannot be built.
    """
    fates = Fates(dossier, codebase)
    for missing in missing_columns(dossier, codebase):
        judged = [f for f in fates.of(missing) if f.existed is not False]
        likeness = [f.successors[0].confidence if f.successors else 0.0 for f in judged]
        if judged and all(found < _SUCCESSOR for found in likeness):
            yield _hypothesis(missing, judged, max(likeness) >= _DOUBT, dossier, codebase)


def _hypothesis(
    missing: MissingColumns,
    fates: Sequence[Fate],
    doubted: bool,
    dossier: Dossier,
    codebase: Codebase,
) -> Hypothesis:
    manifest = codebase.manifest
    faults = [
        ColumnFault(relation=missing.relation, column=fate.column, type=fate.type) for fate in fates
    ]
    stale = [
        uid for f in fates for uid in stale_tables(missing.upstream, f.column, dossier, codebase)
    ]
    edit = change_readers(
        missing.reads, {"column-placeholder": faults}, dossier, codebase, rebuilt=stale
    )
    origin = manifest.asset(missing.origin)
    names = " and ".join(fate.column for fate in fates)
    readers = [manifest.asset(uid).name for uid in missing.readers]
    commit = next((fate.commit for fate in fates if fate.commit), None)
    who = f"{origin.relation or origin.name} has no {names} any more"
    if commit is not None:
        who = (
            f"Commit {commit.sha[:7]} ({commit.at:%Y-%m-%d %H:%M} UTC, {commit.author}) took "
            f"{names} out of {origin.name}"
        )
    mechanism = f"{who}, and {', '.join(readers)} read{'s' * (len(readers) == 1)} it"
    if edit.change is not None:
        mechanism += ". The values are gone: the change only puts NULL in their place"
    return Hypothesis(
        pattern="upstream-column-dropped",
        asset=missing.readers[0],
        mechanism=mechanism + edit.told,
        refuted_by=f"{readers[0]} cannot be built without the column either",
        confidence=_confidence(missing, fates, doubted, codebase),
        evidence=tuple(_evidence(missing, fates, codebase)),
        files=edit.files,
        line=edit.line,
        commit=commit.sha if commit else None,
        change=edit.change,
        recheck=Recheck.BUILD,
    )


def _confidence(
    missing: MissingColumns, fates: Sequence[Fate], doubted: bool, codebase: Codebase
) -> float:
    certain = all(fate.existed for fate in fates)
    confidence = _PRIOR if certain else _UNKNOWN
    confidence += (_FAILED if missing.failures else 0.0) + (_RIVAL if doubted else 0.0)
    if not certain and any(
        came_with_the_reader(reader, fate.column, codebase)
        for fate in fates
        for reader in missing.readers
    ):
        confidence += _READERS_OWN
    return round(confidence, 2)


def _evidence(
    missing: MissingColumns, fates: Sequence[Fate], codebase: Codebase
) -> Iterator[Evidence]:
    origin = codebase.manifest.asset(missing.origin)
    for fate in fates:
        known = f", which was {fate.type}" if fate.type else ""
        other = "no other column looks like it"
        if fate.successors:
            nearest = fate.successors[0]
            other = f"the nearest, {nearest.new}, hardly does ({nearest.confidence:.2f})"
        yield Evidence(
            kind="schema",
            statement=f"{origin.relation or origin.name} has no {fate.column}{known}; {other}",
        )
        if fate.commit is not None:
            yield Evidence(
                kind="timeline",
                statement=f"{fate.commit.sha[:7]} of {fate.commit.at:%Y-%m-%d %H:%M} UTC by "
                f"{fate.commit.author}: {fate.commit.subject}",
                source=fate.commit.sha,
            )
    yield from missing.told(codebase)
