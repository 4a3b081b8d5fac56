"""Columns whose type is another kind now, and the models that are the first to read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.broken_reads import Columns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.types import TypeChange, compare_types
from dagster_agent.sql.column_reads import ReadForm
from dagster_agent.sql.columns import Origin
from dagster_agent.sql.lineage import column_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RetypedColumn:
    """A column that holds another kind of values than before."""

    asset: str
    """dbt unique id of the source, seed or snapshot that has it."""
    column: str
    """As observed."""
    before: str
    """Type it had, in the warehouse's own words."""
    after: str
    """Type it has."""
    known_from: str
    """What says so: `the accepted schema`, or the table that still has a copy of the old type."""
    accepted: bool
    """It was the accepted schema."""


def retyped_columns(dossier: Dossier, codebase: Codebase) -> tuple[RetypedColumn, ...]:
    """Columns of the tables in scope that no code of the project makes, in the order of the scope.

    Compared with the accepted schema; without one, with the tables that models built by copying
    the column before it changed.
    """
    found: list[RetypedColumn] = []
    for uid in dossier.scope:
        observed = dossier.schemas.get(uid)
        if observed is None or uid.startswith("model."):
            continue
        accepted = dossier.accepted.get(uid)
        copies = {} if accepted else _copies(uid, dossier, codebase)
        for column in observed.columns:
            old = accepted.column(column.name) if accepted else None
            before, source = (old, "") if old else copies.get(column.name.casefold(), (None, ""))
            if before is None or not _changed(before.type, column.type, codebase.dialect):
                continue
            found.append(
                RetypedColumn(
                    asset=uid,
                    column=column.name,
                    before=before.type,
                    after=column.type,
                    known_from=f"the table of {source}" if source else "the accepted schema",
                    accepted=accepted is not None,
                )
            )
    return tuple(found)


def first_readers(
    asset: str, column: str, schemas: Mapping[str, TableSchema], codebase: Codebase
) -> tuple[tuple[str, str], ...]:
    """Models that read a column by name, each with the asset that it reads it from.

    A model that passes the column on by a star is followed to those that read it there.
    """
    manifest = codebase.manifest
    columns = Columns(manifest, schemas, codebase.dialect)
    found: dict[tuple[str, str], None] = {}
    seen = {asset}
    queue = deque([asset])
    while queue:
        upstream = queue.popleft()
        relation = manifest.asset(upstream).relation
        for child in manifest.children(upstream):
            reads = [
                read
                for read in columns.reads(child)
                if read.column.casefold() == column.casefold()
                and relation is not None
                and manifest.by_relation(read.relation) == manifest.asset(upstream)
                and read.clause != "exclude"
            ]
            if reads:
                found[child, upstream] = None
            named = any(r.form is ReadForm.BARE for r in reads)
            if child not in seen and not named and _copied(child, column, codebase, columns):
                seen.add(child)
                queue.append(child)
    return tuple(found)


def outputs_of(
    reader: str, upstream: str, column: str, schemas: Mapping[str, TableSchema], codebase: Codebase
) -> tuple[str, ...]:
    """Output columns of a model that copy a column of what it reads."""
    columns = Columns(codebase.manifest, schemas, codebase.dialect)
    relation = codebase.manifest.asset(upstream).relation
    return tuple(
        name
        for name in columns.of(reader) or ()
        if (origin := _origin(reader, name, codebase, columns)) is not None
        and codebase.manifest.by_relation(origin[0]) == codebase.manifest.asset(upstream)
        and relation is not None
        and origin[1].casefold() == column.casefold()
    )


def _copies(uid: str, dossier: Dossier, codebase: Codebase) -> dict[str, tuple[ColumnSchema, str]]:
    """By lower-case column: the column as a model's table holds its copy, and the model's name."""
    columns = Columns(codebase.manifest, dossier.schemas, codebase.dialect)
    asset = codebase.manifest.asset(uid)
    found: dict[str, tuple[ColumnSchema, str]] = {}
    for child in codebase.manifest.children(uid):
        built = dossier.schemas.get(child)
        for copy in built.columns if built and child.startswith("model.") else ():
            origin = _origin(child, copy.name, codebase, columns)
            if origin is not None and codebase.manifest.by_relation(origin[0]) == asset:
                name = codebase.manifest.asset(child).name
                found.setdefault(origin[1].casefold(), (copy, name))
    return found


def _origin(uid: str, name: str, codebase: Codebase, columns: Columns) -> Origin | None:
    sql = codebase.manifest.compiled_code(uid)
    if not sql:
        return None
    try:
        return column_origin(sql, codebase.dialect, name, columns=columns.known_to(uid))
    except QueryRefused:
        return None


def _copied(uid: str, column: str, codebase: Codebase, columns: Columns) -> bool:
    """Whether a model puts the column out under its own name, as it came."""
    names = {name.casefold() for name in columns.of(uid) or ()}
    origin = _origin(uid, column, codebase, columns) if column.casefold() in names else None
    return origin is not None and origin[1].casefold() == column.casefold()


def _changed(before: str, after: str, dialect: str) -> bool:
    return compare_types(before, after, dialect=dialect) is TypeChange.CHANGED
