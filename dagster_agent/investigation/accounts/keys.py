"""How often the key of a table is unique, repeated or missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.cells import as_count, as_moment
from dagster_agent.investigation.accounts.load_times import is_load_time, version_time
from dagster_agent.model import Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote, relation_sql, same_relation
from dagster_agent.sql.lineage import column_origin
from dagster_agent.sql.scopes import SelectScope, select_scopes

_LAYERS = frozenset({"stg", "raw", "src", "base", "int", "dim", "fct", "fact", "staging"})
"""Prefixes of table names that name a layer and no thing."""
_MOST_BESIDES = 0.1
"""Share of rows that may repeat or lack a value where only the name says that it is a key."""
_MOST_TWICE = 0.5
"""Share of rows that may repeat a key which may as well name what an incremental run replaces. A
table that was loaded twice is just there; where the average key has more rows, it names a slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAccount:
    """The key of one asset, counted."""

    asset: str
    """dbt unique id."""
    key: tuple[str, ...]
    """Columns that should identify a row, as the table spells them."""
    source: str
    """How the key is known: `dbt` (tests, config), `lineage` (the key of what copies it), or `name`
    (a column such as `payment_id` of `payments`, in which nearly every row has a value of its own).
    """
    rows: int
    """Rows in the table."""
    repeated_keys: int
    """Keys that occur more than once."""
    surplus_rows: int
    """Rows beyond the first of each repeated key."""
    identical_rows: int
    """Of the surplus, rows equal to another one in every column but load times."""
    null_keys: int
    """Rows in which a column of the key is NULL."""
    query: str
    """The SQL that counted."""
    newest_by: str | None = None
    """Column by which the newest of several rows with one key is told: a load time, else the time
    of the last change; None when the table has neither."""
    repeated_since: datetime | None = None
    """Smallest value of that column among the surplus rows, UTC."""
    repeated_until: datetime | None = None
    """Largest value of that column among the surplus rows, UTC."""


