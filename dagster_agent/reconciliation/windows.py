"""Leave out of both tables what cannot agree yet: open days, and rows that are still in flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell
from dagster_agent.reconciliation.comparison import Side, TablePair, Window
from dagster_agent.reconciliation.entry import Closed, Watermark
from dagster_agent.reconciliation.key_sql import key_hash
from dagster_agent.reconciliation.wording import listed, moment, rows
from dagster_agent.sql.identifiers import quote

MAX_IN_FLIGHT = 20_000
"""Keys in flight that are left out one by one where the tables are in different stores."""

Mark = datetime | Decimal
"""A point that both sides' columns can be compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A side with its column of times or growing numbers."""

    side: Side
    sql: str
    """The column or expression."""
    name: str
    """As configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """How far one side's rows reach."""

    rows: int
    unknown: int
    """Rows without a time."""
    newest: Cell


def closed(pair: TablePair, window: Closed, now: datetime) -> TablePair:
    """Only rows of days, hours or months that are over; rows without a time stay.

    Raises:
        ConnectorError: As `Warehouse.query`.
        ConfigError: A column holds no times.
    """
    limit = _floor(now - timedelta(hours=window.lag_hours), window.grain)
    columns = _columns(pair, window.column, window.theirs)
    left_out: list[int] = []
    sides: list[Side] = []
    for column in columns:
        reach = _reach(column)
        if reach.newest is None:
            _need_times(column, reach)
            sides.append(column.side)
            left_out.append(0)
            continue
        below = f"{column.sql} < {_literal(limit, reach.newest, column)}"
        left_out.append(_count(column.side, f"not ({below})"))
        sides.append(column.side.restricted(f"{below} or {column.sql} is null"))
    told = f"only {window.grain}s before {moment(limit)}"
    if any(left_out):
        told += f" ({left_out[0]:,} of ours and {left_out[1]:,} of their rows are later)"
    metrics = {"rows_open_ours": float(left_out[0]), "rows_open_theirs": float(left_out[1])}
    return _with(pair, sides, told, metrics)


def below_watermark(pair: TablePair, window: Watermark) -> TablePair:
    """Only rows before the newest row of the side that is behind, on both sides.

    A key with a row in flight on one side is left out on both: its other side is the version from
    before the change. Rows whose watermark column is NULL stay. Where one side is empty nothing is
    in flight: it is empty.

    Raises:
        ConnectorError: As `Warehouse.query`.
        ConfigError: A side has rows and no watermark in any of them, or more rows are in flight
            than can be left out across stores.
    """
    columns = _columns(pair, window.ours, window.theirs)
    reaches = [_reach(column) for column in columns]
    if not all(reach.rows for reach in reaches):
        return pair
    for column, reach in zip(columns, reaches, strict=True):
        _need_times(column, reach)
    marks = [_mark(r.newest, c) for c, r in zip(columns, reaches, strict=True)]
    if type(marks[0]) is not type(marks[1]):
        raise ConfigError(
            f"the watermark {window.ours} is a time on one side and a number on the other",
            hint="name columns of the same kind, or write an expression",
        )
    limit = min(marks, key=_number)
    if isinstance(limit, datetime) and any(_is_day(reach.newest) for reach in reaches):
        limit = _floor(limit, "day")
    above = [
        f"{c.sql} >= {_literal(limit, r.newest, c)}" for c, r in zip(columns, reaches, strict=True)
    ]
    flying = [_count(c.side, a) for c, a in zip(columns, above, strict=True)]
    sides = _without(pair, columns, above, flying)
    lag = abs(_number(marks[0]) - _number(marks[1]))
    metrics = {
        "rows_in_flight_ours": float(flying[0]),
        "rows_in_flight_theirs": float(flying[1]),
        "watermark_lag_hours" if isinstance(limit, datetime) else "watermark_lag": float(
            lag / 3600 if isinstance(limit, datetime) else lag
        ),
    }
    shown = moment(limit) if isinstance(limit, datetime) else f"{limit:,}"
    told = (
        f"only rows below the common watermark {shown}; in flight, not reported: "
        f"{flying[0]:,} of ours, {flying[1]:,} of theirs"
    )
    found = _with(pair, sides, told, metrics)
    late = _late(window, columns, marks)
    return replace(found, window=replace(found.window, late=late)) if late else found


def _without(
    pair: TablePair, columns: tuple[_Column, _Column], above: list[str], flying: list[int]
) -> list[Side]:
    """Both sides without the rows in flight, and without the other's keys in flight."""
    sides: list[Side] = []
    for one, other in ((0, 1), (1, 0)):
        column = columns[one]
        side = column.side.restricted(f"not ({above[one]}) or {column.sql} is null")
        if pair.keys and flying[other]:
            side = side.restricted(_not_flying(pair, one, columns[other], above[other]))
        sides.append(side)
    return sides


