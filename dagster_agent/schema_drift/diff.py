"""`SchemaDiff`: what is different between an accepted schema and the one observed now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.contract import Breach, breaches
from dagster_agent.schema_drift.fingerprints import Samples
from dagster_agent.schema_drift.impact import Impact
from dagster_agent.schema_drift.json_changes import KeyChange
from dagster_agent.schema_drift.nested import NestedChange, nested_changes
from dagster_agent.schema_drift.pairing import Pairs, moved_columns, pair_columns
from dagster_agent.schema_drift.renames import Rename, match_renames
from dagster_agent.schema_drift.types import TypeChange, compare_types

_NO_IMPACT = Impact()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retype:
    """A column whose type is another one now."""

    name: str
    """As observed."""
    before: str
    """Accepted type."""
    after: str
    """Observed type."""
    change: TypeChange
    """Whether old values still fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A property of a column, or of the table, that is another one now."""

    name: str
    """The column as observed; empty for the table."""
    before: str
    """As accepted; empty where there was none."""
    after: str
    """As observed; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDiff:
    """The differences of one table. All tuples are in table order."""

    baseline: TableSchema
    """What was accepted."""
    observed: TableSchema | None
    """What is there; None when the table is gone."""
    dialect: str = ""
    """sqlglot's name of the dialect."""
    added: tuple[ColumnSchema, ...] = ()
    """New columns that are no renames."""
    removed: tuple[ColumnSchema, ...] = ()
    """Columns that are gone and not renamed."""
    renamed: tuple[Rename, ...] = ()
    """A gone and a new column that look like the same one."""
    recased: tuple[Changed, ...] = ()
    """Columns whose name has other capitals now."""
    retyped: tuple[Retype, ...] = ()
    """Columns of another type; synonyms of the same type, and what `nested` tells, are none."""
    nested: tuple[NestedChange, ...] = ()
    """Fields inside nested types that came, went or have another type."""
    keys: tuple[KeyChange, ...] = ()
    """Keys in documents of JSON columns that came, went or hold another type."""
    loosened: tuple[str, ...] = ()
    """Columns that may be NULL now and could not before."""
    tightened: tuple[str, ...] = ()
    """Columns that may not be NULL any more."""
    redefaulted: tuple[Changed, ...] = ()
    """Columns with another default."""
    recollated: tuple[Changed, ...] = ()
    """Columns that compare and sort by other rules."""
    rekeyed: Changed | None = None
    """Another primary key, its columns joined by commas."""
    recommented: tuple[Changed, ...] = ()
    """The table's comment, where it is another one, then those of columns."""
    moved: tuple[str, ...] = ()
    """Columns that stand before others which they stood behind."""
    breaches: tuple[Breach, ...] = ()
    """Where an enforced dbt contract is broken, whatever was accepted."""
    described_only: tuple[str, ...] = ()
    """Columns that the yml describes and the table lacks, and that no contract enforces."""
    new_tables: tuple[str, ...] = ()
    """Tables beside this one that nobody declares and that were not there at the last look."""
    impacts: Mapping[str, Impact] = field(default_factory=lambda: dict[str, Impact]())
    """Who reads a column, by lower-case column name, or a key, by its path; the key "" is about the
    whole table."""

    @property
    def empty(self) -> bool:
        """Nothing is different."""
        return not (
            self.missing
            or self.replaced_by_view
            or self.replaced_by_table
            or self.rekeyed
            or any(getattr(self, name) for name in _DIFFERENCES)
        )

    @property
    def missing(self) -> bool:
        """The table is gone."""
        return self.observed is None

    @property
    def replaced_by_view(self) -> bool:
        """A table became a view."""
        return self._kinds() == (False, True)

    @property
    def replaced_by_table(self) -> bool:
        """A view became a table."""
        return self._kinds() == (True, False)

    def _kinds(self) -> tuple[bool, bool] | None:
        if self.observed is None:
            return None
        return self.baseline.kind == "view", self.observed.kind == "view"

    def impact_of(self, column: str) -> Impact:
        """What reads the column; of the whole table for an empty name."""
        return self.impacts.get(column.lower(), _NO_IMPACT)

    def readers_of(self, column: str) -> Sequence[str]:
        """Names of those who read the column, in order."""
        return self.impact_of(column).names

    def columns_concerned(self) -> tuple[str, ...]:
        """Names, as accepted, of the columns whose readers a change of this kind may hurt."""
        names = [
            *(column.name for column in self.removed),
            *(rename.before.name for rename in self.renamed),
            *(retype.name for retype in self.retyped),
            *(change.column for change in self.nested),
            *(change.name for change in (*self.recased, *self.redefaulted, *self.recollated)),
            *(breach.column for breach in self.breaches),
            *self.loosened,
        ]
        return tuple(dict.fromkeys(names))


