"""`SchemaDiff`: what is different between an accepted schema and the one observed now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.renames import Rename, match_renames
from dagster_agent.schema_drift.types import TypeChange, compare_types


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
class SchemaDiff:
    """The differences of one table. All tuples are in table order."""

    baseline: TableSchema
    """What was accepted."""
    observed: TableSchema | None
    """What is there; None when the table is gone."""
    added: tuple[ColumnSchema, ...] = ()
    """New columns that are no renames."""
    removed: tuple[ColumnSchema, ...] = ()
    """Columns that are gone and not renamed."""
    renamed: tuple[Rename, ...] = ()
    """A gone and a new column that look like the same one."""
    retyped: tuple[Retype, ...] = ()
    """Columns of another type; synonyms of the same type are none."""
    loosened: tuple[str, ...] = ()
    """Columns that may be NULL now and could not before."""
    moved: tuple[str, ...] = ()
    """Columns that stand before others which they stood behind."""
    readers: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict[str, Sequence[str]]())
    """Who reads a column: names of models, tests, exposures, by lower-case column name; the key ""
    holds those who read the table."""

    @property
    def empty(self) -> bool:
        """Nothing is different."""
        return not (
            self.missing
            or self.replaced_by_view
            or self.added
            or self.removed
            or self.renamed
            or self.retyped
            or self.loosened
            or self.moved
        )

    @property
    def missing(self) -> bool:
        """The table is gone."""
        return self.observed is None

    @property
    def replaced_by_view(self) -> bool:
        """A table became a view."""
        return (
            self.observed is not None
            and self.baseline.kind != "view"
            and self.observed.kind == "view"
        )

    def readers_of(self, column: str) -> Sequence[str]:
        """Names of those who read the column, in order."""
        return self.readers.get(column.lower(), ())


def diff_schemas(
    baseline: TableSchema,
    observed: TableSchema | None,
    *,
    dialect: str,
    rename_confidence: float,
    readers: Mapping[str, Sequence[str]] | None = None,
) -> SchemaDiff:
    """Compare two schemas of one table.

    Columns are the same when their names are, letter case ignored where no name matches exactly.

    Args:
        baseline: What was accepted.
        observed: What is there now; None when the table is gone.
        dialect: sqlglot's name of the dialect of the types.
        rename_confidence: Confidence, 0 to 1, from which a gone and a new column are one.
        readers: See `SchemaDiff.readers`.
    """
    if observed is None:
        return SchemaDiff(baseline=baseline, observed=None, readers=readers or {})
    pairs, gone, new = _pair(baseline.columns, observed.columns)
    renamed = match_renames(
        gone, new, baseline=baseline, observed=observed, dialect=dialect, least=rename_confidence
    )
    from_names = {rename.before.name for rename in renamed}
    to_names = {rename.after.name for rename in renamed}
    return SchemaDiff(
        baseline=baseline,
        observed=observed,
        added=tuple(column for column in new if column.name not in to_names),
        removed=tuple(column for column in gone if column.name not in from_names),
        renamed=renamed,
        retyped=_retyped(pairs, dialect),
        loosened=tuple(new.name for old, new in pairs if new.nullable and not old.nullable),
        moved=_moved(pairs),
        readers=readers or {},
    )


_Pairs = Sequence[tuple[ColumnSchema, ColumnSchema]]


def _pair(
    before: Sequence[ColumnSchema], after: Sequence[ColumnSchema]
) -> tuple[_Pairs, Sequence[ColumnSchema], Sequence[ColumnSchema]]:
    """Columns that stayed (in their old order), those gone, those new."""
    left = {column.name: column for column in after}
    partners: dict[str, ColumnSchema] = {}
    for spelled in (str, str.casefold):
        spellings = {spelled(name): name for name in left}
        for column in before:
            name = spellings.get(spelled(column.name))
            if column.name not in partners and name in left:
                partners[column.name] = left.pop(name)
    pairs = [(column, partners[column.name]) for column in before if column.name in partners]
    gone = [column for column in before if column.name not in partners]
    return pairs, gone, [column for column in after if column.name in left]


def _retyped(pairs: _Pairs, dialect: str) -> tuple[Retype, ...]:
    found = (
        Retype(
            name=new.name,
            before=old.type,
            after=new.type,
            change=compare_types(old.type, new.type, dialect=dialect),
        )
        for old, new in pairs
    )
    return tuple(retype for retype in found if retype.change is not TypeChange.SAME)


def _moved(pairs: _Pairs) -> tuple[str, ...]:
    """The fewest columns whose move explains the new order: those outside the longest run."""
    positions = [new.position for _, new in pairs]
    tails: list[int] = []  # by length of run: index of the smallest position that ends one
    before: list[int] = []  # by index: index of the one before it in its run, or -1
    for index, position in enumerate(positions):
        length = bisect_left(tails, position, key=positions.__getitem__)
        before.append(tails[length - 1] if length else -1)
        tails[length : length + 1] = [index]
    kept: set[int] = set()
    index = tails[-1] if tails else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return tuple(new.name for index, (_, new) in enumerate(pairs) if index not in kept)
