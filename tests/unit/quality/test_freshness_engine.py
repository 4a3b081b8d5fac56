"""The age of real tables: promises, cadence, yesterday, and moments that cannot be believed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Asset, DetectionStatus, Freshness, Severity
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.relevance import has_freshness

from .freshness_tables import NOW, Tables

FAILED, PASSED, UNTRAINED = (
    DetectionStatus.FAILED,
    DetectionStatus.PASSED,
    DetectionStatus.UNTRAINED,
)
NIGHTLY = """create or replace table orders as
select i as id, timestamp '2026-11-21 06:00:00' - (i // 100) * interval 1 day as loaded_at
from range(6000) t(i)"""
HOURS_OLD = """create or replace table orders as select i as id,
timestamp '2026-11-21 09:00:00' - interval {} - i * interval 1 minute as loaded_at
from range(50) t(i)"""


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def test_dbt_source_freshness_is_a_promise(tables: Tables) -> None:
    tables.sql(HOURS_OLD.format("6 hour"))
    declared = Freshness(loaded_at_field="loaded_at", warn_after_hours=1, error_after_hours=3)
    readers = ("dashboard revenue (owner: Finance)", "stg_orders", "fct_orders", "revenue")
    found = tables.judge(freshness=declared, readers=readers)["freshness"]
    assert (found.status, found.severity) == (FAILED, Severity.ERROR)
    assert found.headline.startswith("orders: the newest row is 6 h old, allowed are 3 h (dbt err")
    assert "last rows 2026-11-21 03:00 UTC" in found.headline
    assert "read by dashboard revenue (owner: Finance), stg_orders, fct_orders and 1 more" in (
        found.headline
    )
    assert found.metrics == {"age_hours": 6.0, "allowed_hours": 3.0}

    tables.sql(HOURS_OLD.format("2 hour"))
    found = tables.judge(freshness=declared)["freshness"]
    assert (found.status, found.severity) == (FAILED, Severity.WARN)
    tables.sql(HOURS_OLD.format("30 minute"))
    assert tables.judge(freshness=declared)["freshness"].status is PASSED


def test_freshness_without_numbers_means_one_and_two_hours(tables: Tables) -> None:
    tables.sql(HOURS_OLD.format("90 minute"))
    assert tables.judge()["freshness"].status is UNTRAINED
    found = tables.judge(asked=True)["freshness"]
    assert (found.status, found.severity) == (FAILED, Severity.WARN)
    tables.sql(HOURS_OLD.format("3 hour"))
    assert tables.judge(asked=True)["freshness"].severity is Severity.ERROR


def test_the_tables_own_cadence_is_enough_on_day_one(tables: Tables) -> None:
    tables.sql(NIGHTLY)
    fresh = tables.judge()
    assert fresh["freshness/cadence"].status is PASSED
    assert "notices a silence of" in fresh["freshness/cadence"].headline
    late = tables.judge(now=NOW + timedelta(days=1))["freshness/cadence"]
    assert late.status is FAILED
    assert late.headline.startswith("orders has received nothing for 27 h, at this hour it is at")
    assert "batches come every 24 h, at most 24 h apart" in late.headline
    assert late.sample is not None
    assert late.sample.rows[0] == ("2026-11-21 06:00", "2026-11-21 06:00", 100)


def test_a_table_at_rest_is_not_called_late(tables: Tables) -> None:
    tables.sql(NIGHTLY)
    found = tables.judge(now=NOW + timedelta(days=90))
    assert found["freshness"].status is UNTRAINED
    assert "kept, not loaded" in found["freshness"].headline


def test_events_are_judged_by_earlier_looks(tables: Tables) -> None:
    tables.sql(
        "create table orders as select timestamp '2026-11-20 23:59:00' - i * interval 7 minute"
        " as placed_at from range(12000) t(i)"
    )
    untrained = tables.judge("placed_at")
    assert untrained["freshness"].status is UNTRAINED
    assert "0 of 7 days were looked at around this hour" in untrained["freshness"].headline
    day = timedelta(days=1)
    for n in range(8, 0, -1):  # each morning at nine, yesterday is there
        tables.sql("drop table orders", _events_until(n))
        tables.judge("placed_at", now=NOW - n * day)
    tables.sql("drop table orders", _events_until(0))
    assert tables.judge("placed_at")["freshness/cadence"].status is PASSED
    late = tables.judge("placed_at", now=NOW + day)
    assert late["freshness/cadence"].status is FAILED
    assert late["freshness/partition"].status is FAILED
    assert late["freshness/partition"].headline.startswith("orders lacks 2026-11-21, usual are 20")


def _events_until(days_ago: int) -> str:
    return (
        "create table orders as select placed_at from (select timestamp '2026-11-20 23:59:00'"
        " - i * interval 7 minute as placed_at from range(12000) t(i))"
        f" where placed_at < timestamp '2026-11-21' - interval {days_ago} day"
    )


def test_a_missing_and_a_small_yesterday(tables: Tables) -> None:
    tables.sql(NIGHTLY, "delete from orders where loaded_at::date = '2026-11-20' and id % 5 > 0")
    found = tables.judge()["freshness/partition"]
    assert found.status is FAILED
    assert found.headline.startswith("orders holds 20 rows of 2026-11-20, usual are 100, 100 at")
    assert tables.judge(partitions=False).keys().isdisjoint({"freshness/partition"})


def test_a_deadline_of_the_local_morning(tables: Tables) -> None:
    tables.sql(NIGHTLY)
    deadline = {"deadline": "07:00", "timezone": "Europe/Berlin", "learn": False}
    assert tables.judge(**deadline)["freshness"].status is PASSED
    found = tables.judge(now=NOW + timedelta(days=1), **deadline)["freshness"]
    assert (found.status, found.severity) == (FAILED, Severity.ERROR)
    assert "by the deadline 07:00 Europe/Berlin" in found.headline
    before = tables.judge(now=NOW + timedelta(hours=20), **deadline)["freshness"]
    assert before.status is PASSED


def test_an_expected_rhythm_takes_the_learned_ones_place(tables: Tables) -> None:
    tables.sql(NIGHTLY)
    found = tables.judge(now=NOW + timedelta(hours=24), expected_every_hours=24)
    assert "freshness/cadence" not in found
    assert found["freshness"].status is PASSED
    assert tables.judge(now=NOW + timedelta(hours=28), expected_every_hours=24)[
        "freshness"
    ].headline.startswith("orders: the newest row is 31 h old, allowed are 30 h (expected every")


def test_moments_ahead_of_the_clock_are_a_finding_and_no_age(tables: Tables) -> None:
    tables.sql(NIGHTLY, "insert into orders values (1, '2031-01-01'), (2, '2031-01-02')")
    found = tables.judge(asked=True, target_hours=1, alert_hours=4)
    assert found["freshness"].metrics["age_hours"] == 3.0
    ahead = found["freshness/timestamps"]
    assert ahead.status is FAILED
    assert ahead.headline.startswith("orders.loaded_at lies ahead of the clock in 2 of 6,002 rows")


def test_local_times_without_a_zone(tables: Tables) -> None:
    tables.sql(
        "create table orders as select timestamp '2026-11-21 09:30:00' - i * interval 1 hour as"
        " loaded_at from range(50) t(i)"
    )
    found = tables.judge()["freshness/timestamps"]
    assert found.status is FAILED
    assert "naive_timezone" in found.hint
    told = tables.judge(naive_timezone="Europe/Berlin", asked=True)
    assert told["freshness/timestamps"].status is PASSED
    assert told["freshness"].metrics["age_hours"] == 0.5


@pytest.mark.parametrize(
    ("column", "age"),
    [
        ("timestamptz '2026-11-21 08:00:00+01'", 2.0),
        ("timestamp '2026-11-21 07:00:00'", 2.0),
        ("'2026-11-21 07:00:00'", 2.0),
        ("date '2026-11-20'", 9.0),  # a day is as recent as its end
        ("date '2026-11-21'", 0.0),
    ],
)
def test_every_kind_of_moment(tables: Tables, column: str, age: float) -> None:
    tables.sql(f'create table orders as select {column} as "löaded ""at"')
    found = tables.judge('löaded "at', asked=True)["freshness"]
    assert found.metrics["age_hours"] == age


def test_an_expression_tells_the_moment(tables: Tables) -> None:
    tables.sql("create table orders as select 1795244400 as epoch")  # 2026-11-21 07:00
    with pytest.raises(ConfigError, match=r"epoch of .* is INTEGER: it holds no moments"):
        tables.judge("epoch")
    found = tables.judge("make_timestamp(epoch * 1000000::bigint)", asked=True)
    assert found["freshness"].metrics["age_hours"] == 2.0
    with pytest.raises(ConfigError, match="'epok' is no column of it"):
        tables.judge("make_timestamp(epok)")
    with pytest.raises(ConfigError, match="reads no column"):
        tables.judge("now(); drop table orders")


def test_text_that_is_no_moment_is_said(tables: Tables) -> None:
    tables.sql("create table orders as select 'yesterday, or so' as loaded_at")
    with pytest.raises(ConnectorError, match=r"yesterday, or so|[Cc]onver"):
        tables.judge()


def test_empty_and_undated_tables(tables: Tables) -> None:
    tables.sql("create table orders as select 1 as id, null::timestamp as loaded_at where false")
    assert tables.judge()["freshness"].status is UNTRAINED
    empty = tables.judge(asked=True)["freshness"]
    assert (empty.status, empty.severity) == (FAILED, Severity.ERROR)
    assert empty.headline.startswith("orders is empty: it has no age")
    tables.sql("insert into orders select i, null from range(9) t(i)")
    undated = tables.judge()["freshness/timestamps"]
    assert undated.status is FAILED
    assert undated.headline.startswith("orders.loaded_at is NULL in all 9 rows")


def test_infinite_moments_are_no_age(tables: Tables) -> None:
    tables.sql(
        HOURS_OLD.format("1 hour"),
        "insert into orders values (1, 'infinity'), (2, '-infinity')",
    )
    found = tables.judge(asked=True)
    assert found["freshness"].metrics["age_hours"] == 1.0
    assert found["freshness/timestamps"].metrics["future_rows"] == 1.0


def test_any_age_is_fine_where_dbt_was_told_so(tables: Tables) -> None:
    tables.sql(NIGHTLY)
    found = tables.judge(freshness=Freshness(loaded_at_field="loaded_at", off=True))
    assert [(d.detector, d.status) for d in found.values()] == [("freshness", PASSED)]


def test_without_a_column_the_catalogue_is_asked(tables: Tables) -> None:
    tables.sql("create table orders as select 1 as id")
    found = tables.judge(None, asked=True)["freshness"]
    assert found.status is UNTRAINED
    assert "meta.dagster_agent.freshness.column" in found.hint


def test_wrong_settings_name_the_value() -> None:
    with pytest.raises(ValidationError, match="'Europe/Berlim' is no time zone"):
        FreshnessConfig(timezone="Europe/Berlim")
    with pytest.raises(ValidationError, match="target_hours 3 lies above alert_hours 2"):
        FreshnessConfig(target_hours=3, alert_hours=2)
    with pytest.raises(ValidationError, match="pattern"):
        FreshnessConfig(deadline="7 o'clock")


@pytest.mark.parametrize(
    ("meta", "freshness", "expected"),
    [
        ({}, None, False),
        ({"dagster_agent": {"freshness": {}}}, None, True),
        ({"dagster_agent": "wrong"}, None, False),
        ({}, Freshness(), False),
        ({}, Freshness(loaded_at_field="loaded_at"), True),
        ({}, Freshness(warn_after_hours=3), True),
        ({}, Freshness(loaded_at_field="loaded_at", off=True), False),
    ],
)
def test_relevance(meta: dict[str, object], freshness: Freshness | None, expected: bool) -> None:
    asset = Asset(
        unique_id="source.x.y", name="y", resource_type="source", meta=meta, freshness=freshness
    )
    assert has_freshness(asset) is expected