_DIFFERENCES = (
    *("added", "removed", "renamed", "recased", "retyped", "nested", "keys", "loosened"),
    *("tightened", "redefaulted", "recollated", "recommented", "moved", "breaches"),
    *("described_only", "new_tables"),
)


def diff_schemas(
    baseline: TableSchema,
    observed: TableSchema | None,
    *,
    dialect: str,
    rename_confidence: float,
    samples: Samples | None = None,
    contract: Mapping[str, str] | None = None,
    described: Sequence[str] = (),
) -> SchemaDiff:
    """Compare two schemas of one table; who reads it is for the caller to add.

    Args:
        baseline: What was accepted.
        observed: What is there now; None when the table is gone.
        dialect: sqlglot's name of the dialect of the types.
        rename_confidence: Confidence, 0 to 1, from which a gone and a new column are one.
        samples: Sampled values of columns then and now, as evidence for renames.
        contract: Type by column, where a dbt contract is enforced.
        described: Columns that the yml names.
    """
    if observed is None:
        return SchemaDiff(baseline=baseline, observed=None, dialect=dialect)
    pairs, gone, new = pair_columns(baseline.columns, observed.columns)
    renamed = match_renames(
        gone,
        new,
        baseline=baseline,
        observed=observed,
        dialect=dialect,
        least=rename_confidence,
        samples=samples,
    )
    from_names = {rename.before.name for rename in renamed}
    to_names = {rename.after.name for rename in renamed}
    retyped, nested = _retyped(pairs, dialect)
    return SchemaDiff(
        baseline=baseline,
        observed=observed,
        dialect=dialect,
        added=tuple(column for column in new if column.name not in to_names),
        removed=tuple(column for column in gone if column.name not in from_names),
        renamed=renamed,
        recased=_changed((new.name, old.name, new.name) for old, new in pairs),
        retyped=retyped,
        nested=nested,
        moved=moved_columns(pairs),
        breaches=tuple(breaches(contract or {}, observed, dialect=dialect)),
        described_only=tuple(
            name for name in described if not contract and observed.column(name) is None
        ),
        # a view has neither NOT NULL nor defaults nor keys: that it is one now says it all
        **(_properties(pairs, baseline, observed) if baseline.kind == observed.kind else {}),
    )


def _properties(pairs: Pairs, baseline: TableSchema, observed: TableSchema) -> Mapping[str, Any]:
    before, after = (
        ", ".join(c.name for c in s.columns if c.primary_key) for s in (baseline, observed)
    )
    return {
        "loosened": tuple(new.name for old, new in pairs if new.nullable and not old.nullable),
        "tightened": tuple(new.name for old, new in pairs if old.nullable and not new.nullable),
        "redefaulted": _changed((n.name, o.default or "", n.default or "") for o, n in pairs),
        "recollated": _changed((n.name, o.collation or "", n.collation or "") for o, n in pairs),
        "rekeyed": next(iter(_changed([("", before, after)])), None),
        "recommented": _changed(
            [("", baseline.comment, observed.comment)]
            + [(new.name, old.comment, new.comment) for old, new in pairs]
        ),
    }


def _changed(triples: Iterable[tuple[str, str, str]]) -> tuple[Changed, ...]:
    return tuple(
        Changed(name=name, before=before, after=after)
        for name, before, after in triples
        if before != after
    )


def _retyped(pairs: Pairs, dialect: str) -> tuple[tuple[Retype, ...], tuple[NestedChange, ...]]:
    whole: list[Retype] = []
    inside: list[NestedChange] = []
    for old, new in pairs:
        change = compare_types(old.type, new.type, dialect=dialect)
        if change is TypeChange.SAME:
            continue
        fields = nested_changes(new.name, old.type, new.type, dialect=dialect)
        inside += fields
        if not fields:
            whole.append(Retype(name=new.name, before=old.type, after=new.type, change=change))
    return tuple(whole), tuple(inside)
