"""A changed source is known within one polling cycle, whether anything runs or not."""

import dagster as dg

from dagster_agent.definitions import DataOpsAgent
from dagster_agent.model import SymptomKind
from dagster_agent.ports import StateStore

from .conftest import Project, Run
from .test_sensor import Daemon, DefinitionsOf, named

EVENTS = dg.AssetKey(["shop", "events"])
CHECK = dg.AssetCheckKey(EVENTS, "agent_schema_drift")


def _drift(instance: dg.DagsterInstance, defs: dg.Definitions) -> Daemon:
    return Daemon(instance, DataOpsAgent().attach(defs), sensor="agent_drift")


def _checked(daemon: Daemon, run: Run) -> dg.AssetCheckEvaluation:
    """One tick, and the check that it asks for."""
    (request,) = daemon.tick()
    assert request.job_name == "agent_checks"
    assert CHECK in (request.asset_check_keys or ())
    done = run(daemon.defs, job="agent_checks", checks=[CHECK], tags=request.tags)
    (evaluation,) = done.get_asset_check_evaluations()
    return evaluation


def test_a_renamed_column_is_red_after_one_tick(
    project: Project, definitions_of: DefinitionsOf, run: Run, instance: dg.DagsterInstance
) -> None:
    daemon = _drift(instance, definitions_of(lambda _: iter(())))
    assert _checked(daemon, run).passed  # the first look is what later ones are compared with
    assert daemon.tick() == []
    assert "sources as they were" in daemon.skipped

    project.sql("alter table events rename column event_id to occurrence_id")
    evaluation = _checked(daemon, run)
    assert not evaluation.passed
    assert "occurrence_id" in (evaluation.description or "")
    assert daemon.tick() == []

    project.sql("alter table events rename column occurrence_id to event_id")
    assert _checked(daemon, run).passed


def test_an_unreachable_warehouse_is_no_drift(
    project: Project, definitions_of: DefinitionsOf, run: Run, instance: dg.DagsterInstance
) -> None:
    daemon = _drift(instance, definitions_of(lambda _: iter(())))
    _checked(daemon, run)
    before = daemon.cursor
    database = project.root / "jaffle.duckdb"
    database.rename(project.root / "away.duckdb")
    assert daemon.tick() == []
    assert "as they were" in daemon.skipped
    assert daemon.cursor == before
    (project.root / "away.duckdb").rename(database)
    assert daemon.tick() == []


def test_a_new_column_reaches_the_watching_sensor_as_news(
    project: Project,
    definitions_of: DefinitionsOf,
    run: Run,
    instance: dg.DagsterInstance,
    store: StateStore,
) -> None:
    drift = _drift(instance, definitions_of(lambda _: iter(())))
    watch = Daemon(instance, drift.defs)
    watch.tick()
    _checked(drift, run)
    project.sql("alter table events add column kind varchar")
    assert _checked(drift, run).passed
    assert len(named(watch.tick(), "agent_investigate")) == 1
    (incident,) = store.incidents()
    (symptom,) = incident.symptoms
    assert symptom.kind is SymptomKind.SCHEMA_CHANGED
    assert symptom.detail == "kind"
    assert incident.asset == "source.jaffle.shop.events"


def test_documents_are_looked_into_though_no_schema_changes(
    project: Project, definitions_of: DefinitionsOf, run: Run, instance: dg.DagsterInstance
) -> None:
    project.sql("alter table events add column payload json")
    project.sql(
        "insert into events (payload) select {'kind': 'open', 'id': i} from range(200) t(i)"
    )
    settings = {"schema_drift": {"json_poll_minutes": 0.000001}}
    defs = DataOpsAgent(settings).attach(definitions_of(lambda _: iter(())))
    daemon = Daemon(instance, defs, sensor="agent_drift")
    assert _checked(daemon, run).passed

    project.sql("insert into events (payload) select {'id': i} from range(30) t(i)")
    evaluation = _checked(daemon, run)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    told = evaluation.description or ""
    assert "key payload.kind (string) is gone" in told
    assert "none of the newest 30 has" in told
    assert evaluation.metadata["drift.json-key-removed"].value == 1
    # and so on, while nobody accepts it
    (request,) = daemon.tick()
    assert CHECK in (request.asset_check_keys or ())


def test_documents_are_left_to_the_checks_of_runs_when_so_set(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    project.sql("alter table events add column payload json")
    settings = {"schema_drift": {"json_poll_minutes": 0}}
    defs = DataOpsAgent(settings).attach(definitions_of(lambda _: iter(())))
    daemon = Daemon(instance, defs, sensor="agent_drift")
    daemon.tick()
    assert daemon.tick() == []


def test_a_table_that_is_gone_is_news_at_the_second_look(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    daemon = _drift(instance, definitions_of(lambda _: iter(())))
    daemon.tick()
    project.sql("drop table events")
    assert daemon.tick() == []
    project.sql("create table events as select 2 as event_id")
    assert daemon.tick() == []
    project.sql("drop table events")
    assert daemon.tick() == []
    (request,) = daemon.tick()
    assert CHECK in (request.asset_check_keys or ())
    assert daemon.tick() == []


def test_a_tick_never_compiles(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    daemon = _drift(instance, definitions_of(lambda _: iter(())))
    (project.root / "target" / "manifest.json").unlink()
    assert daemon.tick() == []
    assert "there is no dbt manifest" in daemon.skipped
    assert "run `dbt parse`" in daemon.skipped
    assert not list((project.root / "target").glob("**/manifest.json"))


def test_a_new_table_beside_the_sources_and_the_models_when_asked(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    settings = {"schema_drift": {"poll_models": True}}
    defs = DataOpsAgent(settings).attach(definitions_of(lambda _: iter(())))
    daemon = Daemon(instance, defs, sensor="agent_drift")
    daemon.tick()
    assert daemon.tick() == []
    assert daemon.skipped == "6 tables as they were"
    project.sql("create table refunds as select 1 as id")
    (request,) = daemon.tick()
    assert {key.asset_key for key in request.asset_check_keys or ()} == {EVENTS}
    project.sql("create table stg_orders as select 1 as order_id")
    (request,) = daemon.tick()
    assert {key.asset_key.to_user_string() for key in request.asset_check_keys or ()} == {
        "stg_orders"
    }
