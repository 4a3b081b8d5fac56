"""The agent in a second code location: the customer's runs know nothing of it, it sees them all.

This file is long because its tests share one costly pair of code locations.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.loader import LoadingContextForTest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_dbt import DagsterDbtTranslator

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent
from dagster_agent.definitions.discovery import specs_of
from dagster_agent.errors import ConfigError
from dagster_agent.ports import StateStore

from .conftest import Project, Run, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
FCT = dg.AssetKey("fct_orders")
HERE = {"ui": {"location_name": "agent_location"}}


def boom(context: dg.AssetExecutionContext) -> Iterator[Any]:
    raise RuntimeError("boom")
    yield


@dataclass
class Daemon:
    """Ticks `agent_watch` and keeps its cursor."""

    instance: dg.DagsterInstance
    defs: dg.Definitions
    cursor: str | None = None
    skipped: str = ""

    def tick(self) -> list[dg.RunRequest]:
        repository = self.defs.get_repository_def()
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=repository
        ) as context:
            data = repository.get_sensor_def("agent_watch").evaluate_tick(context)
        self.cursor, self.skipped = data.cursor, data.skip_message or ""
        return list(data.run_requests or ())


def at(location: str, job: str) -> RemoteJobOrigin:
    """The origin that Dagster gives to a run of another code location."""
    target = LoadableTargetOrigin(python_file=f"{location}.py")
    origin = InProcessCodeLocationOrigin(target, location_name=location)
    return RemoteJobOrigin(RemoteRepositoryOrigin(origin, "__repository__"), job)


@dataclass(frozen=True)
class Customer:
    """A code location that holds the dbt assets and has never heard of the agent."""

    instance: dg.DagsterInstance
    defs: dg.Definitions

    def run(self, *assets: str, tags: dict[str, str] | None = None) -> dg.DagsterRun:
        """What *Materialize* does: plan whatever the location has on these assets, and run it."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        if assets:
            job = job.get_subset(asset_selection={dg.AssetKey(name) for name in assets})
        made = self.instance.create_run_for_job(
            job,
            remote_job_origin=at("customer", job.name),
            tags=tags,
            run_config={"execution": {"config": {"in_process": {}}}},
            asset_selection=job.asset_selection,
        )
        execute_run(InMemoryJob(job), made, self.instance)
        ended = self.instance.get_run_by_id(made.run_id)
        assert ended is not None
        return ended


@pytest.fixture
def agent(project: Project) -> dg.Definitions:
    return DataOpsAgent(HERE).own_location(project.dbt)


def status_in_the_ui(instance: dg.DagsterInstance, check: str) -> str:
    key = dg.AssetCheckKey(FCT, check)
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    return asyncio.run(record.resolve_status(LoadingContextForTest(instance))).value


def checks_of(defs: dg.Definitions) -> set[str]:
    return {
        f"{key.asset_key.to_user_string()}:{key.name}"
        for key in defs.resolve_asset_graph().asset_check_keys
        if key.name.startswith("agent_")
    }


def test_it_holds_the_same_checks_as_if_attached_and_none_of_the_assets(
    agent: dg.Definitions, definitions_of: DefinitionsOf
) -> None:
    dg.Definitions.validate_loadable(agent)
    assert checks_of(agent) == checks_of(DataOpsAgent().attach(definitions_of(build_everything)))
    own = {spec.key.to_user_string() for spec in specs_of(agent.assets or ())}
    assert own == {"agent/decisions", "agent/findings", "agent/inbox"}
    repository = agent.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} - {"__ASSET_JOB"} == {
        "agent_accept_schema",
        "agent_checks",
        "agent_decide",
        "agent_expected",
        "agent_investigate",
        "agent_pause",
        "agent_steer",
    }


def test_in_one_workspace_the_two_locations_show_as_one_asset_with_all_its_checks(
    project: Project, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    folder = str(project.root)
    sources = {
        "customer": "import dagster as dg\nfrom dagster_dbt import DbtProject, dbt_assets\n"
        f"project = DbtProject({folder!r})\n"
        "@dbt_assets(manifest=project.manifest_path, project=project)\n"
        "def jaffle(context: dg.AssetExecutionContext): ...\n"
        "defs = dg.Definitions(assets=[jaffle])\n",
        "agent": "from dagster_agent import DataOpsAgent\n"
        f"defs = DataOpsAgent().own_location({folder!r})\n",
    }
    origins: list[Any] = []
    for name, source in sources.items():
        (tmp_path / f"{name}_location.py").write_text(source)
        target = LoadableTargetOrigin(
            executable_path=sys.executable,
            python_file=str(tmp_path / f"{name}_location.py"),
            working_directory=str(tmp_path),
        )
        origins.append(InProcessCodeLocationOrigin(target, location_name=name))
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origins)) as context:
        workspace = context.create_request_context()
        graph = workspace.asset_graph
        node = graph.get(FCT)
        assert node.is_materializable
        owner = node.resolve_to_singular_repo_scoped_node().repository_handle
        assert owner.location_name == "customer"
        agents = {
            "agent_anomaly",
            "agent_open_findings",
            "agent_quality",
            "agent_reconciliation",
            "agent_schema_drift",
        }
        theirs = {"accepted_values_fct_orders_name__ada"}
        assert {k.name for k in graph.asset_check_keys if k.asset_key == FCT} == agents | theirs
        for name, expected in (("customer", theirs), ("agent", agents)):
            repository = workspace.get_code_location(name).get_repository("__repository__")
            checks = repository.get_asset_check_node_snaps()
            assert {check.name for check in checks if check.asset_key == FCT} == expected


