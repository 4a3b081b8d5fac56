"""A column was given another name upstream, and models go on reading it by the old one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.column_changes import change_readers, stale_tables
from dagster_agent.investigation.clues.column_successors import Fate, Fates, Successor
from dagster_agent.investigation.clues.missing_columns import (
    MissingColumns,
    came_with_the_reader,
    missing_columns,
)
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Evidence, Hypothesis, Recheck
from dagster_agent.repair.fixer import ColumnFault

_PRIOR = 0.42
"""A column is read that is not there."""
_LIKENESS = 0.32
"""The other column is the old one beyond doubt, by type, place and name."""
_BY_NAME_ALONE = -0.12
"""Nobody knows the schema of before."""
_WITH_COMMIT = 0.05
"""A commit took the one away and brought the other in."""
_FAILED = 0.04
"""A run failed for want of it."""
_READERS_OWN = -0.3
"""The newest change of the reader's own file brought the name in."""
_LEAST = 0.3
"""Likeness below which a column is no candidate."""


@bug_pattern(id="upstream-column-renamed")
def upstream_column_renamed(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source or an upstream model calls a column by another name, and its readers do not know.

    Seen as: a model reads a column that its upstream no longer has, and a new one of the same type,
    in the same place or with a similar name is there; or a commit gave the same expression in an
    upstream model another name. Where several columns may be meant, each is a hypothesis.
    Not this pattern: a name that the reader's own newest change brought in, and a column that is
    gone without one that could be it.
    Refuted if: with the other column in its place the readers still cannot be built.
    """
    fates = Fates(dossier, codebase)
    for missing in missing_columns(dossier, codebase):
        judged = fates.of(missing)
        candidates = [[s for s in fate.successors if s.confidence >= _LEAST] for fate in judged]
        # the likeliest of each column together, then the second of each, ...
        for chosen in islice(zip_longest(*candidates), 3):
            pairs = {
                fate.column: successor or (found[0] if found else None)
                for fate, successor, found in zip(judged, chosen, candidates, strict=True)
            }
            renamed = [(f, s) for f in judged if (s := pairs[f.column]) is not None]
            yield _hypothesis(missing, judged, renamed, dossier, codebase)


def _hypothesis(
    missing: MissingColumns,
    fates: Sequence[Fate],
    renamed: Sequence[tuple[Fate, Successor]],
    dossier: Dossier,
    codebase: Codebase,
) -> Hypothesis:
    names = {fate.column: successor for fate, successor in renamed}
    rest = [fate for fate in fates if fate.column not in names]
    repairs: dict[str, list[ColumnFault]] = {}
    for fate in fates:
        successor = names.get(fate.column)
        fault = ColumnFault(
            relation=missing.relation,
            column=fate.column,
            new_name=successor.new if successor else None,
            type=fate.type,
        )
        repairs.setdefault("column-alias" if successor else "column-placeholder", []).append(fault)
    stale = [
        uid for f in fates for uid in stale_tables(missing.upstream, f.column, dossier, codebase)
    ]
    edit = change_readers(missing.reads, repairs, dossier, codebase, rebuilt=stale)
    commit = next((fate.commit for fate, _ in renamed if fate.commit), None)
    readers = [codebase.manifest.asset(uid).name for uid in missing.readers]
    return Hypothesis(
        pattern="upstream-column-renamed",
        asset=missing.readers[0],
        mechanism=_mechanism(missing, renamed, rest, readers, codebase) + edit.told,
        refuted_by=f"{readers[0]} cannot be built with the new name either",
        confidence=_confidence(missing, renamed, codebase),
        evidence=tuple(_evidence(missing, renamed, codebase)),
        files=edit.files,
        line=edit.line,
        commit=commit.sha if commit else None,
        change=edit.change,
        recheck=Recheck.BUILD,
    )


def _mechanism(
    missing: MissingColumns,
    renamed: Sequence[tuple[Fate, Successor]],
    rest: Sequence[Fate],
    readers: Sequence[str],
    codebase: Codebase,
) -> str:
    origin = codebase.manifest.asset(missing.origin)
    told = " and ".join(f"{s.old} to {s.new}" for _, s in renamed)
    olds = " and ".join(s.old for _, s in renamed)
    commit = next((fate.commit for fate, _ in renamed if fate.commit), None)
    if commit is not None:
        who = (
            f"Commit {commit.sha[:7]} ({commit.at:%Y-%m-%d %H:%M} UTC, {commit.author}) renamed "
            f"{told} in {origin.name} without its readers"
        )
    else:
        who = f"{origin.relation or origin.name} renamed {told}"
    mechanism = f"{who}: {', '.join(readers)} still read{'s' * (len(readers) == 1)} {olds}"
    if rest:
        gone = " and ".join(fate.column for fate in rest)
        mechanism += f"; {gone} is gone without a successor and becomes NULL"
    return mechanism


def _confidence(
    missing: MissingColumns, renamed: Sequence[tuple[Fate, Successor]], codebase: Codebase
) -> float:
    weakest = min(successor.confidence for _, successor in renamed)
    confidence = _PRIOR + _LIKENESS * weakest
    if any(fate.commit is not None for fate, _ in renamed):
        confidence += _WITH_COMMIT
    if missing.failures:
        confidence += _FAILED
    if not all(fate.compared for fate, _ in renamed):
        confidence += _BY_NAME_ALONE
        if any(
            came_with_the_reader(reader, fate.column, codebase)
            for fate, _ in renamed
            for reader in missing.readers
        ):
            confidence += _READERS_OWN
    return round(confidence, 2)


def _evidence(
    missing: MissingColumns, renamed: Sequence[tuple[Fate, Successor]], codebase: Codebase
) -> Iterator[Evidence]:
    origin = codebase.manifest.asset(missing.origin)
    where = str(origin.relation or origin.name)
    for fate, successor in renamed:
        yield Evidence(
            kind="schema",
            statement=f"{where} has no {fate.column}, and has {successor.new} "
            f"({successor.confidence:.2f}: {successor.evidence})",
        )
        if fate.commit is not None:
            yield Evidence(
                kind="timeline",
                statement=f"{fate.commit.sha[:7]} of {fate.commit.at:%Y-%m-%d %H:%M} UTC by "
                f"{fate.commit.author} took {fate.column} from {origin.name}: "
                f"{fate.commit.subject}",
                source=fate.commit.sha,
            )
    yield from missing.told(codebase)
