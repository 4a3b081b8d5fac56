"""Tables that appear beside the sources and that nobody declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError, DagsterAgentError
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import StateStore, Warehouse
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.sql.identifiers import quote

Place = tuple[str, str]
"""Database and schema."""

_KNOWN = "schema-drift/tables"
_MOST = 10_000
_PREFIXED = frozenset({"snowflake", "bigquery", "databricks"})
"""Dialects in which each database has an information schema of its own."""


def new_tables(
    asset: Asset,
    observed: TableSchema,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    store: StateStore,
    config: SchemaDriftConfig,
) -> Sequence[str]:
    """Tables that have come since the last look, `schema.table`, sorted; told once.

    Only for the first source of each schema, so that they are listed once and told in one place.
    The first look only remembers.

    Args:
        asset: A source.
        observed: Its schema, which says where it lies.
        manifest: What the project knows.
        warehouse: Asked in one statement.
        store: Keeps the names that were there.
        config: Names what is not told.
    """
    if asset.unique_id not in _speakers(manifest):
        return ()
    try:
        listed = undeclared_tables(warehouse, manifest.assets, [observed.relation], config)
    except DagsterAgentError:
        # nobody waits for this news; a check must not turn red over it
        return ()
    found = listed[place_of(observed.relation)]
    key = f"{_KNOWN}/{observed.relation.database}.{observed.relation.schema}"
    before: list[str] | None = store.get(key)
    if before is None or sorted(before) != list(found):
        store.put(key, list(found))
    known = {str(name) for name in before} if before is not None else set(found)
    return tuple(f"{observed.relation.schema}.{name}" for name in found if name not in known)


@lru_cache(maxsize=1)
def _speakers(manifest: Manifest) -> frozenset[str]:
    return frozenset(speakers(manifest.assets))


def speakers(assets: Mapping[str, Asset]) -> Mapping[str, Relation]:
    """The first source of each schema, by unique id: what happens beside them is told there."""
    first: dict[Place, str] = {}
    for uid, asset in sorted(assets.items()):
        if asset.resource_type == "source" and asset.relation is not None:
            first.setdefault(place_of(asset.relation), uid)
    return {uid: relation for uid in first.values() if (relation := assets[uid].relation)}


def undeclared_tables(
    warehouse: Warehouse,
    assets: Mapping[str, Asset],
    beside: Sequence[Relation],
    config: SchemaDriftConfig,
) -> Mapping[Place, tuple[str, ...]]:
    """Names of the tables and views that the project does not know, by schema, sorted.

    Args:
        warehouse: Asked in one statement for each database.
        assets: What the project knows.
        beside: A table of each schema.
        config: Names what is not told.

    Raises:
        ConnectorError: The warehouse does not answer, or names more tables than are read.
    """
    found: dict[Place, list[str]] = {place_of(relation): [] for relation in beside}
    declared = {
        (place_of(asset.relation), asset.relation.name.casefold())
        for asset in assets.values()
        if asset.relation is not None
    }
    patterns = [pattern.casefold() for pattern in config.ignore_tables]
    for database in sorted({relation.database or "" for relation in beside}):
        there = [relation for relation in beside if (relation.database or "") == database]
        sql = tables_query(there, warehouse.dialect)
        listed = warehouse.query(sql, purpose="tables beside sources", max_rows=_MOST)
        if listed.truncated:
            raise ConnectorError(f"{database} has more than {_MOST} tables", hint="")
        for schema, name in listed.rows:
            place = place_of(Relation(database=database, schema=str(schema), name=str(name)))
            folded = str(name).casefold()
            ignored = any(fnmatchcase(folded, pattern) for pattern in patterns)
            if place in found and not ignored and (place, folded) not in declared:
                found[place].append(str(name))
    return {place: tuple(sorted(names)) for place, names in found.items()}


def tables_query(beside: Sequence[Relation], dialect: str) -> str:
    """Schema and name of all tables and views in the schemas of relations of one database."""
    database = beside[0].database
    prefix = ""
    if database is not None and dialect in _PREFIXED:
        prefix = f"{quote(database, dialect)}."
    schemas = sorted({(relation.schema or "main").lower() for relation in beside})
    where = f"LOWER(table_schema) IN ({', '.join(map(_text, schemas))})"
    if database is not None:
        where += f" AND LOWER(table_catalog) = {_text(database.lower())}"
    return f"SELECT table_schema, table_name FROM {prefix}information_schema.tables WHERE {where}"


def place_of(relation: Relation) -> Place:
    """Database and schema, in lower case."""
    return (relation.database or "").casefold(), (relation.schema or "main").casefold()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
