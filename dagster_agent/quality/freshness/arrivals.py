"""When the rows of a table came, read in two statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell, ResultTable, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote, relation_sql

_TEXT = ("VARCHAR", "TEXT", "CHAR", "STRING")
_LAST_YEAR = datetime(9999, 1, 1, tzinfo=UTC)
_PURPOSE = "freshness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The column that tells how recent a row is, as SQL."""

    sql: str
    """Quoted column or expression; a date or a timestamp."""
    label: str
    """As people know it."""
    zoned: bool = False
    """Its values have a time zone."""
    dates: bool = False
    """It holds days without a time."""
    typed: bool = False
    """It is a column, of a type of moments; else a text or an expression that may fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The rows of one hour; of one day where the column holds dates."""

    first: datetime
    """The earliest of them, UTC."""
    last: datetime
    """The latest of them, UTC. Of a date the end of that day."""
    rows: int
    """How many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What a table tells of its own age."""

    rows: int
    """Rows in the table."""
    dated: int
    """Rows with a moment at all."""
    future: int
    """Rows whose moment lies ahead of the clock."""
    newest: datetime | None
    """The newest moment that does not lie ahead, UTC; None without one."""
    furthest: datetime | None
    """The furthest moment ahead of the clock, UTC; None where there is none."""
    hours: tuple[Hour, ...]
    """Hours with rows before the newest one, oldest first."""
    queries: tuple[str, ...]
    """The SQL that was run."""


def clock_of(column: str, schema: TableSchema, dialect: str) -> Clock:
    """The clock that a column or an expression is.

    Raises:
        ConfigError: The column holds neither moments nor text, or the text is no expression over
            columns of the table.
    """
    known = schema.column(column.strip().strip('"`'))
    if known is None:
        _require_expression(column, schema, dialect)
        return Clock(sql=f"cast({column} as timestamp)", label=column)
    text = quote(known.name, dialect)
    kind = known.type.upper()
    if kind.startswith(("TIMESTAMP", "DATETIME")):
        return Clock(sql=text, label=known.name, zoned=_zoned(kind, dialect), typed=True)
    if kind == "DATE":
        return Clock(sql=text, label=known.name, dates=True, typed=True)
    if kind.startswith(_TEXT):
        return Clock(sql=f"cast({text} as timestamp)", label=known.name)
    raise ConfigError(
        f"column {known.name} of {schema.relation} is {known.type}: it holds no moments",
        hint="name a timestamp or date column, or write an expression that makes one of it",
    )


def read_arrivals(
    clock: Clock,
    schema: TableSchema,
    warehouse: Warehouse,
    *,
    now: datetime,
    lookback: timedelta,
    ahead: timedelta,
    naive_zone: ZoneInfo,
) -> Arrivals:
    """Count a table's rows by the hour of their moments.

    Args:
        clock: Tells the moment of a row.
        schema: The table.
        warehouse: Where it is.
        now: UTC; what lies further ahead than `ahead` is no arrival.
        lookback: Span before the newest row that is looked at.
        ahead: By how much clocks may differ.
        naive_zone: Zone of moments without one.

    Raises:
        ConnectorError: As `Warehouse.query`; also for text that is no timestamp.
    """
    table = relation_sql(schema.relation, warehouse.dialect)
    latest = moment_literal(clock, now + ahead, naive_zone)
    end = moment_literal(clock, _LAST_YEAR, naive_zone)
    totals = (
        "select count(*) as total, count(moment) as dated,"
        f" sum(case when moment > {latest} then 1 else 0 end) as ahead,"
        f" max(case when moment <= {latest} then moment end) as newest,"
        f" max(case when moment > {latest} and moment < {end} then moment end) as furthest"
        f" from (select {clock.sql} as moment from {table}) as moments"
    )
    ((total, dated, future, newest, furthest),) = warehouse.query(totals, purpose=_PURPOSE).rows
    last = moment_of(newest, naive_zone, now)
    queries = [totals]
    hours: tuple[Hour, ...] = ()
    if last is not None:
        since = moment_literal(clock, last - lookback, naive_zone)
        queries.append(_hours_sql(clock, table, since, latest, warehouse.dialect))
        most = int(lookback / timedelta(hours=1)) + 48
        found = warehouse.query(queries[1], purpose=_PURPOSE, max_rows=most)
        hours = _hours(found, naive_zone, now)
    return Arrivals(
        rows=_count(total),
        dated=_count(dated),
        future=_count(future),
        newest=last,
        furthest=moment_of(furthest, naive_zone),
        hours=hours,
        queries=tuple(queries),
    )


