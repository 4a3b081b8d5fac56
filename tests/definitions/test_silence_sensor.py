"""What goes wrong without anything failing, seen by the sensor on a real Dagster instance.

This file is long because its tests share one instance and the ways in which a pipeline can be
silent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._utils.error import SerializableErrorInfo

from dagster_agent.definitions import DataOpsAgent
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import discover
from dagster_agent.definitions.silence_sensor import build_silence_sensor
from dagster_agent.model import FindingStatus, IncidentStatus, SymptomKind
from dagster_agent.ports import StateStore
from dagster_agent.settings import Settings

from .conftest import Project, Run, build_everything
from .test_sensor import Daemon, DefinitionsOf

Start = Callable[..., Daemon]
ERROR = SerializableErrorInfo("KeyError: 'ORDERS_URL'\n", [], "KeyError")
REPOSITORY = RemoteRepositoryOrigin(
    InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file="x.py"), location_name="here"),
    "__repository__",
)


@dg.op
def rest() -> None: ...


@dg.job
def nightly() -> None:
    rest()


@dg.schedule(job=nightly, cron_schedule="0 3 * * *", execution_timezone="Europe/Berlin")
def every_night() -> dg.RunRequest:
    return dg.RunRequest()


@pytest.fixture
def start(instance: dg.DagsterInstance, definitions_of: DefinitionsOf) -> Start:
    def watching(body: Any = build_everything, **silence: Any) -> Daemon:
        settings = Settings.parse({"silence": silence})
        plain = definitions_of(body, jobs=[nightly], schedules=[every_night])
        attached = DataOpsAgent(settings).attach(plain)
        if not any(s.name == "agent_silence" for s in attached.sensors or ()):
            blueprint = Blueprint.of(discover(plain), settings)
            (investigate,) = [j for j in attached.jobs or () if j.name == "agent_investigate"]
            sensor = build_silence_sensor(blueprint, investigate)
            attached = dg.Definitions.merge(attached, dg.Definitions(sensors=[sensor]))
        daemon = Daemon(instance, attached, sensor="agent_silence")
        assert daemon.tick() == []
        return daemon

    return watching


def run_of(
    instance: dg.DagsterInstance, status: DagsterRunStatus, *, created: datetime, **more: Any
) -> str:
    """A run of the nightly job as the storage has it, created then, its work lasting a minute."""
    made = create_run_for_test(
        instance,
        job_name="nightly",
        status=DagsterRunStatus.QUEUED,
        remote_job_origin=RemoteJobOrigin(REPOSITORY, "nightly"),
    )
    begun = more.get("begun", created + timedelta(seconds=20))
    ended = more.get("ended", begun + timedelta(minutes=1))
    values: dict[str, Any] = {"create_timestamp": created.replace(tzinfo=None)}
    if status is not DagsterRunStatus.QUEUED:
        values["start_time"] = begun.timestamp()
    if status is DagsterRunStatus.SUCCESS:
        values["end_time"] = ended.timestamp()
    from dagster._core.storage.runs.schema import RunsTable

    body = dg.serialize_value(made._replace(status=status))
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(
            RunsTable.update()
            .where(RunsTable.c.run_id == made.run_id)
            .values(status=status.value, run_body=body, **values)
        )
    return made.run_id


def history(instance: dg.DagsterInstance, now: datetime, *, nights: int = 8) -> None:
    for night in range(1, nights + 1):
        run_of(instance, DagsterRunStatus.SUCCESS, created=now - timedelta(days=night))


def test_a_run_that_hangs_is_told_once_and_closed_when_it_ends(
    start: Start, store: StateStore, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    history(instance, now)
    daemon = start()
    hung = run_of(instance, DagsterRunStatus.STARTED, created=now - timedelta(minutes=40))
    assert daemon.tick() == []  # nobody investigates what only waits
    (incident,) = store.incidents()
    assert incident.status is IncidentStatus.WAITING
    (symptom,) = incident.symptoms
    assert symptom.kind is SymptomKind.RUN_STUCK
    assert symptom.headline.startswith(f"nightly (run {hung[:8]}) has been running for 40 min;")
    assert "its last 8 good runs took 1 min as a rule" in symptom.headline
    (finding,) = store.findings()
    assert finding.report.question is not None
    assert finding.report.question.text == "Shall it be waited for?"
    partitions = instance.get_dynamic_partitions("agent_findings")
    assert any(finding.id in partition for partition in partitions)

    daemon.tick()
    assert daemon.skipped == "0 runs ended; 1 known troubles go on"
    assert len(store.incidents()) == len(store.findings()) == 1

    run = instance.get_run_by_id(hung)
    assert run is not None
    instance.report_run_canceled(run)
    daemon.tick()
    assert daemon.skipped.endswith("over: silence/running nightly")
    assert store.incidents()[0].status is IncidentStatus.RESOLVED
    assert store.findings()[0].status is FindingStatus.RESOLVED


def test_a_queued_run_says_what_it_waits_for(
    start: Start, store: StateStore, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    history(instance, now)
    daemon = start()
    run_of(instance, DagsterRunStatus.QUEUED, created=now - timedelta(minutes=30))
    daemon.tick()
    (incident,) = store.incidents()
    told = incident.title
    assert "has been queued for 30 min; its last 8 good runs waited 0 min as a rule" in told
    assert "It waits for the daemon that takes runs from the queue, which has never given" in told


def test_an_untrained_job_is_stuck_only_after_very_long(
    start: Start, store: StateStore, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    daemon = start()
    run_of(instance, DagsterRunStatus.STARTED, created=now - timedelta(hours=20))
    daemon.tick()
    assert store.incidents() == []
    run_of(instance, DagsterRunStatus.STARTED, created=now - timedelta(hours=30))
    daemon.tick()
    assert "untrained: 0 of 5 earlier good runs" in store.incidents()[0].title


def test_a_missed_deadline_is_over_when_it_is_complete(
    start: Start, store: StateStore, instance: dg.DagsterInstance, run: Run
) -> None:
    now = datetime.now(UTC)
    clock = f"{now - timedelta(minutes=3):%H:%M}"
    daemon = start(deadlines={"nightly": clock, "stg_events": f"{clock} UTC"})
    titles = sorted(incident.title for incident in store.incidents())
    assert [t.split(" by ")[0] for t in titles] == [
        f"nightly missed its deadline {clock} UTC",
        f"stg_events missed its deadline {clock} UTC",
    ]
    assert titles[0].endswith("never complete; no run of it is queued or going on")
    run(daemon.defs, job="nightly")
    run(daemon.defs, assets=["stg_events"])
    daemon.tick()
    assert {i.status for i in store.incidents()} == {IncidentStatus.RESOLVED}


@pytest.fixture
def schedule_state(instance: dg.DagsterInstance) -> Callable[..., InstigatorState]:
    """What the scheduler daemon would have left for the nightly schedule."""

    def made(status: InstigatorStatus, *ticks: tuple[datetime, TickStatus]) -> InstigatorState:
        origin = RemoteInstigatorOrigin(REPOSITORY, "every_night")
        state = InstigatorState(
            origin, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("0 3 * * *")
        )
        instance.add_instigator_state(state)
        for at, ended in ticks:
            instance.create_tick(
                TickData(
                    instigator_origin_id=state.instigator_origin_id,
                    selector_id=state.selector_id,
                    instigator_name="every_night",
                    instigator_type=InstigatorType.SCHEDULE,
                    status=ended,
                    timestamp=at.timestamp(),
                    run_ids=[],
                    error=ERROR if ended is TickStatus.FAILURE else None,
                )
            )
        return state

    return made


def test_a_schedule_that_stopped_ticking(
    start: Start,
    store: StateStore,
    instance: dg.DagsterInstance,
    schedule_state: Callable[..., InstigatorState],
) -> None:
    now = datetime.now(UTC)
    daemon = start()
    schedule_state(InstigatorStatus.RUNNING, (now - timedelta(days=2), TickStatus.SUCCESS))
    daemon.tick()
    assert store.incidents() == []  # the daemon has only just come up
    long_awake(daemon, now)
    daemon.tick()
    (incident,) = store.incidents()
    assert incident.title.startswith("schedule every_night has stopped ticking: a tick was due")
    assert incident.symptoms[0].kind is SymptomKind.AUTOMATION_SILENT


def long_awake(daemon: Daemon, now: datetime) -> None:
    """As if the sensor had ticked for an hour."""
    kept = json.loads(daemon.cursor or "{}")
    kept["awake_since"] = (now - timedelta(hours=1)).isoformat()
    daemon.cursor = json.dumps(kept)


def test_a_schedule_that_was_switched_off_and_on_again(
    start: Start,
    store: StateStore,
    instance: dg.DagsterInstance,
    schedule_state: Callable[..., InstigatorState],
) -> None:
    now = datetime.now(UTC)
    daemon = start()
    state = schedule_state(InstigatorStatus.STOPPED, (now - timedelta(hours=5), TickStatus.SUCCESS))
    daemon.tick()
    (incident,) = store.incidents()
    assert incident.title.startswith("schedule every_night is switched off; it ticked last")
    instance.update_instigator_state(state.with_status(InstigatorStatus.RUNNING))
    daemon.tick()
    assert store.incidents()[0].status is IncidentStatus.RESOLVED


def test_a_schedule_that_fails_in_each_tick(
    start: Start,
    store: StateStore,
    schedule_state: Callable[..., InstigatorState],
) -> None:
    now = datetime.now(UTC)
    daemon = start()
    failed = [(now - timedelta(minutes=n), TickStatus.FAILURE) for n in (3, 2, 1)]
    schedule_state(InstigatorStatus.RUNNING, *failed)
    daemon.tick()
    (incident,) = store.incidents()
    assert "has failed in each of its last 3 ticks, since" in incident.title
    assert incident.title.endswith("KeyError: 'ORDERS_URL'")


def test_a_good_run_that_left_out_an_output(
    start: Start, store: StateStore, run: Run, project: Project
) -> None:
    left_out = {"stg_events"}

    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for key in sorted(context.selected_asset_keys):
            if key.path[-1] not in left_out:
                yield dg.MaterializeResult(asset_key=key)

    project.build_tables()
    daemon = start(body)
    assert run(daemon.defs, assets=["raw_orders", "stg_events"]).success
    daemon.tick()
    (incident,) = store.incidents()
    assert incident.symptoms[0].kind is SymptomKind.STALE
    assert incident.asset == "model.jaffle.stg_events"
    assert "1 of its 2 planned outputs have no result: asset stg_events" in incident.title
    left_out.clear()
    run(daemon.defs, assets=["raw_orders", "stg_events"])
    daemon.tick()
    assert store.incidents()[0].status is IncidentStatus.RESOLVED


def test_a_build_that_wrote_nothing_is_investigated(
    start: Start, store: StateStore, run: Run, project: Project
) -> None:
    project.build_tables()
    daemon = start()
    run(daemon.defs, assets=["stg_events"])
    assert daemon.tick() == []
    project.sql("delete from stg_events")
    run(daemon.defs, assets=["stg_events"])
    (request,) = daemon.tick()
    assert request.job_name == "agent_investigate"
    (incident,) = store.incidents()
    assert incident.title == (
        "stg_events was built without an error and holds no row, the build before left 1;"
        " its sources hold rows: shop.events 1"
    )
    assert incident.asset == "model.jaffle.stg_events"
    assert daemon.tick() == []

    # a warehouse that is away is neither silent nor over
    (project.root / "jaffle.duckdb").rename(project.root / "away.duckdb")
    run(daemon.defs, assets=["stg_events"])
    assert daemon.tick() == []
    assert "not read: " in daemon.skipped
    assert "1 known troubles go on" in daemon.skipped