def _not_flying(pair: TablePair, one: int, other: _Column, above: str) -> str:
    """SQL that is true unless the row's key has a row in flight on the other side."""
    mine, side = key_hash(pair, ours=one == 0), pair.ours if one == 0 else pair.theirs
    hashed = key_hash(pair, ours=one == 1)
    theirs = f"select {hashed} from {other.side.restricted(above).rows_sql}"
    if not pair.one_store:
        query = f"{theirs} group by 1"
        found = other.side.warehouse.query(query, purpose="keys in flight", max_rows=MAX_IN_FLIGHT)
        if found.truncated:
            raise ConfigError(
                f"more than {MAX_IN_FLIGHT:,} keys of {other.side.label} are in flight",
                hint="one side is far behind; set `watermark: {max_lag_hours: ...}`, or use "
                "`closed` instead",
            )
        theirs = ", ".join(str(row[0]) for row in found.rows)
    # a row without a key stays: that it has none is a finding
    null = " or ".join(f"{side.sql(key)} is null" for key in pair.keys)
    return f"{null} or {mine} not in ({theirs})"


def _columns(pair: TablePair, ours: str, theirs: str | None) -> tuple[_Column, _Column]:
    names = (ours, theirs or ours)
    found: list[_Column] = []
    for side, name in zip((pair.ours, pair.theirs), names, strict=True):
        column = side.schema.column(name)
        sql = quote(column.name, side.warehouse.dialect) if column else f"({name})"
        found.append(_Column(side=side, sql=sql, name=name))
    return found[0], found[1]


def _reach(column: _Column) -> _Reach:
    query = (
        f"select count(*) as n, count(*) - count({column.sql}) as unknown, "
        f"max({column.sql}) as newest from {column.side.rows_sql}"
    )
    (row,) = column.side.warehouse.query(query, purpose="newest row").rows
    return _Reach(rows=int(str(row[0])), unknown=int(str(row[1])), newest=row[2])


def _need_times(column: _Column, reach: _Reach) -> None:
    if reach.rows and reach.unknown == reach.rows:
        raise ConfigError(
            f"{column.name} is NULL in all {rows(reach.rows)} of {column.side.label}",
            hint="name a column that is filled, or compare without this window",
        )


def _mark(value: Cell, column: _Column) -> Mark:
    """A comparable point; naive times and days are read as UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    raise ConfigError(
        f"{column.name} of {column.side.label} holds {type(value).__name__}, neither times nor "
        "numbers",
        hint="write an expression, such as `cast(updated_at as timestamp)`",
    )


def _literal(limit: Mark, like: Cell, column: _Column) -> str:
    """The limit as a literal of the column's own kind; raises where it is no time."""
    mark = _mark(like, column)
    if isinstance(limit, Decimal) or isinstance(mark, Decimal):
        if not (isinstance(limit, Decimal) and isinstance(mark, Decimal)):
            raise ConfigError(
                f"{column.name} of {column.side.label} holds numbers, no times",
                hint="name a column with times",
            )
        return str(limit)
    if _is_day(like):
        return f"cast('{limit.date().isoformat()}' as date)"
    if isinstance(like, datetime) and like.tzinfo:
        kind = "timestamp" if column.side.warehouse.dialect == "bigquery" else "timestamptz"
        return f"cast('{limit.isoformat(sep=' ')}' as {kind})"
    kind = "datetime" if column.side.warehouse.dialect == "bigquery" else "timestamp"
    return f"cast('{limit.replace(tzinfo=None).isoformat(sep=' ')}' as {kind})"


def _is_day(value: Cell) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _number(mark: Mark) -> Decimal:
    return mark if isinstance(mark, Decimal) else Decimal(str(mark.timestamp()))


def _count(side: Side, condition: str) -> int:
    query = f"select count(*) as n from {side.restricted(condition).rows_sql}"
    return int(str(side.warehouse.query(query, purpose="rows left out").scalar()))


def _floor(at: datetime, grain: str) -> datetime:
    start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if grain == "hour":
        return start
    start = start.replace(hour=0)
    return start.replace(day=1) if grain == "month" else start


def _late(window: Watermark, columns: tuple[_Column, _Column], marks: list[Mark]) -> str:
    ours, theirs = marks
    if not (window.max_lag_hours and isinstance(ours, datetime) and isinstance(theirs, datetime)):
        return ""
    gap = abs(ours - theirs)
    if gap <= timedelta(hours=window.max_lag_hours):
        return ""
    behind = columns[0 if ours < theirs else 1].side.label
    ahead = columns[1 if ours < theirs else 0].side.label
    hours = gap.total_seconds() / 3600
    return f"{behind} is {hours:,.1f} hours behind {ahead} (allowed: {window.max_lag_hours:g})"


def _with(pair: TablePair, sides: list[Side], told: str, metrics: Mapping[str, float]) -> TablePair:
    """The pair with restricted sides; says when both had rows and none is left to compare."""
    had = [_any_row(side) for side in (pair.ours, pair.theirs)]
    left = [_any_row(side) for side in sides]
    nothing = all(had) and not any(left)
    window = Window(
        told=(*pair.window.told, told),
        metrics={**pair.window.metrics, **metrics},
        late=pair.window.late,
        nothing_left=pair.window.nothing_left
        or (f"nothing can be compared yet: {listed([*pair.window.told, told])}" if nothing else ""),
    )
    return replace(pair, ours=sides[0], theirs=sides[1], window=window)


def _any_row(side: Side) -> bool:
    query = f"select 1 as found from {side.rows_sql} limit 1"
    return bool(side.warehouse.query(query, purpose="any row").rows)