def newest_sql(clock: Clock, schema: TableSchema, dialect: str) -> str:
    """A statement that reads what `read_arrivals` reads, to have its cost estimated."""
    return f"select max({clock.sql}) as newest from {relation_sql(schema.relation, dialect)}"


def newest_of(
    tables: Sequence[tuple[Clock, TableSchema]],
    warehouse: Warehouse,
    *,
    until: datetime,
    naive_zone: ZoneInfo,
) -> list[datetime | None]:
    """The newest moment of each table up to another one, UTC, in one statement.

    Args:
        tables: With their clocks, which must be all of a kind: zoned, naive, or dates.
        warehouse: Where they are.
        until: UTC.
        naive_zone: Zone of moments without one.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    parts = [
        f"select {place} as place, max(moment) as newest from (select {clock.sql} as moment"
        f" from {relation_sql(schema.relation, warehouse.dialect)}) as moments_{place}"
        f" where moment <= {moment_literal(clock, until, naive_zone)}"
        for place, (clock, schema) in enumerate(tables)
    ]
    rows = warehouse.query(" union all ".join(parts), purpose=_PURPOSE).rows
    found = {_count(place): moment_of(newest, naive_zone, until) for place, newest in rows}
    return [found.get(place) for place in range(len(tables))]


def moment_literal(clock: Clock, moment: datetime, naive_zone: ZoneInfo) -> str:
    """SQL of a moment as the clock's column would hold it."""
    if clock.zoned:
        return f"cast('{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00' as timestamptz)"
    local = moment.astimezone(naive_zone)
    if clock.dates:
        return f"cast('{local:%Y-%m-%d}' as date)"
    return f"cast('{local:%Y-%m-%d %H:%M:%S}' as timestamp)"


def moment_of(value: Cell, naive_zone: ZoneInfo, now: datetime | None = None) -> datetime | None:
    """A value of the clock in UTC. A day is as recent as its end, but never ahead of `now`."""
    if isinstance(value, datetime):
        known = value if value.tzinfo else value.replace(tzinfo=naive_zone)
        return known.astimezone(UTC)
    if isinstance(value, date):
        end = datetime.combine(value, time(), tzinfo=naive_zone) + timedelta(days=1)
        end = end.astimezone(UTC)
        return end if now is None else min(end, now)
    return None


def _hours_sql(clock: Clock, table: str, since: str, latest: str, dialect: str) -> str:
    hour = "moment"
    if not clock.dates:
        by_hour = "timestamp_trunc(moment, hour)" if dialect == "bigquery" else None
        hour = by_hour or "date_trunc('hour', moment)"
    return (
        f"select {hour} as hour_of_rows, min(moment) as earliest, max(moment) as newest,"
        f" count(*) as rows_then from (select {clock.sql} as moment from {table}) as moments"
        f" where moment > {since} and moment <= {latest} group by 1 order by 1"
    )


def _hours(found: ResultTable, naive_zone: ZoneInfo, now: datetime) -> tuple[Hour, ...]:
    """In the order of time. Two local hours may be one in UTC, where clocks are put back."""
    hours = [
        Hour(first=first, last=last, rows=_count(rows))
        for _, earliest, newest, rows in found.rows
        if (first := moment_of(earliest, naive_zone, now)) is not None
        and (last := moment_of(newest, naive_zone, now)) is not None
    ]
    return tuple(sorted(hours, key=lambda hour: hour.last))


def _count(value: Cell) -> int:
    return int(value) if isinstance(value, (int, float, Decimal)) else 0


def _zoned(kind: str, dialect: str) -> bool:
    if dialect == "bigquery":
        return kind == "TIMESTAMP"
    if kind.startswith(("TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ")):
        return True
    return "WITH TIME ZONE" in kind or "WITH LOCAL TIME ZONE" in kind


def _require_expression(text: str, schema: TableSchema, dialect: str) -> None:
    from sqlglot import exp

    from dagster_agent.errors import QueryRefused
    from dagster_agent.sql.guard import parse_select

    try:
        tree = parse_select(f"select {text}", dialect)
    except QueryRefused:
        names: list[str] = []
    else:
        names = [column.name for column in tree.find_all(exp.Column)]
    unknown = [name for name in names if schema.column(name) is None]
    if not names or unknown:
        said = f"{unknown[0]!r} is no column of it" if unknown else f"{text!r} reads no column"
        raise ConfigError(
            f"the freshness column of {schema.relation} is wrong: {said}",
            hint="set meta.dagster_agent.freshness.column, or loaded_at_field of the source",
        )
