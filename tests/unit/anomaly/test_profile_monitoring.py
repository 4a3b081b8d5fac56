"""From tables to verdicts, with all that is remembered in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
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

    def judge(self, now: datetime = NOW, **profiling: Any) -> list[Detection]:
        config = {"meta": {"dagster_agent": {"profiling": profiling}}} if profiling else {}
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
