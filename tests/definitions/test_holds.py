"""What a drift holds back: queued runs, and a part of the customer's own selection."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster_dbt import DbtCliResource, dbt_assets

from dagster_agent.autonomy.pause import pause, resume
from dagster_agent.definitions import DataOpsAgent
from dagster_agent.definitions.holds import HELD_TAG, WHY_TAG, guarded_selection, of_location
from dagster_agent.model import Baseline, ColumnSchema, Relation, TableSchema
from dagster_agent.ports import StateStore
from tests.warm_dbt import executable

from .conftest import MOMENT, Project, Run, real_dbt
from .test_sensor import Daemon

DefinitionsOf = Callable[..., dg.Definitions]
EVENTS = "source.jaffle.shop.events"
STG_EVENTS = dg.AssetKey("stg_events")
HOLD = {"schema_drift": {"cancel_queued": True}}


@pytest.fixture(autouse=True)
def accepted(store: StateStore) -> None:
    """The source as it is was accepted."""
    column = ColumnSchema(name="event_id", type="INTEGER", position=1)
    schema = TableSchema(
        relation=Relation(database="jaffle", schema="main", name="events"), columns=(column,)
    )
    store.save_baseline(
        Baseline(asset=EVENTS, schema=schema, accepted_at=MOMENT, accepted_by="ann")
    )


class Queue:
    """Runs that wait, and what became of them."""

    def __init__(self, instance: dg.DagsterInstance, defs: dg.Definitions) -> None:
        self.instance = instance
        self.job = defs.resolve_job_def("__ASSET_JOB")

    def add(self, *assets: str, location: str = "shop", **more: Any) -> str:
        keys = frozenset(dg.AssetKey(name) for name in assets)
        place = RemoteRepositoryOrigin(
            GrpcServerCodeLocationOrigin(host="nowhere", port=1, location_name=location), "defs"
        )
        run = self.instance.create_run_for_job(
            self.job.get_subset(asset_selection=set(keys)),
            asset_selection=keys,
            status=more.pop("status", dg.DagsterRunStatus.QUEUED),
            remote_job_origin=RemoteJobOrigin(place, "__ASSET_JOB"),
            **more,
        )
        return run.run_id

    def status(self, run_id: str) -> str:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status.value


def test_queued_runs_of_what_a_drift_reaches_are_cancelled(
    project: Project,
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    store: StateStore,
) -> None:
    defs = DataOpsAgent(HOLD).attach(definitions_of(lambda _: iter(())))
    daemon, queue = Daemon(instance, defs, sensor="agent_drift"), Queue(instance, defs)
    daemon.tick()
    hit = queue.add("stg_events", "stg_orders")
    spared = [
        queue.add("stg_orders"),
        queue.add("stg_events", status=dg.DagsterRunStatus.STARTED),
        queue.add("stg_events", tags={"dagster_agent/kind": "checks"}),
    ]
    assert daemon.tick() == []
    assert queue.status(hit) == "QUEUED"

    project.sql("alter table events rename column event_id to occurrence_id")
    assert len(daemon.tick()) == 1
    assert queue.status(hit) == "CANCELED"
    assert [queue.status(run_id) for run_id in spared] == ["QUEUED", "STARTED", "QUEUED"]
    cancelled = instance.get_run_by_id(hit)
    assert cancelled is not None
    assert cancelled.tags[HELD_TAG] == EVENTS
    said = [entry.message for entry in instance.all_logs(hit)]
    assert any("event_id looks renamed to occurrence_id" in message for message in said)
    record = store.audit()[-1]
    assert (record.action, record.subject) == ("cancel-queued-run", hit)

    # a later run of it is cancelled too, until somebody pauses the agent or reverts the change
    again = queue.add("stg_events")
    pause(store, by="ann", reason="migration", now=MOMENT)
    daemon.tick()
    assert queue.status(again) == "QUEUED"
    resume(store, by="ann", now=MOMENT)
    daemon.tick()
    assert queue.status(again) == "CANCELED"
    project.sql("alter table events rename column occurrence_id to event_id")
    daemon.tick()
    last = queue.add("stg_events")
    daemon.tick()
    assert queue.status(last) == "QUEUED"


def test_nothing_is_cancelled_unless_asked_for(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    defs = DataOpsAgent().attach(definitions_of(lambda _: iter(())))
    daemon, queue = Daemon(instance, defs, sensor="agent_drift"), Queue(instance, defs)
    daemon.tick()
    waiting = queue.add("stg_events")
    project.sql("alter table events rename column event_id to occurrence_id")
    assert len(daemon.tick()) == 1
    assert queue.status(waiting) == "QUEUED"


def test_runs_of_another_location_are_not_ours_to_cancel(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    queue = Queue(instance, definitions_of(lambda _: iter(())))
    origin = GrpcServerCodeLocationOrigin(host="nowhere", port=1, location_name="shop")
    for location, ours in (("shop", True), ("elsewhere", False)):
        run = instance.get_run_by_id(queue.add("stg_events", location=location))
        assert run is not None
        assert of_location(run, origin) is ours
        assert of_location(run, None)


def _guarded(project: Project, **settings: Any) -> dg.Definitions:
    dbt = project.dbt

    @dbt_assets(manifest=dbt.manifest_path, project=dbt, name="jaffle_build")
    def build(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        args = ["build", *guarded_selection(context, **settings)]
        yield from dbt.cli(args, context=context).stream()

    resource = DbtCliResource(project_dir=dbt, dbt_executable=executable())
    return dg.Definitions(assets=[build], resources={"dbt": resource})


@real_dbt
def test_a_guarded_run_goes_on_without_what_a_drift_would_break(
    project: Project, run: Run, instance: dg.DagsterInstance
) -> None:
    plain = _guarded(project)
    project.sql("alter table events rename column event_id to occurrence_id")

    done = run(plain, assets=["stg_events", "raw_orders", "stg_orders"])
    assert done.success
    built = {event.asset_key for event in done.get_asset_materialization_events()}
    assert built == {dg.AssetKey("raw_orders"), dg.AssetKey("stg_orders")}
    record = instance.get_run_by_id(done.run_id)
    assert record is not None
    assert record.tags[HELD_TAG] == EVENTS
    assert "event_id looks renamed to occurrence_id" in record.tags[WHY_TAG]
    warnings = [
        e.user_message for e in instance.all_logs(done.run_id) if e.level == logging.WARNING
    ]
    assert any("left out of this run: stg_events" in message for message in warnings)


def test_trouble_of_the_agents_never_stops_the_run(
    project: Project, run: Run, instance: dg.DagsterInstance
) -> None:
    seen: list[list[str]] = []
    dbt = project.dbt
    manifest, database = project.root / "target/manifest.json", project.root / "jaffle.duckdb"

    @dbt_assets(manifest=manifest, project=dbt, name="jaffle_build")
    def build(context: dg.AssetExecutionContext) -> Iterator[Any]:
        seen.append(guarded_selection(context))  # nothing has changed
        seen.append(guarded_selection(context, settings={"no_such_setting": 1}))
        for needed in (manifest, database):
            needed.rename(project.root / "away")
            seen.append(guarded_selection(context))
            (project.root / "away").rename(needed)
        yield dg.MaterializeResult(asset_key=STG_EVENTS)

    done = run(dg.Definitions(assets=[build]), assets=["stg_events"])
    assert done.success
    assert seen == [[], [], [], []]
    logs = instance.all_logs(done.run_id)
    warnings = [e.user_message for e in logs if e.level == logging.WARNING]
    assert len(warnings) == 3
    assert all("nothing is left out" in message for message in warnings)
    for told, message in zip(
        ("no_such_setting", "manifest", "jaffle.duckdb"), warnings, strict=True
    ):
        assert told in message
