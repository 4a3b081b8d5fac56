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
