"""WT6: exit 0 and zero rows; a source that stopped without an error; a run on an old snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import FinishedRun
from dagster_agent.definitions.silence_builds import judge_builds
from dagster_agent.model import DetectionStatus
from dagster_agent.settings import Settings
from tests.scenarios.conftest import Shop

STG_ORDERS = "model.shop.stg_orders"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def built(shop: Shop, instance: dg.DagsterInstance) -> list[str]:
    """What is said of stg_orders after a green run that built it."""
    run = create_run_for_test(instance, job_name="nightly", status=DagsterRunStatus.SUCCESS)
    finished = FinishedRun(run=run, end=DagsterEventType.RUN_SUCCESS, ended_at=datetime.now(UTC))
    blueprint = Blueprint(settings=Settings(), refs=(), ignored=frozenset())
    with shop.workspace() as opened:
        symptoms, _ = judge_builds({STG_ORDERS: finished}, opened, blueprint, instance)
    return [symptom.headline for symptom in symptoms]


def test_green_runs_that_say_nothing_new(shop: Shop, instance: dg.DagsterInstance) -> None:
    rebuild = "create or replace table stg_orders as select * exclude (amount), amount from {}"
    arrive = "insert into raw.orders select {} + i, 1, 'new', 'EUR', 1, now() from range(9) t(i)"
    for night in range(5):
        shop.sql(arrive.format(10_000 + 100 * night), rebuild.format("raw.orders"))
        assert built(shop, instance) == []

    # a run on an old snapshot: raw.orders moves on, the model is built from a copy of yesterday
    shop.sql("create table raw.copy as from raw.orders", arrive.format(20_000))
    shop.sql(rebuild.format("raw.copy"))
    (told,) = built(shop, instance)
    assert told.startswith(
        "stg_orders was built anew and holds the very same 1,045 rows as before, although"
        " raw.orders went from 1,045 to 1,054 rows"
    )

    # exit 0 and zero rows
    shop.sql("delete from stg_orders")
    (told,) = built(shop, instance)
    assert told == (
        "stg_orders was built without an error and holds no row, the build before left 1,045;"
        " its sources hold rows: raw.orders 1,054"
    )


def test_a_source_that_stopped_without_an_error(shop: Shop) -> None:
    shop.settings = {"freshness": {"column": "placed_at", "column_tells": "loaded"}}
    assert {d.status for d in shop.look("raw.orders", "freshness")} == {DetectionStatus.PASSED}
    shop.now += timedelta(hours=8)
    late = [d for d in shop.look("raw.orders", "freshness") if d.detector == "freshness/cadence"]
    assert late[0].status is DetectionStatus.FAILED
    assert late[0].headline.startswith("orders has received nothing for 8.2 h, at this hour it is")
