"""Columns that a model reads and that the table it reads them from does not have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation, TableSchema
from dagster_agent.sql.column_reads import ColumnRead, columns_read
from dagster_agent.sql.output_names import named_outputs
from dagster_agent.sql.spelling import case_counts

_EPHEMERAL = "__dbt__cte__"
"""Scopes that dbt inlines from ephemeral models: their reads are that model's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRead:
    """A reference into the void: the model fails at its next run, if it did not already."""

    asset: str
    """dbt unique id of the model that reads."""
    upstream: str
    """dbt unique id of what it reads from."""
    column: str
    """The column as the model spells it."""


def broken_reads(
    assets: Sequence[str], manifest: Manifest, schemas: Mapping[str, TableSchema], dialect: str
) -> tuple[BrokenRead, ...]:
    """Reads of columns that are not there, in the order of `assets`, each once.

    What a model's own code puts out counts, not its table: that may be older than the code.

    Args:
        assets: dbt unique ids of the readers; those that are no SQL models are passed over.
        manifest: With compiled code.
        schemas: Observed schemas by dbt unique id, of all that the readers read.
        dialect: sqlglot's name of the dialect.
    """
    columns = Columns(manifest, schemas, dialect)
    found: dict[BrokenRead, None] = {}
    for uid in assets:
        for read in columns.reads(uid):
            upstream = manifest.by_relation(read.relation)
            if upstream is None or upstream.unique_id not in manifest.parents(uid):
                continue
            there = columns.of(upstream.unique_id)
            if there is not None and not is_among(read, there, dialect):
                broken = BrokenRead(asset=uid, upstream=upstream.unique_id, column=read.column)
                found[broken] = None
    return tuple(found)


class Columns:
    """The columns that each asset has once its code as it is now has run.

    Args:
        manifest: With compiled code.
        schemas: Observed schemas by dbt unique id.
        dialect: sqlglot's name of the dialect.
    """

    def __init__(
        self, manifest: Manifest, schemas: Mapping[str, TableSchema], dialect: str
    ) -> None:
        self._manifest = manifest
        self._schemas = schemas
        self._dialect = dialect
        self._found: dict[str, tuple[str, ...] | None] = {}

    def of(self, uid: str) -> tuple[str, ...] | None:
        """In order; of a model what its code says, else what was observed; None when unknown."""
        if uid not in self._found:
            self._found[uid] = None  # a circle ends here
            self._found[uid] = self._written(uid) or self._observed(uid)
        return self._found[uid]

    def known_to(self, uid: str) -> dict[Relation, tuple[str, ...]]:
        """Columns of all that an asset reads, by relation, as far as they are known."""
        manifest = self._manifest
        parents = ((manifest.asset(p).relation, self.of(p)) for p in manifest.parents(uid))
        return {relation: columns for relation, columns in parents if relation and columns}

    def reads(
        self, uid: str, *, known: Mapping[Relation, Sequence[str]] | None = None
    ) -> tuple[ColumnRead, ...]:
        """What an asset's own code reads; () where it has no SQL or does not parse.

        Args:
            uid: A model or snapshot.
            known: Takes the place of `known_to(uid)`.
        """
        sql = self._code(uid, "model", "snapshot")
        if not sql:
            return ()
        try:
            found = columns_read(sql, self._dialect, self.known_to(uid) if known is None else known)
        except QueryRefused:
            return ()
        return tuple(read for read in found if not read.scope.startswith(_EPHEMERAL))

    def _code(self, uid: str, *types: str) -> str | None:
        fits = self._manifest.asset(uid).resource_type in types
        return self._manifest.compiled_code(uid) if fits else None

    def _written(self, uid: str) -> tuple[str, ...]:
        sql = self._code(uid, "model")  # a snapshot adds columns of its own
        if not sql:
            return ()
        try:
            return named_outputs(sql, self._dialect, self.known_to(uid))
        except QueryRefused:
            return ()

    def _observed(self, uid: str) -> tuple[str, ...] | None:
        schema = self._schemas.get(uid)
        return tuple(column.name for column in schema.columns) if schema else None


def is_among(read: ColumnRead, columns: Collection[str], dialect: str) -> bool:
    """Whether the reference finds its column there, as the dialect treats letter case."""
    if read.quoted and case_counts(dialect):
        return read.column in columns
    return read.column.casefold() in {column.casefold() for column in columns}
