"""What builds left behind, read in as few statements as there can be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, ConnectorError, QueryRefused
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.quality.freshness.arrivals import Clock, clock_of, newest_of
from dagster_agent.quality.silence.builds import SourceState
from dagster_agent.sql.identifiers import quote, relation_sql

T = TypeVar("T")
_NAIVE_ZONE = ZoneInfo("UTC")
_CHUNK = 50
"""Tables counted by one statement."""
_PURPOSE = "silence"
_STAMPS = re.compile(
    r"_?dbt_\w+|_?(?:built|loaded|inserted|processed|refreshed|updated|synced)_?(?:at|on|ts|time)",
    re.IGNORECASE,
)
"""Columns that a build stamps anew although nothing has changed."""
_CHECKSUMS = {
    "duckdb": "cast(sum(hash({row})) as varchar)",
    "postgres": "cast(sum(('x' || substr(md5(cast(row({row}) as text)), 1, 15))::bit(60)::bigint)"
    " as varchar)",
    "snowflake": "cast(hash_agg({row}) as varchar)",
    "databricks": "cast(sum(cast(xxhash64({row}) as decimal(38, 0))) as string)",
}
"""Order-independent sums over row hashes, by dialect."""


def row_counts(assets: Iterable[Asset], warehouse: Warehouse) -> Mapping[str, int]:
    """Exact row counts of tables by dbt unique id; views and what is not there are left out.

    From the catalogue where that is exact, else counted, many tables in a statement.

    Raises:
        ConnectorError: The warehouse does not answer.
    """
    tables = {a.unique_id: a.relation for a in assets if a.relation and a.materialized != "view"}
    facts = warehouse.facts(list(tables.values()))
    found: dict[str, int] = {}
    uncertain: dict[str, Relation] = {}
    for uid, relation in tables.items():
        known = facts.get(relation)
        if known is None:
            continue
        if known.exact and known.row_count is not None:
            found[uid] = known.row_count
        else:
            uncertain[uid] = relation
    for chunk in _chunks(list(uncertain.items())):
        found |= _counted(chunk, warehouse)
    return found


def source_states(
    sources: Sequence[Asset],
    warehouse: Warehouse,
    schemas: Mapping[Relation, TableSchema],
    *,
    until: datetime,
) -> Mapping[str, SourceState]:
    """Sources as a run that began at `until` found them, by dbt unique id.

    Args:
        sources: Of the dbt project.
        warehouse: Where they are.
        schemas: Of their relations; those that do not exist are absent.
        until: UTC; rows that came later are not what the run has read.

    Raises:
        ConnectorError: The warehouse does not answer.
    """
    rows = row_counts(sources, warehouse)
    newest = _newest(sources, warehouse, schemas, until)
    return {
        source.unique_id: SourceState(
            rows=rows.get(source.unique_id),
            newest=newest.get(source.unique_id),
            allowed=_allowed(source),
        )
        for source in sources
    }


def checksum(schema: TableSchema, warehouse: Warehouse) -> str | None:
    """A checksum of a table's content, whatever the order of its rows; one scan.

    Columns that a build stamps with its own time are left out. None where the dialect has no way.
    """
    form = _CHECKSUMS.get(warehouse.dialect)
    columns = [
        quote(column.name, warehouse.dialect)
        for column in schema.columns
        if not _STAMPS.fullmatch(column.name)
    ]
    if form is None or not columns:
        return None
    table = relation_sql(schema.relation, warehouse.dialect)
    sql = f"select {form.format(row=', '.join(columns))} as content from {table}"
    try:
        value = warehouse.query(sql, purpose=_PURPOSE).scalar()
    except (ConnectorError, QueryRefused):
        # types that cannot be hashed: the content is then not compared
        return None
    return None if value is None else str(value)


def sources_above(uid: str, manifest: Manifest) -> tuple[str, ...]:
    """dbt unique ids of the sources that an asset is built from, sorted."""
    if uid not in manifest.assets:
        return ()
    above = manifest.upstream(uid)
    return tuple(sorted(u for u in above if manifest.assets[u].resource_type == "source"))


def _newest(
    sources: Sequence[Asset],
    warehouse: Warehouse,
    schemas: Mapping[Relation, TableSchema],
    until: datetime,
) -> dict[str, datetime]:
    """Newest load times of those that say by which column; one statement for each kind of it."""
    by_kind: dict[tuple[bool, bool], list[tuple[str, Clock, TableSchema]]] = {}
    for source in sources:
        schema = schemas.get(source.relation) if source.relation else None
        column = source.freshness.loaded_at_field if source.freshness else None
        clock = _clock(column, schema, warehouse.dialect) if schema and column else None
        if schema is not None and clock is not None:
            kind = (clock.zoned, clock.dates)
            by_kind.setdefault(kind, []).append((source.unique_id, clock, schema))
    found: dict[str, datetime] = {}
    for alike in by_kind.values():
        for chunk in _chunks(alike):
            tables = [(clock, schema) for _, clock, schema in chunk]
            try:
                moments = newest_of(tables, warehouse, until=until, naive_zone=_NAIVE_ZONE)
            except ConnectorError:
                # one holds text that is no moment: its own freshness check says so
                continue
            found |= {uid: m for (uid, *_), m in zip(chunk, moments, strict=True) if m is not None}
    return found


def _clock(column: str, schema: TableSchema, dialect: str) -> Clock | None:
    try:
        return clock_of(column, schema, dialect)
    except ConfigError:
        # the freshness check of the source says what is wrong with its column
        return None


def _allowed(source: Asset) -> timedelta | None:
    told = source.freshness
    if told is None or told.off:
        return None
    hours = told.error_after_hours or told.warn_after_hours
    return timedelta(hours=hours) if hours else None


def _counted(tables: Sequence[tuple[str, Relation]], warehouse: Warehouse) -> dict[str, int]:
    parts = [
        f"select {place} as place, count(*) as n from {relation_sql(relation, warehouse.dialect)}"
        for place, (_, relation) in enumerate(tables)
    ]
    rows = warehouse.query(" union all ".join(parts), purpose=_PURPOSE).rows
    return {tables[int(str(place))][0]: int(str(n)) for place, n in rows}


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