def account_keys(
    uid: str, manifest: Manifest, warehouse: Warehouse, schema: TableSchema | None
) -> KeyAccount | None:
    """Count how often the key of an asset repeats, in one statement.

    Args:
        uid: dbt unique id.
        manifest: Knows the keys; where it has none for this asset, the key of a model that copies
            the asset row for row is taken, or of the asset that this model copies.
        warehouse: Where the table is.
        schema: Its columns; None when there is no such table.

    Returns:
        None when there is no table, no key is known, the table lacks a column of it, or the key
        names slices that an incremental run replaces.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    if schema is None:
        return None
    named, source = _key(uid, manifest, warehouse.dialect, schema)
    found = [schema.column(name) for name in named]
    key = tuple(column.name for column in found if column is not None)
    if not key or len(key) < len(named):
        return None
    newest = version_time(schema)
    newest_by = newest.name if newest else None
    query = _query(schema, key, newest_by, warehouse.dialect)
    (row,) = warehouse.query(query, purpose="unique key").rows
    if source == "name" and as_count(row[2]) + as_count(row[3]) > _MOST_BESIDES * as_count(row[0]):
        return None  # it only sounds like a key
    if manifest.replaces_by_key(uid) and as_count(row[2]) > _MOST_TWICE * as_count(row[0]):
        return None  # the slices that are replaced, such as days
    return KeyAccount(
        asset=uid,
        key=key,
        source=source,
        rows=as_count(row[0]),
        repeated_keys=as_count(row[1]),
        surplus_rows=as_count(row[2]),
        null_keys=as_count(row[3]),
        identical_rows=as_count(row[4]),
        query=query,
        newest_by=newest_by,
        repeated_since=as_moment(row[5]),
        repeated_until=as_moment(row[6]),
    )


def copied_table(sql: str, dialect: str) -> Relation | None:
    """The table whose rows a query yields, each once: without joins, filters or grouping.

    Raises:
        QueryRefused: It does not parse as one query.
    """
    outermost = next((s for s in select_scopes(sql, dialect) if s.name == ""), None)
    return outermost.driving.relation if outermost and _passes(outermost) else None


def _passes(scope: SelectScope) -> bool:
    return scope.keeps_grain and not scope.joins and scope.filters is None


def _key(
    uid: str, manifest: Manifest, dialect: str, schema: TableSchema
) -> tuple[tuple[str, ...], str]:
    own = _declared(uid, manifest)
    if own:
        return own, "dbt"
    for child in manifest.children(uid):
        if found := _copied_key(child, manifest, dialect, schema):
            return found, "lineage"
    for parent in manifest.parents(uid) if uid.startswith("model.") else ():
        if found := _inherited_key(uid, parent, manifest, dialect, schema):
            return found, "lineage"
    presumed = _presumed(manifest.asset(uid).name, schema)
    return presumed, "name" if presumed else ""


def _presumed(name: str, schema: TableSchema) -> tuple[str, ...]:
    """The first column, if it is called as the key of a table of that name would be."""
    words = [w for w in name.casefold().split("_") if w not in _LAYERS]
    things = {"_".join(words), words[-1]} if words else set[str]()
    singular = {_singular(thing) for thing in things}
    wanted = {"id", *(f"{thing}_id" for thing in singular | things)}
    first = schema.columns[0].name if schema.columns else ""
    return (first,) if first.casefold() in wanted else ()


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _declared(uid: str, manifest: Manifest) -> tuple[str, ...]:
    """dbt's key. It lists several columns also where each of them has a `unique` test of its own:
    then the first is a key by itself."""
    key = manifest.unique_key(uid)
    tests = [t.column for t in manifest.tests_of(uid) if t.kind == "unique" and not t.where]
    return key[:1] if len(key) > 1 and set(key) <= set(tests) else key


def _copied_key(
    child: str, manifest: Manifest, dialect: str, schema: TableSchema
) -> tuple[str, ...]:
    """The columns of this table that become the key of a model which copies it row for row."""
    sql, key = manifest.compiled_code(child), _declared(child, manifest)
    if not sql or not key or not _copies(sql, dialect, schema.relation):
        return ()
    known = {schema.relation: [column.name for column in schema.columns]}
    origins = [column_origin(sql, dialect, name, columns=known) for name in key]
    return tuple(o[1] for o in origins if o) if all(origins) else ()


def _inherited_key(
    uid: str, parent: str, manifest: Manifest, dialect: str, schema: TableSchema
) -> tuple[str, ...]:
    """The columns of this model that copy the key of what it copies row for row."""
    sql, key = manifest.compiled_code(uid), _declared(parent, manifest)
    relation = manifest.asset(parent).relation
    if not sql or not key or relation is None or not _copies(sql, dialect, relation):
        return ()
    outputs = {
        origin[1].casefold(): column.name
        for column in schema.columns
        if (origin := column_origin(sql, dialect, column.name)) is not None
    }
    found = [outputs.get(name.casefold()) for name in key]
    return tuple(name for name in found if name) if all(found) else ()


def _copies(sql: str, dialect: str, relation: Relation) -> bool:
    try:
        copied = copied_table(sql, dialect)
    except QueryRefused:
        return False
    return copied is not None and same_relation(copied, relation)


def _query(schema: TableSchema, key: tuple[str, ...], newest_by: str | None, dialect: str) -> str:
    table = relation_sql(schema.relation, dialect)
    keys = [quote(name, dialect) for name in key]
    listed, present = ", ".join(keys), " and ".join(f"{k} is not null" for k in keys)
    told = [quote(c.name, dialect) for c in schema.columns if not is_load_time(c.name)]
    moment = quote(newest_by, dialect) if newest_by else "null"
    matching = " and ".join(f"t.{k} = r.{k}" for k in keys)
    return (
        f"with keyed as (select {listed}, count(*) as n from {table} where {present}"
        f" group by {listed}),"
        f" repeated as (select t.* from {table} as t inner join keyed as r on {matching}"
        f" where r.n > 1),"
        f" numbered as (select {moment} as moment,"
        f" row_number() over (partition by {listed} order by {moment}) as nth from repeated),"
        f" alike as (select distinct {', '.join(told)} from repeated)"
        f" select (select count(*) from {table}) as n_rows,"
        f" (select count(*) from keyed where n > 1) as repeated_keys,"
        f" (select coalesce(sum(n - 1), 0) from keyed) as surplus_rows,"
        f" (select count(*) from {table} where not ({present})) as null_keys,"
        f" (select count(*) from repeated) - (select count(*) from alike) as identical_rows,"
        f" (select min(moment) from numbered where nth > 1) as repeated_since,"
        f" (select max(moment) from numbered where nth > 1) as repeated_until"
    )
