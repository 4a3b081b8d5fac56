"""What a column that is gone may be called now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.accounts.broken_reads import Columns
from dagster_agent.investigation.clues.missing_columns import MissingColumns
from dagster_agent.investigation.clues.output_history import commit_that_took
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.renames import match_renames
from dagster_agent.sql.lineage import column_origin

_COPY = 0.95
"""A commit gave the same expression another name."""
_SWAP = 0.8
"""A commit took one column away and brought one in."""
_RIVAL = 0.1
"""Confidence that a further candidate stays below the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A column that may be the old one under a new name."""

    old: str
    """As the readers spell it."""
    new: str
    """As the asset spells it now."""
    confidence: float
    """0 to 1."""
    evidence: str
    """What speaks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is known of a column that is gone."""

    column: str
    """As the readers spell it."""
    type: str | None
    """Type it had, in the warehouse's own words."""
    existed: bool | None
    """Whether the asset ever had it; None when nobody knows."""
    compared: bool
    """The successors were found by comparing with a schema of before, not by name alone."""
    successors: tuple[Successor, ...]
    """The likeliest first."""
    commit: Commit | None
    """The commit that took it from the asset's code."""


class Fates:
    """Judges the columns that are gone.

    Args:
        dossier: With schemas, as accepted and as observed.
        codebase: Code and history.
    """

    def __init__(self, dossier: Dossier, codebase: Codebase) -> None:
        self._dossier = dossier
        self._codebase = codebase
        self._columns = Columns(codebase.manifest, dossier.schemas, codebase.dialect)

    def of(self, missing: MissingColumns) -> tuple[Fate, ...]:
        """One per column of `missing`, in its order."""
        before, now = self._before(missing), self._now(missing.origin)
        return tuple(self._fate(column, missing, before, now) for column in missing.columns)

    def _fate(
        self, column: str, missing: MissingColumns, before: TableSchema | None, now: TableSchema
    ) -> Fate:
        asset = self._codebase.manifest.asset(missing.origin)
        change = None
        if asset.resource_type == "model":
            change = commit_that_took(self._codebase, asset.path, column)
        old = before.column(column) if before else None
        existed = True if old or change else False if before else None
        if old is not None and before is not None:
            found = self._matched(old, missing.columns, before, now)
        else:
            found = self._alike(column, missing, now) if existed is not False else []
        if change is not None:
            names = {name.casefold(): name for name in change.added}
            there = [c.name for c in now.columns if c.name.casefold() in names]
            found = _led_by_commit(column, there, change.same, found)
        return Fate(
            column=column,
            type=old.type if old and old.type else None,
            existed=existed,
            compared=old is not None or change is not None,
            successors=tuple(replace(s, old=column) for s in found[:3]),
            commit=change.commit if change else None,
        )

    def _before(self, missing: MissingColumns) -> TableSchema | None:
        """The schema in which the columns still were: accepted, or of a table older than its code.

        The accepted one, too, when it never had them.
        """
        accepted = self._dossier.accepted.get(missing.origin)
        stale = self._dossier.schemas.get(missing.origin)
        known = [schema for schema in (accepted, stale) if schema is not None]
        had = [s for s in known if any(s.column(c) for c in missing.columns)]
        return had[0] if had else accepted

    def _now(self, uid: str) -> TableSchema:
        """The columns that the asset has by its code, with types as far as they can be told."""
        observed = self._dossier.schemas.get(uid)
        relation = self._codebase.manifest.asset(uid).relation
        names = self._columns.of(uid) or ()
        columns = tuple(
            ColumnSchema(name=name, type=self._type(uid, name, observed), position=position)
            for position, name in enumerate(names, 1)
        )
        if observed is not None and names == tuple(c.name for c in observed.columns):
            return observed
        named = relation or self._dossier.schemas[uid].relation
        return TableSchema(relation=named, columns=columns)

    def _type(self, uid: str, name: str, observed: TableSchema | None) -> str:
        """Empty when unknown."""
        column = observed.column(name) if observed else None
        if column is not None:
            return column.type
        sql = self._codebase.manifest.compiled_code(uid)
        copied = column_origin(sql, self._codebase.dialect, name) if sql else None
        source = self._codebase.manifest.by_relation(copied[0]) if copied else None
        schema = self._dossier.schemas.get(source.unique_id) if source else None
        column = schema.column(copied[1]) if schema and copied else None
        return column.type if column else ""

    def _matched(
        self, old: ColumnSchema, gone: Sequence[str], before: TableSchema, now: TableSchema
    ) -> list[Successor]:
        """By type, place and name, against the schema in which the column was."""
        lost = [c for c in before.columns if c.name.casefold() in {g.casefold() for g in gone}]
        new = [c for c in now.columns if before.column(c.name) is None and c.type]
        found: list[Successor] = []
        while True:
            pairs = match_renames(
                lost,
                new,
                baseline=before,
                observed=now,
                dialect=self._codebase.dialect,
                least=0.0,
            )
            rename = next((p for p in pairs if p.before.name == old.name), None)
            if rename is None:
                return found
            ceiling = found[-1].confidence - _RIVAL if found else 1.0
            found.append(
                Successor(
                    old=old.name,
                    new=rename.after.name,
                    confidence=max(0.0, min(rename.confidence, ceiling)),
                    evidence=rename.evidence,
                )
            )
            new = [c for c in new if c.name != rename.after.name]

    def _alike(self, column: str, missing: MissingColumns, now: TableSchema) -> list[Successor]:
        """By name alone: there is no schema of before to compare with."""
        read = self._read_names(missing)
        unread = [c for c in now.columns if c.name.casefold() not in read]
        edge = ColumnSchema(name="\0", type="\0")
        old = ColumnSchema(name=column, type="?")
        baseline = TableSchema(relation=now.relation, columns=(edge, old, edge))
        judged: list[Successor] = []
        for candidate in unread:
            rename = match_renames(
                [old],
                [replace(candidate, type="?")],
                baseline=baseline,
                observed=now,
                dialect=self._codebase.dialect,
                least=0.0,
            )[0]
            found = rename.evidence.partition(", ")[2]
            evidence = found.removesuffix(", no other candidate of that type")
            proposed = any(
                candidate.name.casefold() in {n.casefold() for n in failure.facts.candidates}
                for failure in missing.failures
            )
            judged.append(
                Successor(
                    old=column,
                    new=candidate.name,
                    confidence=rename.confidence,
                    evidence=evidence + ", proposed by the warehouse" * proposed,
                )
            )
        return sorted(judged, key=lambda s: -s.confidence)

    def _read_names(self, missing: MissingColumns) -> set[str]:
        """Columns of the origin that some model reads by name."""
        manifest = self._codebase.manifest
        return {
            read.column.casefold()
            for child in manifest.children(missing.origin)
            for read in self._columns.reads(child)
            if (asset := manifest.by_relation(read.relation)) is not None
            and asset.unique_id == missing.origin
        }


def _led_by_commit(
    column: str, added: Sequence[str], same: str | None, others: Sequence[Successor]
) -> list[Successor]:
    """The candidates, with what the commit brought in first."""
    led: list[Successor] = []
    if same is not None and same in added:
        evidence = f"the commit calls what was {column} {same}"
        led = [Successor(old=column, new=same, confidence=_COPY, evidence=evidence)]
    elif len(added) == 1:
        evidence = f"the commit took {column} away and brought {added[0]} in"
        led = [Successor(old=column, new=added[0], confidence=_SWAP, evidence=evidence)]
    taken = {s.new for s in led}
    ceiling = led[0].confidence - _RIVAL if led else 1.0
    rest = [s for s in others if s.new not in taken]
    return [*led, *(replace(s, confidence=min(s.confidence, ceiling)) for s in rest)]
