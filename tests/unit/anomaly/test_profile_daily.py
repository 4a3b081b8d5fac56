"""Closed days, by the time at which rows happened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.anomaly.profiling.daily import first_day, read_days
from dagster_agent.anomaly.profiling.event_time import EventTime, event_time
from dagster_agent.anomaly.profiling.kinds import MeasuredColumn, measured_columns
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConfigError
from dagster_agent.model import ColumnSchema, Relation

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
CONFIG = ProfilingConfig()


def _columns(**types: str) -> tuple[MeasuredColumn, ...]:
    return measured_columns(
        [ColumnSchema(name=name, type=type_) for name, type_ in types.items()], "duckdb"
    )


def _chosen(found: EventTime | None) -> tuple[str, str] | None:
    return (found.column.name, found.evidence) if found else None


def test_which_column_says_when_a_row_happened() -> None:
    columns = _columns(
        id="BIGINT", loaded_at="TIMESTAMP", updated_at="TIMESTAMP", birth_date="DATE",
        shipped_at="TIMESTAMP", created_at="TIMESTAMP WITH TIME ZONE", day="VARCHAR",
    )  # fmt: skip
    guessed = event_time(columns, configured=None, declared=())
    assert _chosen(guessed) == (
        "created_at",
        "guessed by its name and its type TIMESTAMP WITH TIME ZONE, first of 2 such columns",
    )
    assert guessed
    assert guessed.column.zoned
    declared = event_time(columns, configured=None, declared=(None, "day", "SHIPPED_AT"))
    assert _chosen(declared) == ("shipped_at", "dbt was told so")
    configured = event_time(columns, configured="Loaded_At", declared=("shipped_at",))
    assert _chosen(configured) == ("loaded_at", "profiling.timestamp names it")
    with pytest.raises(ConfigError, match="'day' is of type VARCHAR"):
        event_time(columns, configured="day", declared=())
    with pytest.raises(ConfigError, match="'nothing' is no column"):
        event_time(columns, configured="nothing", declared=())
    assert event_time(columns[:4], configured=None, declared=()) is None


def test_a_summary_of_events_is_no_event() -> None:
    columns = _columns(first_order_at="TIMESTAMP", last_sold_on="DATE", previous_order_date="DATE")
    assert event_time(columns, configured=None, declared=()) is None
    configured = event_time(columns, configured="last_sold_on", declared=())
    assert _chosen(configured) == ("last_sold_on", "profiling.timestamp names it")


def test_what_a_life_adds_up_is_not_compared_by_its_first_day(tmp_path: Path) -> None:
    rows = """CREATE TABLE t AS
        SELECT DATE '2026-11-15' + (i % 4)::INT AS registered_at, i % 9 AS orders,
        DATE '2026-11-18' AS seen_on, 'mail' AS email FROM range(40) s(i)"""
    days = _days(tmp_path, rows)
    assert days
    for metrics in days.values():
        assert metrics["daily.row_count"] == 10
        assert any(metric.endswith(".email") for metric in metrics)
        assert not any(metric.endswith((".orders", ".seen_on")) for metric in metrics)


def test_how_far_back_to_read() -> None:
    assert first_day(None, NOW, CONFIG) == date(2026, 9, 22)
    assert first_day(datetime(2026, 11, 20, tzinfo=UTC), NOW, CONFIG) == date(2026, 11, 18)
    assert first_day(datetime(2025, 1, 1, tzinfo=UTC), NOW, CONFIG) == date(2026, 9, 22)


def _days(
    directory: Path,
    sql: str,
    *,
    config: ProfilingConfig = CONFIG,
    now: datetime = NOW,
    known: tuple[str, ...] = (),
) -> dict[str, dict[str, float]]:
    with duckdb.connect(str(directory / "shop.duckdb")) as connection:
        connection.execute(f"SET TimeZone = 'America/New_York'; {sql}")
    warehouse = DuckDBWarehouse(directory / "shop.duckdb")
    schema = warehouse.schemas([Relation(name="t")])[Relation(name="t")]
    columns = measured_columns(schema.columns, "duckdb")
    by = event_time(columns, configured=None, declared=())
    assert by is not None
    since = date(2026, 11, 15)
    found = read_days(
        *(schema.relation, columns, by, warehouse), since=since, now=now, config=config, known=known
    )
    assert [p.at.hour for p in found.points("m")] == [0] * sum(map(len, found.metrics.values()))
    return {day.isoformat(): dict(metrics) for day, metrics in found.metrics.items()}


def test_closed_days_with_all_they_can_tell(tmp_path: Path) -> None:
    found = _days(
        tmp_path,
        """CREATE TABLE t (ordered_at TIMESTAMP, country VARCHAR, amount DOUBLE, paid BOOLEAN);
           INSERT INTO t VALUES
             ('2026-11-14 23:59:59', 'old', 1, true), (NULL, 'never', 1, true),
             ('2026-11-15 00:00:00', 'DE', 4, true), ('2026-11-15 23:59:59', NULL, 0, false),
             ('2026-11-17 12:00:00', '', 'nan', NULL), ('2026-11-18 12:00:00', 'FR', 5, true),
             ('2026-11-21 01:00:00', 'open', 7, true), ('2099-01-01 00:00:00', 'far', 7, true)""",
    )
    assert list(found) == [f"2026-11-{day}" for day in range(15, 21)]
    assert found["2026-11-15"] == {
        "daily.row_count": 2, "daily.null_share.country": 0.5, "daily.empty_share.country": 0,
        "daily.null_share.amount": 0, "daily.sum.amount": 4, "daily.mean.amount": 2,
        "daily.zero_share.amount": 0.5, "daily.null_share.paid": 0, "daily.true_share.paid": 0.5,
    }  # fmt: skip
    assert found["2026-11-16"] == {"daily.row_count": 0}
    assert "daily.sum.amount" not in found["2026-11-17"]
    assert found["2026-11-17"]["daily.empty_share.country"] == 1
    assert found["2026-11-20"] == {"daily.row_count": 0}


def test_rows_of_each_segment_by_day(tmp_path: Path) -> None:
    found = _days(
        tmp_path,
        """CREATE TABLE t (ordered_at TIMESTAMP, country VARCHAR);
           INSERT INTO t VALUES
             ('2026-11-15 01:00:00', 'DE'), ('2026-11-15 02:00:00', 'DE'),
             ('2026-11-15 03:00:00', 'FR'), ('2026-11-15 04:00:00', NULL),
             ('2026-11-17 05:00:00', 'DE'), ('2026-11-17 06:00:00', 'NL')""",
        config=ProfilingConfig(segments=("Country", "nothing"), max_segments=2),
        known=("daily.row_count{country=GB}", "row_count{country=IT}", "daily.row_count{x=y}"),
    )
    told = {
        day: {m[16:-1]: n for m, n in metrics.items() if "{" in m} for day, metrics in found.items()
    }
    assert told == {
        "2026-11-15": {"country=DE": 2, "country=FR": 1, "country=GB": 0},
        "2026-11-16": {"country=DE": 0, "country=FR": 0, "country=GB": 0},
        "2026-11-17": {"country=DE": 1, "country=FR": 0, "country=GB": 0},
    }


def test_days_after_the_newest_row_have_not_arrived(tmp_path: Path) -> None:
    found = _days(
        tmp_path,
        """CREATE TABLE t AS SELECT unnest([DATE '2026-11-15', DATE '2026-11-17']) AS order_date,
           1 AS n""",
    )
    assert list(found) == ["2026-11-15", "2026-11-16", "2026-11-17"]


def test_a_day_is_closed_some_hours_after_midnight(tmp_path: Path) -> None:
    table = """CREATE OR REPLACE TABLE t AS
               SELECT DATE '2026-11-15' + i::INTEGER AS order_date FROM range(6) r(i)"""
    early = _days(tmp_path, table, config=ProfilingConfig(closed_after_hours=8))
    late = _days(tmp_path, table, config=ProfilingConfig(closed_after_hours=6))
    assert (list(early)[-1], list(late)[-1]) == ("2026-11-19", "2026-11-20")


def test_moments_with_a_zone_are_told_in_utc(tmp_path: Path) -> None:
    found = _days(
        tmp_path,
        """CREATE TABLE t (created_at TIMESTAMPTZ);
           INSERT INTO t VALUES ('2026-11-15 23:30:00-05:00'), ('2026-11-16 03:00:00+00:00'),
                                ('2026-11-17 00:30:00+02:00')""",
    )
    assert {day: m["daily.row_count"] for day, m in found.items()} == {"2026-11-16": 3}


def test_an_empty_table_has_no_days(tmp_path: Path) -> None:
    assert _days(tmp_path, "CREATE TABLE t (created_at TIMESTAMP, n INTEGER)") == {}
