"""From tables to verdicts, with all that is remembered in between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError
from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.response.monitoring import anomaly_detections, mark_expected, profile
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings
from dagster_agent.testing.memory_store import MemoryStore
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 17, tzinfo=UTC)
STG, RAW = "model.shop.stg_orders", "source.shop.raw.orders"
_SQL = "with o as (select * from memory.main.orders) select id, country, ordered_at from o"


def _manifest(sql: str, config: dict[str, Any]) -> Manifest:
    shared = {"package_name": "shop", "original_file_path": "models/stg.sql"}
    model = {
        "unique_id": STG, "name": "stg_orders", "resource_type": "model",
        "relation_name": '"memory"."main"."stg_orders"', "compiled_code": sql, "config": config,
        "depends_on": {"nodes": [RAW]}, "primary_key": ["id"],
    }  # fmt: skip
    source = {
        "unique_id": RAW, "name": "orders", "resource_type": "source", "source_name": "raw",
        "relation_name": '"memory"."main"."orders"',
    }  # fmt: skip
    schema = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    metadata = {"dbt_schema_version": schema, "project_name": "shop", "adapter_type": "duckdb"}
    return Manifest.from_bytes(
        json.dumps(
            {
                "metadata": metadata,
                "nodes": {STG: {**shared, **model}},
                "sources": {RAW: {**shared, **source}},
            }
        ).encode()
    )


class _Shop:
    """Orders of 60 days, and a model that copies them."""

    def __init__(self, directory: Path, connection: duckdb.DuckDBPyConnection) -> None:
        (directory / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
        (directory / "profiles.yml").write_text(
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}"
        )
        self.connection = connection
        self.directory = directory
        self.warehouse = MemoryWarehouse(connection)
        self.store = MemoryStore()
        self.workspace = self._opened(_manifest(_SQL, {}))

    def orders(self, *, null_since: datetime | None = TUESDAY, days: int = 60) -> None:
        """Some 200 orders a day, 2 % of them without a country; from that moment 40 %."""
        broken = f"ordered_at >= '{null_since:%Y-%m-%d}'" if null_since else "false"
        self.connection.execute(f"""
            CREATE OR REPLACE TABLE orders AS
            SELECT i AS id, ordered_at, CASE WHEN i % 50 = 0 OR ({broken} AND i % 5 < 2) THEN NULL
                   ELSE ['DE', 'FR', 'GB'][1 + i % 3] END AS country
            FROM (SELECT i, TIMESTAMP '2026-11-21 06:00:00' - to_minutes((i * 7.2)::INTEGER)
                  AS ordered_at FROM range({days} * 200) r(i));
            CREATE OR REPLACE TABLE stg_orders AS FROM orders""")

    def judge(
        self, now: datetime = NOW, anomaly: Mapping[str, Any] | None = None, **profiling: Any
    ) -> list[Detection]:
        ours = {"profiling": profiling, "anomaly": dict(anomaly or {})}
        config = {"meta": {"dagster_agent": ours}} if profiling or anomaly else {}
        self.workspace = self._opened(_manifest(_SQL, config))
        return anomaly_detections(self.workspace, self.workspace.manifest.asset(STG), now)

    def _opened(self, manifest: Manifest) -> Workspace:
        return Workspace(
            settings=Settings(),
            project=DbtProject.open(self.directory),
            warehouse=self.warehouse,
            store=self.store,
            repository=None,
            state_directory=self.directory,
            _manifest=manifest,
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[_Shop]:
    with duckdb.connect(":memory:") as connection:
        yield _Shop(tmp_path, connection)


def _of(found: list[Detection], detector: str) -> Detection:
    (detection,) = [d for d in found if d.detector == detector]
    return detection


def test_day_one_is_not_blind(shop: _Shop) -> None:
    """QS3: the null share of `country` rose on Tuesday; the table is looked at on Saturday."""
    shop.orders()
    found = shop.judge()
    assert found[0].status is DetectionStatus.UNTRAINED
    daily = _of(found, "anomaly/daily")
    assert daily.status is DetectionStatus.FAILED
    assert "stg_orders on 2026-11-20: null_share.country rose to 4" in daily.headline
    assert "unusual since 2026-11-17" in daily.headline
    (metric,) = [d for d in found if d.detector.endswith("/daily.null_share.country")]
    assert metric.metrics["daily.null_share.country"] == pytest.approx(0.41, abs=0.02)
    assert metric.metrics["usual_high"] < 0.1
    assert metric.evidence[-1].statement == (
        "orders.country, which country copies, shows the same (null_share 2.0% before "
        "2026-11-17, 40.0% since): it came with the source"
    )
    assert metric.evidence[-1].result


def test_days_are_muted_under_the_name_that_their_check_shows(shop: _Shop) -> None:
    shop.orders()
    until = (NOW + timedelta(days=9)).isoformat()
    muted = shop.judge(anomaly={"mutes": [{"metric": "daily.null_share.*", "until": until}]})
    assert _of(muted, "anomaly/daily").status is DetectionStatus.PASSED
    assert "1 muted" in _of(muted, "anomaly/daily").headline
    ignored = shop.judge(anomaly={"ignore_metrics": ["daily.null_share.*"]})
    assert not [d for d in ignored if d.detector.endswith("/daily.null_share.country")]


def test_a_segment_that_vanishes_on_one_day_is_seen_by_that_day(shop: _Shop) -> None:
    shop.orders(null_since=None)
    shop.judge()  # before anybody asked for segments
    shop.connection.execute(
        "UPDATE stg_orders SET country = 'FRA' WHERE country = 'FR'"
        " AND ordered_at >= '2026-11-20' AND ordered_at < '2026-11-21'"
    )
    found = shop.judge(segments=["country"])
    daily = _of(found, "anomaly/daily")
    assert daily.status is DetectionStatus.FAILED
    (gone,) = [d for d in found if d.detector.endswith("/daily.row_count{country=FR}")]
    assert gone.metrics["daily.row_count{country=FR}"] == 0
    assert "on 2026-11-20: row_count{country=FR} fell by 100.0% to 0" in gone.headline
    later = shop.judge(NOW + timedelta(hours=1), segments=["country"])
    assert _of(later, "anomaly/daily").status is DetectionStatus.FAILED


def test_who_expects_the_rows_of_a_day_expects_those_of_its_segments(shop: _Shop) -> None:
    shop.orders(null_since=None)
    shop.connection.execute(
        "INSERT INTO stg_orders SELECT id + 900000, ordered_at, country FROM stg_orders"
        " WHERE ordered_at >= '2026-11-20' AND ordered_at < '2026-11-21'"
    )
    red = _of(shop.judge(segments=["country"]), "anomaly/daily")
    assert red.status is DetectionStatus.FAILED
    assert "row_count" in red.headline
    at = datetime(2026, 11, 20, tzinfo=UTC)
    mark_expected(shop.workspace, STG, "daily.row_count", at, who="Ann", why="campaign", now=NOW)
    found = shop.judge(segments=["country"])
    assert "4 muted" in _of(found, "anomaly/daily").headline
    assert not any(d.status is DetectionStatus.FAILED for d in found)


def test_a_shift_between_source_and_model_is_told(shop: _Shop) -> None:
    shop.orders(null_since=None)
    shop.connection.execute(
        f"UPDATE stg_orders SET country = NULL WHERE ordered_at >= '{TUESDAY:%Y-%m-%d}' "
        "AND id % 5 < 2"
    )
    (metric,) = [d for d in shop.judge() if d.detector.endswith("/daily.null_share.country")]
    assert metric.evidence[-1].statement.startswith(
        "orders.country, which country copies, shows nothing of the kind (null_share 2.0% before"
    )


def test_ordinary_days_are_as_usual_and_kept_apart(shop: _Shop) -> None:
    shop.orders(null_since=None)
    found = shop.judge()
    assert _of(found, "anomaly/daily").status is DetectionStatus.PASSED
    store = shop.store
    days = store.metric_history(STG, "daily.row_count")
    assert (len(days), days[-1].at, days[-1].value) == (
        60,
        datetime(2026, 11, 20, tzinfo=UTC),
        200,
    )
    (whole,) = store.metric_history(STG, "row_count")
    assert (whole.at, whole.value) == (NOW, 12_000)
    assert store.get(f"anomaly/cost/{STG}")["rows"] == 12_000


def test_late_rows_are_read_again(shop: _Shop) -> None:
    shop.orders(null_since=None)
    shop.judge()
    shop.connection.execute("""INSERT INTO stg_orders SELECT 90000 + i, TIMESTAMP '2026-11-19',
        'DE' FROM range(5) r(i); INSERT INTO stg_orders VALUES (99999, '2026-10-01', 'DE')""")
    shop.judge(NOW + timedelta(hours=1))
    assert ">= CAST('2026-11-18' AS DATE)" in shop.warehouse.sent[-1]
    points = shop.store.metric_history(STG, "daily.row_count")
    assert [p.value for p in points[-3:]] == [200, 205, 200]
    assert points[9].value == 200
    kept = shop.store.get(f"anomaly/arrivals/{STG}")
    assert [(day, rows) for day, _, rows in kept][-2] == ("2026-11-19", 205)


def test_what_was_not_measured_is_told(shop: _Shop) -> None:
    shop.orders(null_since=None, days=8)
    found = shop.judge(custom_metrics={"broken": "sum(nothing)"}, timestamp="country")
    assert _of(found, "anomaly/custom.broken").status is DetectionStatus.COULD_NOT_RUN
    daily = _of(found, "anomaly/daily")
    assert daily.status is DetectionStatus.COULD_NOT_RUN
    assert "profiling.timestamp 'country' is of type VARCHAR" in daily.headline
    blind = shop.judge(NOW + timedelta(hours=1), max_bytes_per_profile=0)
    assert blind[0].headline.endswith("(max_bytes_per_profile is 0: no table is read)")
    large = shop.judge(NOW + timedelta(hours=2), incremental_rows=100)
    assert "measured by closed days only: 1,600 rows" in large[0].headline


def test_a_key_does_not_repeat_because_its_table_outgrew_exact_counting(shop: _Shop) -> None:
    for day in range(1, 13):
        shop.orders(null_since=None, days=30 + day)
        shop.judge(NOW + timedelta(days=day), daily=False, sample_rows=50_000)
    points = shop.store.metric_history(STG, "distinct_share.id")
    assert {point.value for point in points} == {1.0}
    # from here on the values are estimated, as in a table of more rows
    shop.orders(null_since=None, days=43)
    found = shop.judge(NOW + timedelta(days=13), daily=False, sample_rows=1000)
    assert shop.store.metric_history(STG, "distinct_share.id")[-1].value != 1.0
    assert not any("distinct_share.id" in d.headline for d in found)


def test_distributions_are_kept_within_bounds(shop: _Shop) -> None:
    shop.orders(null_since=None, days=8)
    key = f"anomaly/distributions/{STG}/country"
    old = {"labels": ["DE"], "counts": [1.0]}
    before = [{**old, "at": (NOW - timedelta(days=n)).isoformat()} for n in range(60, 0, -1)]
    shop.store.put(key, {"column": "country", "kind": "category", "kept": before})
    for check in range(3):
        shop.judge(NOW + timedelta(hours=check), daily=False)
    kept = shop.store.get(key)
    assert (len(kept["kept"]), kept["kept"][0]["at"]) == (60, before[3]["at"])
    assert kept["kept"][-1]["labels"] == ["DE", "FR", "GB"]
    edges = shop.store.get(f"anomaly/distributions/{STG}/id")["kept"]
    assert edges[0]["labels"] == edges[-1]["labels"]


def test_what_a_person_called_expected(shop: _Shop) -> None:
    shop.orders()
    assert _of(shop.judge(), "anomaly/daily").status is DetectionStatus.FAILED
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    mark_expected(
        shop.workspace, "stg_orders", "daily.null_share.country", at, "Ann", "new market", NOW
    )
    again = shop.judge(NOW + timedelta(hours=1))
    assert not any(d.detector.startswith("anomaly/") for d in again if d.status == "failed")
    daily = _of(again, "anomaly/daily")
    assert "1 muted" in daily.headline
    assert daily.evidence[-1].statement == "null_share.country of this day is expected, says Ann"
    intent, done = shop.store.audit()
    assert (intent.action, intent.subject) == ("mark-expected", STG)
    assert (intent.detail["approved_by"], intent.detail["why"]) == ("Ann", "new market")
    assert intent.detail["at"] == "2026-11-20T00:00:00+00:00"
    assert done.detail["phase"] == "done"
    with pytest.raises(ConfigError, match="no point of 'row_count' at 2020"):
        mark_expected(
            shop.workspace, STG, "row_count", at.replace(year=2020), "Ann", "no idea", NOW
        )


def test_a_profile_by_hand_remembers_nothing(shop: _Shop) -> None:
    shop.orders(days=2)
    found = profile(shop.workspace, STG, now=NOW)
    assert (found.row_count, found.metrics()["duplicate_share.id"]) == (400, 0)
    assert shop.store.metric_history(STG, "row_count") == []
