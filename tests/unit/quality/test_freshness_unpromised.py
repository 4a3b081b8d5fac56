"""Tables of whose age nothing was promised: judged by their cadence, cheaply, never red unasked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Freshness,
    MetricPoint,
    Relation,
    TableFacts,
)
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.relevance import has_freshness
from dagster_agent.quality.freshness.unpromised import CHANGE_AGE, by_catalogue, too_dear

from .freshness_tables import NOW, Tables

PASSED, FAILED, UNTRAINED = (
    DetectionStatus.PASSED,
    DetectionStatus.FAILED,
    DetectionStatus.UNTRAINED,
)
DAY = timedelta(days=1)


def asset(**fields: Any) -> Asset:
    values = {"unique_id": "source.shop.raw.orders", "name": "orders", "resource_type": "source"}
    return Asset(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "known", "expected"),
    [
        ({}, {}, False),
        ({}, {"event_time": "placed_at"}, True),
        ({"resource_type": "model"}, {"event_time": "placed_at"}, True),
        ({"freshness": Freshness(off=True)}, {"event_time": "placed_at"}, False),
        ({}, {"dialect": "snowflake"}, True),
        ({"resource_type": "model"}, {"dialect": "snowflake"}, False),
        ({"declared_columns": ("id", "created_at")}, {"dialect": "duckdb"}, True),
        ({"declared_columns": ("ID", "_FIVETRAN_SYNCED")}, {}, True),
        ({"declared_columns": ("id", "order_loaded_ts")}, {}, True),
        ({"declared_columns": ("id", "created_by", "status", "date")}, {}, False),
        ({"declared_columns": ("created_at",), "resource_type": "model"}, {}, False),
        ({"declared_columns": ("created_at",), "freshness": Freshness(off=True)}, {}, False),
    ],
)
def test_only_what_has_a_clock_gets_a_check(
    fields: dict[str, Any], known: dict[str, str], expected: bool
) -> None:
    assert has_freshness(asset(**fields), **known) is expected


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def events(until: str) -> str:
    return (
        "create or replace table orders as select i as id, timestamp '2026-11-21 08:00:00'"
        f" - i * interval 5 minute as placed_at from range(20000) t(i) where placed_at < {until}"
    )


def test_it_is_untrained_until_its_cadence_is_known_and_red_only_by_it(tables: Tables) -> None:
    tables.sql(events("timestamp '2026-11-21 08:00:00'"))
    found = tables.judge("placed_at", unasked=True)
    assert {d.status for d in found.values()} == {UNTRAINED}
    for n in range(9, 0, -1):
        tables.sql(events(f"timestamp '2026-11-21 08:00:00' - interval {n} day"))
        tables.judge("placed_at", now=NOW - n * DAY, unasked=True)
    tables.sql(events("timestamp '2026-11-21 08:00:00'"))
    assert tables.judge("placed_at", unasked=True)["freshness/cadence"].status is PASSED
    late = tables.judge("placed_at", now=NOW + DAY, unasked=True)["freshness/cadence"]
    assert late.status is FAILED
    assert late.headline.startswith("orders has received nothing for 25.1 h, at this hour it is at")


@pytest.mark.parametrize(
    "rows",
    [
        "select now()::timestamp + interval 90 day as placed_at",  # bookings
        "select null::timestamp as placed_at from range(9)",
        "select timestamp '2026-11-01' as placed_at where false",
        "select 'soon' as placed_at",
        "select 20261101 as placed_at",
    ],
)
def test_what_nobody_promised_is_not_red_for_what_its_moments_are(
    tables: Tables, rows: str
) -> None:
    tables.sql(f"create table orders as {rows}")
    found = tables.judge("placed_at", unasked=True)
    assert {d.status for d in found.values()} == {UNTRAINED}


def test_promises_of_all_assets_are_none_of_this_one(tables: Tables) -> None:
    tables.sql(events("timestamp '2026-11-01'"))
    promised: dict[str, Any] = {"target_hours": 1, "alert_hours": 2, "deadline": "07:00"}
    assert tables.judge("placed_at", **promised)["freshness"].status is FAILED
    assert tables.judge("placed_at", unasked=True, **promised)["freshness"].status is UNTRAINED


def test_a_large_table_is_not_read(tables: Tables) -> None:
    tables.sql(events("timestamp '2026-11-21 08:00:00'"))
    found = tables.judge("placed_at", unasked=True, max_bytes_unasked=1_000)
    assert list(found) == ["freshness"]
    assert found["freshness"].status is UNTRAINED
    assert "would read 159,992 bytes" in found["freshness"].headline
    assert tables.looked == {}


@pytest.mark.parametrize(
    ("rows", "size", "estimate", "dear"),
    [
        (10, 10**12, None, False),
        (10**9, None, None, True),
        (None, 10**12, None, True),
        (None, None, None, False),
        (10**9, 10**12, 10, False),
        (10, 10, 10**12, True),
    ],
)
def test_the_budget_is_held_by_what_the_warehouse_says(
    rows: int | None, size: int | None, estimate: int | None, dear: bool
) -> None:
    facts = TableFacts(relation=Relation(schema="raw", name="orders"), row_count=rows, bytes=size)
    told = too_dear(asset(), facts, estimate, FreshnessConfig(), NOW)
    assert (told is not None) is dear


def looks(hours: Sequence[float]) -> list[MetricPoint]:
    return [
        MetricPoint(asset="x", metric=CHANGE_AGE, value=value, at=NOW - n * DAY)
        for n, value in enumerate(hours, start=1)
    ]


def judged(hours_ago: float, hours: Sequence[float]) -> tuple[Detection, dict[str, float]]:
    changed = NOW - timedelta(hours=hours_ago)
    found, looked = by_catalogue(asset(), changed, looks(hours), FreshnessConfig(), NOW)
    return found, dict(looked)


def test_where_the_catalogue_tells_nothing_is_read() -> None:
    found, looked = judged(3, [2.5] * 6)
    assert (found.status, looked) == (UNTRAINED, {CHANGE_AGE: 3.0})
    assert "6 of 7 days were looked at around this hour" in found.headline
    found, looked = judged(3, [2.9, 3.1] * 4)
    assert (found.status, looked) == (PASSED, {CHANGE_AGE: 3.0})
    assert "notices a silence of" in found.headline
    found, looked = judged(27, [2.9, 3.1] * 4)
    assert (found.status, looked) == (FAILED, {})
    assert found.headline == "orders changed 27 h ago, at this hour it is at most 3.1 h as a rule"


def test_a_table_at_rest_is_kept_and_not_late() -> None:
    assert judged(24 * 61, [2.9, 3.1] * 4)[0].status is UNTRAINED
