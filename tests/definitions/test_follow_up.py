"""Which of our checks are measured after the customer's runs."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from dagster_agent.definitions import DataOpsAgent, discover, feed
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import Cursor
from dagster_agent.definitions.follow_up import check_requests
from dagster_agent.settings import Settings

from .conftest import Run, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
ENGINES = ("agent_anomaly", "agent_quality", "agent_reconciliation", "agent_schema_drift")


def requests_after(
    instance: dg.DagsterInstance, cursor: Cursor, defs: dg.Definitions, **settings: Any
) -> list[dg.RunRequest]:
    blueprint = Blueprint.of(discover(defs), Settings.parse(settings))
    finished = list(feed.read(instance, cursor, location=None))
    return check_requests(finished, blueprint, instance)


def told(request: dg.RunRequest) -> set[str]:
    return {f"{k.asset_key.to_user_string()}:{k.name}" for k in request.asset_check_keys or ()}


def test_what_was_built_is_measured(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    defs = definitions_of(build_everything)
    cursor = Cursor.now(instance)
    done = run(defs, assets=["fct_orders"])
    (request,) = requests_after(instance, cursor, defs)
    assert told(request) == {f"fct_orders:{name}" for name in ENGINES}
    assert request.run_key == f"checks:{done.run_id}"
    assert request.job_name == "agent_checks"
    assert request.tags["dagster_agent/kind"] == "checks"
    assert request.tags["dagster_agent/checked_run"] == done.run_id


def test_the_schema_of_a_source_is_looked_at_when_its_reader_runs(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    defs = definitions_of(build_everything)
    cursor = Cursor.now(instance)
    run(defs, assets=["stg_events"])
    (request,) = requests_after(instance, cursor, defs)
    assert "shop/events:agent_schema_drift" in told(request)


def test_an_asset_that_several_runs_built_is_measured_once_after_the_last(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    defs = definitions_of(build_everything)
    cursor = Cursor.now(instance)
    first = run(defs, assets=["fct_orders", "stg_orders"])
    run(defs, assets=["fct_orders"])
    last = run(defs, assets=["fct_orders"])
    early, late = requests_after(instance, cursor, defs)
    assert (early.run_key, late.run_key) == (f"checks:{first.run_id}", f"checks:{last.run_id}")
    assert told(early) == {f"stg_orders:{name}" for name in ENGINES}
    assert told(late) == {f"fct_orders:{name}" for name in ENGINES}


def test_checks_that_a_failed_run_left_red_are_settled(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    def half(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key=dg.AssetKey("raw_orders"))
        raise RuntimeError("boom")

    defs = DataOpsAgent().attach(definitions_of(half))
    cursor = Cursor.now(instance)
    run(defs, assets=["raw_orders", "fct_orders"])
    (request,) = requests_after(instance, cursor, defs)
    assert told(request) == {
        f"{asset}:{name}"
        for asset in ("raw_orders", "fct_orders")
        for name in (*ENGINES, "agent_open_findings")
    } - {"raw_orders:agent_quality"}


def test_runs_that_build_nothing_of_ours_ask_for_nothing(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    @dg.asset
    def plain() -> None: ...

    defs = definitions_of(build_everything, assets=[plain])
    cursor = Cursor.now(instance)
    run(defs, assets=["plain"])
    run(defs, assets=["fct_orders"])
    assert requests_after(instance, cursor, defs, assets=["raw_orders"]) == []