def test_the_customers_runs_plan_nothing_of_ours_and_their_assets_are_judged_after_them(
    project: Project,
    agent: dg.Definitions,
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    run: Run,
) -> None:
    project.build_tables()
    customer = Customer(instance, definitions_of(build_everything))
    daemon = Daemon(instance, agent)
    daemon.tick()
    theirs = customer.run("fct_orders", "raw_orders")
    assert theirs.is_success
    planned = event_log.planned_checks(instance, theirs.run_id)
    assert not any(key.name.startswith("agent_") for key in planned)

    (request,) = daemon.tick()
    assert request.job_name == "agent_checks"
    assert request.tags["dagster_agent/checked_run"] == theirs.run_id
    asked = list(request.asset_check_keys or ())
    assert {key.asset_key for key in asked} == {FCT, dg.AssetKey("raw_orders")}
    ours = run(agent, job="agent_checks", checks=asked, tags=request.tags)
    assert ours.success
    found = event_log.evaluations(instance, ours.run_id)
    assert {dg.AssetCheckKey(e.asset_key, e.check_name) for e in found} == set(asked)
    shown = {e.check_name: e.metadata["dagster_agent/status"].value for e in found}
    assert shown["agent_reconciliation"] == "passed"
    assert status_in_the_ui(instance, "agent_reconciliation") == "SUCCEEDED"
    assert daemon.tick() == []


def test_a_failed_run_of_theirs_leaves_no_check_of_ours_red_and_is_investigated_here(
    agent: dg.Definitions,
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    store: StateStore,
) -> None:
    customer = Customer(instance, definitions_of(boom))
    daemon = Daemon(instance, agent)
    daemon.tick()
    theirs = customer.run("fct_orders")
    assert theirs.is_failure
    assert event_log.planned_checks(instance, theirs.run_id) == {
        dg.AssetCheckKey(FCT, "accepted_values_fct_orders_name__ada")
    }
    requests = daemon.tick()
    (incident,) = store.incidents()
    assert incident.symptoms[0].run_id == theirs.run_id
    (investigation,) = requests
    assert investigation.job_name == "agent_investigate"
    assert investigation.tags["dagster_agent/incident"] == incident.id


def test_runs_that_touch_no_watched_asset_and_runs_of_another_agent_are_not_ours(
    project: Project,
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    store: StateStore,
) -> None:
    @dg.asset
    def plain() -> None:
        raise RuntimeError("boom")

    watching = DataOpsAgent({**HERE, "assets": ["raw_orders"]}).own_location(project.root)
    customer = Customer(instance, definitions_of(boom, assets=[plain]))
    daemon = Daemon(instance, watching)
    daemon.tick()
    customer.run("plain")
    customer.run("fct_orders")
    customer.run("raw_orders", tags={"dagster_agent/kind": "checks"})
    assert daemon.tick() == []
    assert daemon.skipped == "0 runs ended, nothing to do."
    assert store.incidents() == []


def test_an_attached_agent_leaves_runs_of_other_locations_alone(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    customer = Customer(instance, definitions_of(boom))
    daemon = Daemon(instance, DataOpsAgent(HERE).attach(definitions_of(boom)))
    daemon.tick()
    customer.run("fct_orders")
    assert daemon.tick() == []


def test_the_translator_decides_about_the_keys(project: Project) -> None:
    class Prefixed(DagsterDbtTranslator):
        def get_asset_key(self, dbt_resource_props: Any) -> dg.AssetKey:
            return super().get_asset_key(dbt_resource_props).with_prefix("lake")

    agent = DataOpsAgent().own_location(project.dbt, translator=Prefixed(), select="fct_orders+")
    assert {name.partition(":")[0] for name in checks_of(agent)} == {"lake/fct_orders"}


def test_a_manifest_of_its_own_may_be_named(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "manifest.json"
    project.dbt.manifest_path.rename(elsewhere)
    agent = DataOpsAgent({"project_dir": project.root}).own_location(manifest=elsewhere)
    assert "fct_orders:agent_anomaly" in checks_of(agent)


@pytest.mark.parametrize(
    ("settings", "call", "message", "hint"),
    [
        ({}, {}, "needs to know the dbt project", "project="),
        ({"project_dir": "nowhere"}, {}, "no dbt project in 'nowhere'", "dbt_project.yml"),
        ({}, {"manifest": "no.json"}, "no dbt manifest at 'no.json'", "dbt parse"),
    ],
)
def test_what_it_cannot_find_is_named(
    settings: dict[str, Any], call: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        DataOpsAgent(settings).own_location(**call)
    assert hint in raised.value.hint


def test_a_selection_without_assets_is_refused(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"no dbt asset for select 'tag:nothing'"):
        DataOpsAgent().own_location(project.dbt, select="tag:nothing")


def test_what_is_placed_elsewhere_is_not_attached(definitions_of: DefinitionsOf) -> None:
    with pytest.raises(ConfigError, match="'placement' is 'own_location'") as raised:
        DataOpsAgent({"placement": "own_location"}).attach(definitions_of(build_everything))
    assert "own_location(project)" in raised.value.hint


def test_only_known_placements_are_allowed() -> None:
    with pytest.raises(ConfigError, match=r"'placement' is 'beside'.*'embedded' or 'own_location'"):
        DataOpsAgent({"placement": "beside"})
