"""When data last arrived in a source table, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.cells import as_count, as_moment
from dagster_agent.investigation.accounts.load_times import arrival_time, is_load_time, is_moment
from dagster_agent.model import Asset, Freshness, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import quote, relation_sql

DAYS = 35
"""Days with rows that are looked at: five weeks give five of each weekday."""
_CLOCKS_DIFFER = timedelta(days=1)
"""Moments without a time zone may be local ones; what lies further ahead is not an arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDay:
    """The arrivals of one day with rows."""

    day: str
    """ISO date."""
    rows: int
    """Rows that arrived."""
    newest: datetime
    """The last of them, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadAccount:
    """The arrivals in one source table."""

    asset: str
    """dbt unique id of the source."""
    column: str | None
    """Timestamp, or expression, that the arrivals were counted by; None when the table has none."""
    rows: int
    """Rows in the table."""
    newest: datetime | None
    """Newest value of that column, UTC; None for an empty table."""
    by_day: tuple[LoadDay, ...]
    """The newest days with rows, oldest first, at most 35."""
    query: str
    """The SQL that counted."""
    load_time: bool = False
    """Whether the column says when rows were loaded (dbt's `loaded_at_field`, or by its name);
    False where it tells when something happened."""
    warn_after_hours: float | None = None
    """Age from which dbt's source freshness warns."""
    error_after_hours: float | None = None
    """Age from which dbt's source freshness fails."""
    off: bool = False
    """`freshness: null` in dbt: it is meant to be of any age."""


def account_loads(
    uid: str, manifest: Manifest, warehouse: Warehouse, schema: TableSchema | None, now: datetime
) -> LoadAccount | None:
    """Count the arrivals in a source, in one statement.

    Args:
        uid: dbt unique id.
        manifest: Knows dbt's `loaded_at_field` and freshness.
        warehouse: Where the table is.
        schema: Its columns; None when there is no such table.
        now: UTC. Rows that claim to be of tomorrow or later do not count as arrivals.

    Returns:
        None for what is no source, or not there.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    asset = manifest.asset(uid)
    if schema is None or asset.resource_type != "source":
        return None
    declared = asset.freshness or Freshness()
    column, load_time = _arrival(asset, schema, warehouse.dialect)
    query = _query(schema, column, now, warehouse.dialect)
    rows = warehouse.query(query, purpose="arrivals", max_rows=DAYS).rows
    days = [
        LoadDay(day=str(day), rows=as_count(count), newest=newest)
        for day, count, value, _ in reversed(rows)
        if (newest := as_moment(value)) is not None
    ]
    return LoadAccount(
        asset=uid,
        column=column,
        rows=as_count(rows[0][3]),
        newest=days[-1].newest if days else None,
        by_day=tuple(days),
        query=query,
        load_time=load_time,
        warn_after_hours=declared.warn_after_hours,
        error_after_hours=declared.error_after_hours,
        off=declared.off,
    )


def _arrival(asset: Asset, schema: TableSchema, dialect: str) -> tuple[str | None, bool]:
    """Column or expression of arrivals, and whether it is a load time."""
    declared = asset.freshness.loaded_at_field if asset.freshness else None
    if declared and (column := schema.column(declared.strip('"`'))) is not None:
        return column.name, True
    if declared and _readable(declared, schema, dialect):
        return declared, True
    guessed = arrival_time(schema)
    return (guessed.name, is_load_time(guessed.name)) if guessed else (None, False)


def _readable(expression: str, schema: TableSchema, dialect: str) -> bool:
    """Whether an expression reads columns of the table, all of which are there."""
    from sqlglot import exp

    try:
        tree = parse_select(f"select {expression}", dialect)
    except QueryRefused:
        return False
    names = [column.name for column in tree.find_all(exp.Column)]
    return bool(names) and all(schema.column(name) for name in names)


def _query(schema: TableSchema, column: str | None, now: datetime, dialect: str) -> str:
    table = relation_sql(schema.relation, dialect)
    if column is None:
        return f"select null as day, 0 as n, null as newest, count(*) as total from {table}"
    known = schema.column(column)
    text = quote(known.name, dialect) if known else column
    moment = text if known and is_moment(known) else f"cast({text} as timestamp)"
    latest = (now.astimezone(UTC) + _CLOCKS_DIFFER).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"with arrivals as (select {moment} as moment from {table}),"
        f" days as (select cast(moment as date) as day, count(*) as n, max(moment) as newest"
        f" from arrivals where moment <= timestamp '{latest}' group by 1)"
        f" select day, n, newest, total from (select count(*) as total from arrivals) as all_rows"
        f" left join days on true order by day desc nulls last limit {DAYS}"
    )
