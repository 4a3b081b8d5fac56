"""The one sensor, tick by tick, on real runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

from dagster_agent.definitions import DataOpsAgent
from dagster_agent.model import IncidentStatus
from dagster_agent.ports import StateStore

from .conftest import Project, Run, an_incident, build_everything, real_dbt

DefinitionsOf = Callable[..., dg.Definitions]


@dataclass
class Daemon:
    """What the sensor daemon keeps between ticks."""

    instance: dg.DagsterInstance
    defs: dg.Definitions
    sensor: str = "agent_watch"
    cursor: str | None = None
    skipped: str = ""
    launched: list[dg.RunRequest] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def tick(self) -> list[dg.RunRequest]:
        """Evaluate once; run requests whose key was seen before are dropped, as Dagster does."""
        sensor = self.defs.resolve_sensor_def(self.sensor)
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.defs.get_repository_def(),
            sensor_name=self.sensor,
        ) as context:
            data = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        self.skipped = data.skip_message or ""
        fresh = [r for r in data.run_requests or [] if r.run_key not in self.keys]
        self.keys |= {r.run_key for r in fresh if r.run_key}
        self.launched += fresh
        return fresh


def named(requests: list[dg.RunRequest], job: str) -> list[dg.RunRequest]:
    return [r for r in requests if r.job_name == job]


def boom(context: dg.AssetExecutionContext) -> Iterator[Any]:
    raise RuntimeError("boom")
    yield


@pytest.fixture
def start(instance: dg.DagsterInstance) -> Callable[[dg.Definitions], Daemon]:
    def watching(defs: dg.Definitions, **settings: Any) -> Daemon:
        return Daemon(instance, DataOpsAgent(settings).attach(defs))

    return watching


def test_the_first_tick_looks_at_no_history(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    daemon = start(definitions_of(boom))
    run(daemon.defs)
    assert daemon.tick() == []
    assert "from now on" in daemon.skipped
    assert daemon.tick() == []
    assert daemon.skipped == "0 runs ended, nothing to do."
    run(daemon.defs)
    assert named(daemon.tick(), "agent_investigate")
    assert len(store.incidents()) == 1


def test_a_failed_run_is_investigated_once_and_its_checks_are_settled(
    definitions_of: DefinitionsOf,
    run: Run,
    start: Callable[..., Daemon],
    store: StateStore,
    instance: dg.DagsterInstance,
) -> None:
    daemon = start(definitions_of(boom))
    daemon.tick()
    broken = run(daemon.defs, assets=["fct_orders"])
    requests = daemon.tick()
    (incident,) = store.incidents()
    (investigation,) = named(requests, "agent_investigate")
    assert investigation.run_config == {
        "ops": {"collect": {"config": {"incident_id": incident.id}}}
    }
    assert investigation.tags["dagster_agent/kind"] == "investigate"
    assert investigation.tags["dagster_agent/incident"] == incident.id
    (checks,) = named(requests, "agent_checks")
    assert checks.tags["dagster_agent/checked_run"] == broken.run_id
    assert {k.name for k in checks.asset_check_keys or ()} >= {"agent_open_findings"}
    inbox = instance.get_latest_materialization_event(dg.AssetKey(["agent", "inbox"]))
    assert inbox is not None
    assert inbox.asset_materialization is not None
    assert inbox.asset_materialization.metadata["open_incidents"].value == 1

    run(daemon.defs, assets=["fct_orders"])
    assert named(daemon.tick(), "agent_investigate") == []
    assert len(store.incidents()) == 1


@real_dbt
def test_a_good_run_with_a_warning_test_opens_an_incident(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    daemon = start(definitions_of())
    daemon.tick()
    assert run(daemon.defs).success
    requests = daemon.tick()
    (incident,) = store.incidents()
    assert incident.asset == "model.jaffle.fct_orders"
    assert len(named(requests, "agent_investigate")) == 1
    (checks,) = named(requests, "agent_checks")
    assert len({k.asset_key for k in checks.asset_check_keys or ()}) == 6


@real_dbt
def test_a_failing_test_and_the_run_it_breaks_are_one_incident(
    project: Project,
    definitions_of: DefinitionsOf,
    run: Run,
    start: Callable[..., Daemon],
    store: StateStore,
) -> None:
    project.write("seeds/raw_orders.csv", "id,customer_id,amount\n1,1,10\n1,2,20\n")
    daemon = start(definitions_of())
    daemon.tick()
    assert not run(daemon.defs).success
    requests = daemon.tick()
    (incident,) = store.incidents()
    (symptom,) = incident.symptoms
    assert symptom.check == "unique_stg_orders_order_id"
    assert incident.asset == "model.jaffle.stg_orders"
    assert len(named(requests, "agent_investigate")) == 1


def test_thirty_failures_between_two_ticks_are_all_known_and_launched_in_portions(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    @dg.op(config_schema={"what": str})
    def load(context: dg.OpExecutionContext) -> None:
        raise RuntimeError(f"no such table {context.op_config['what']}")

    @dg.job
    def ingest() -> None:
        load()

    daemon = start(definitions_of(build_everything, jobs=[ingest]))
    daemon.tick()
    words = [f"table_{a}{b}" for a in "abcde" for b in "uvwxyz"]
    runs = [
        run(daemon.defs, job="ingest", config={"ops": {"load": {"config": {"what": word}}}}).run_id
        for word in words
    ]
    ticks: list[int] = []
    while requests := named(daemon.tick(), "agent_investigate"):
        ticks.append(len(requests))
        for request in requests:
            incident = store.incident(request.tags["dagster_agent/incident"])
            assert incident is not None
            investigating = {**_fields(incident), "status": IncidentStatus.WAITING}
            store.save_incident(type(incident)(**investigating))
    seen = {s.run_id for incident in store.incidents() for s in incident.symptoms}
    assert seen == set(runs)
    assert len(store.incidents()) == 30
    assert ticks == [5] * 6
    assert len({r.run_key for r in daemon.launched}) == 30


def _fields(incident: Any) -> dict[str, Any]:
    return {name: getattr(incident, name) for name in incident.__dataclass_fields__}


def test_our_own_runs_are_not_watched_except_for_what_their_checks_find(
    definitions_of: DefinitionsOf,
    run: Run,
    start: Callable[..., Daemon],
    store: StateStore,
    project: Project,
) -> None:
    project.build_tables()
    daemon = start(definitions_of(build_everything))
    daemon.tick()
    drift = [dg.AssetCheckKey(dg.AssetKey("fct_orders"), "agent_schema_drift")]
    run(daemon.defs, job="agent_checks", checks=drift)
    run(daemon.defs, job="agent_investigate")
    assert daemon.tick() == []
    project.sql("alter table fct_orders drop column amount")
    run(daemon.defs, job="agent_checks", checks=drift)
    requests = daemon.tick()
    assert [r.job_name for r in requests] == ["agent_investigate"]
    (incident,) = store.incidents()
    assert incident.asset == "model.jaffle.fct_orders"
    assert incident.symptoms[0].check == "schema-drift"
    run(daemon.defs, assets=["fct_orders"])
    assert [r.job_name for r in daemon.tick()] == ["agent_checks"]
    assert len(store.incidents()) == 1


def test_an_investigation_that_could_not_start_waits_for_a_person_and_does_not_loop(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    store.save_incident(an_incident())
    daemon = start(definitions_of(build_everything))
    daemon.tick()
    tags = {"dagster_agent/incident": "I-1a2b3c"}
    run(daemon.defs, job="agent_investigate", tags=tags)
    assert daemon.tick() == []
    incident = store.incident("I-1a2b3c")
    assert incident is not None
    assert incident.status is IncidentStatus.WAITING


def test_nothing_is_forgotten_while_the_state_is_out_of_reach(
    definitions_of: DefinitionsOf,
    run: Run,
    start: Callable[..., Daemon],
    store: StateStore,
    project: Project,
) -> None:
    daemon = start(definitions_of(boom))
    daemon.tick()
    run(daemon.defs)
    profiles = (project.root / "profiles.yml").read_text()
    project.write("profiles.yml", "jaffle: [")
    before = daemon.cursor
    with pytest.raises(Exception, match="profiles"):
        daemon.tick()
    assert daemon.cursor == before
    project.write("profiles.yml", profiles)
    assert named(daemon.tick(), "agent_investigate")
    assert len(store.incidents()) == 1


def test_a_location_can_start_it_stopped(
    definitions_of: DefinitionsOf, start: Callable[..., Daemon]
) -> None:
    settings = {"sensor": {"running_by_default": False, "interval_seconds": 120}}
    daemon = start(definitions_of(build_everything), **settings)
    sensors = {s.name: s for s in daemon.defs.get_repository_def().sensor_defs}
    assert set(sensors) == {"agent_watch", "agent_drift", "agent_silence"}
    assert {s.default_status for s in sensors.values()} == {dg.DefaultSensorStatus.STOPPED}
    assert sensors["agent_watch"].minimum_interval_seconds == 120
