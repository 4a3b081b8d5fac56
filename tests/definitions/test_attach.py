"""What the one line adds to a customer's location, and what it refuses."""

import warnings
from collections.abc import Callable

import dagster as dg
import pytest

from dagster_agent.definitions import (
    DataOpsAgent,
    agent_definitions,
    build_anomaly_checks,
    build_checks_job,
    build_failure_sensor,
    build_investigation_job,
    build_reconciliation_checks,
    build_schema_drift_checks,
    discover,
)
from dagster_agent.definitions.names import ENGINES
from dagster_agent.errors import ConfigError

from .conftest import Project, build_everything

DefinitionsOf = Callable[..., dg.Definitions]


def checks_on(defs: dg.Definitions, asset: str) -> list[str]:
    keys = defs.resolve_asset_graph().asset_check_keys
    return sorted(k.name for k in keys if k.asset_key.to_user_string() == asset)


def test_one_line_adds_checks_jobs_a_sensor_and_three_assets(definitions_of: DefinitionsOf) -> None:
    before = definitions_of(build_everything)
    defs = DataOpsAgent().attach(before)
    assert checks_on(defs, "fct_orders") == [
        "accepted_values_fct_orders_name__ada",
        "agent_anomaly",
        "agent_open_findings",
        "agent_quality",
        "agent_reconciliation",
        "agent_schema_drift",
    ]
    assert checks_on(defs, "raw_orders") == [
        "agent_anomaly",
        "agent_open_findings",
        "agent_reconciliation",
        "agent_schema_drift",
    ]
    assert checks_on(defs, "shop/events") == ["agent_open_findings", "agent_schema_drift"]
    repository = defs.get_repository_def()
    assert sorted(job.name for job in repository.get_all_jobs()) == [
        "__ASSET_JOB",
        "agent_accept_schema",
        "agent_checks",
        "agent_decide",
        "agent_expected",
        "agent_investigate",
        "agent_pause",
        "agent_retry",
        "agent_steer",
    ]
    assert sorted(each.name for each in repository.sensor_defs) == [
        "agent_drift",
        "agent_silence",
        "agent_watch",
    ]
    sensor = repository.get_sensor_def("agent_watch")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30
    graph = defs.resolve_asset_graph()
    ours = [k for k in graph.get_all_asset_keys() if k.path[0] == "agent"]
    assert sorted(k.to_user_string() for k in ours) == [
        "agent/decisions",
        "agent/findings",
        "agent/inbox",
    ]
    assert not any(graph.get(key).is_executable for key in ours)


def test_nothing_of_ours_blocks_and_no_executor_logger_or_resource_is_set(
    definitions_of: DefinitionsOf,
) -> None:
    added = agent_definitions(discover(definitions_of(build_everything)))
    assert added.executor is None
    assert not added.loggers
    assert not added.resources
    specs = [spec for checks in added.asset_checks or () for spec in checks.check_specs]
    assert specs
    assert not any(spec.blocking for spec in specs)


def test_the_investigation_is_a_graph_that_one_can_see(definitions_of: DefinitionsOf) -> None:
    defs = DataOpsAgent().attach(definitions_of(build_everything))
    job = defs.resolve_job_def("agent_investigate")
    assert [node.name for node in job.graph.nodes_in_topological_order] == [
        "collect",
        "diagnose",
        "prove",
        "report",
        "act",
    ]
    assert job.tags["dagster_agent/kind"] == "investigate"
    fields = job.graph.node_named("collect").definition.config_schema.config_type.fields
    assert set(fields) == {"asset", "run_id", "question", "incident_id", "hint"}
    assert all(field.description for field in fields.values())


def test_the_prefix_moves_every_name(definitions_of: DefinitionsOf) -> None:
    defs = DataOpsAgent({"prefix": "dataops"}).attach(definitions_of(build_everything))
    repository = defs.get_repository_def()
    names = [job.name for job in repository.get_all_jobs()]
    names += [sensor.name for sensor in repository.sensor_defs]
    assert all(name.startswith(("dataops_", "__ASSET_JOB")) for name in names)
    assert "dataops_anomaly" in checks_on(defs, "fct_orders")


def test_clashing_names_are_refused_with_the_way_out(definitions_of: DefinitionsOf) -> None:
    @dg.op
    def work() -> None: ...

    @dg.job(name="agent_investigate")
    def theirs() -> None:
        work()

    before = definitions_of(build_everything, jobs=[theirs])
    with pytest.raises(ConfigError, match=r"agent_investigate.*prefix"):
        DataOpsAgent().attach(before)
    defs = DataOpsAgent({"prefix": "dataops"}).attach(before)
    assert defs.resolve_job_def("agent_investigate").graph.node_dict.keys() == {"work"}

    taken = definitions_of(build_everything, assets=[dg.AssetSpec(["agent", "inbox"])])
    with pytest.raises(ConfigError, match="agent/inbox"):
        DataOpsAgent().attach(taken)


def test_a_location_full_of_names_like_ours_still_loads(definitions_of: DefinitionsOf) -> None:
    @dg.op
    def collect() -> None: ...

    @dg.op
    def report() -> None: ...

    @dg.job(resource_defs={"agent": dg.ResourceDefinition.hardcoded_resource(1)})
    def investigate() -> None:
        collect()
        report()

    @dg.asset_check(asset="fct_orders", name="anomaly")
    def theirs() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    before = definitions_of(
        build_everything,
        jobs=[investigate],
        asset_checks=[theirs],
        assets=[dg.AssetSpec(["agent", "salaries"])],
        resources={"agent": dg.ResourceDefinition.hardcoded_resource(2), "store": 3},
        executor=dg.multiprocess_executor,
        loggers={"console": dg.colored_console_logger},
    )
    defs = DataOpsAgent().attach(before)
    dg.Definitions.validate_loadable(defs)
    assert {"anomaly", "agent_anomaly"} <= set(checks_on(defs, "fct_orders"))


def test_unknown_keys_are_refused_with_near_matches(definitions_of: DefinitionsOf) -> None:
    before = definitions_of(build_everything)
    with pytest.raises(ConfigError, match=r"'fct_order' is not .* \(did you mean fct_orders"):
        DataOpsAgent({"assets": ["fct_order"]}).attach(before)
    with pytest.raises(ConfigError, match="'zzz' is not"):
        DataOpsAgent({"exclude": ["zzz"]}).attach(before)
    everything = [ref.key.to_user_string() for ref in discover(before)]
    with pytest.raises(ConfigError, match="leave no dbt asset to watch"):
        DataOpsAgent({"exclude": everything}).attach(before)
    with pytest.raises(ConfigError, match="unknown setting 'asets'"):
        DataOpsAgent({"asets": ["fct_orders"]})


def test_only_what_is_asked_for_is_watched(definitions_of: DefinitionsOf) -> None:
    before = definitions_of(build_everything)
    defs = DataOpsAgent({"assets": ["fct_orders", "shop/events"]}).attach(before)
    assert "agent_anomaly" in checks_on(defs, "fct_orders")
    assert checks_on(defs, "raw_orders") == []
    defs = DataOpsAgent({"exclude": ["fct_orders"]}).attach(before)
    assert "agent_anomaly" not in checks_on(defs, "fct_orders")
    assert "agent_anomaly" in checks_on(defs, "raw_orders")


def test_a_location_without_dbt_assets_is_warned_about_and_left_alone() -> None:
    @dg.asset
    def plain() -> None: ...

    before = dg.Definitions(assets=[plain])
    with pytest.warns(UserWarning, match="found no dbt assets"):
        after = DataOpsAgent().attach(before)
    assert after is before


def test_a_project_that_nothing_tells_is_an_error_with_the_next_step(project: Project) -> None:
    from dagster_dbt import dbt_assets

    @dbt_assets(manifest=project.dbt.manifest_path)
    def assets(context: dg.AssetExecutionContext):
        yield from build_everything(context)

    with pytest.raises(ConfigError, match="pass project= to @dbt_assets, or set project_dir"):
        DataOpsAgent().attach(dg.Definitions(assets=[assets]))
    DataOpsAgent({"project_dir": project.root}).attach(dg.Definitions(assets=[assets]))


def test_attaching_twice_adds_nothing_more(definitions_of: DefinitionsOf) -> None:
    once = DataOpsAgent().attach(definitions_of(build_everything))
    twice = DataOpsAgent().attach(once)
    dg.Definitions.validate_loadable(twice)
    assert checks_on(twice, "fct_orders") == checks_on(once, "fct_orders")


def test_single_pieces_and_the_whole_mix(definitions_of: DefinitionsOf) -> None:
    dbt = definitions_of(build_everything)
    jobs = [build_investigation_job(assets=dbt), build_checks_job(assets=dbt)]
    pieces = definitions_of(
        build_everything,
        asset_checks=[
            *build_reconciliation_checks(assets=dbt),
            *build_schema_drift_checks(assets=dbt.assets or ()),
        ],
        jobs=jobs,
        sensors=[build_failure_sensor(assets=dbt, jobs=jobs)],
    )
    assert checks_on(pieces, "raw_orders") == ["agent_reconciliation", "agent_schema_drift"]
    whole = DataOpsAgent().attach(pieces)
    dg.Definitions.validate_loadable(whole)
    assert checks_on(whole, "raw_orders") == [
        "agent_anomaly",
        "agent_open_findings",
        "agent_reconciliation",
        "agent_schema_drift",
    ]
    (checks,) = build_anomaly_checks(assets=dbt, name="nightly")
    assert checks.op.name == "agent_nightly_checks_0"
    with pytest.raises(ConfigError, match="no dbt asset among"):
        build_anomaly_checks(assets=[dg.AssetSpec("plain")])


def test_it_attaches_to_the_component_too(component_location: dg.Definitions) -> None:
    defs = DataOpsAgent().attach(component_location)
    dg.Definitions.validate_loadable(defs)
    assert "agent_reconciliation" in checks_on(defs, "fct_orders")


def test_attaching_is_silent(definitions_of: DefinitionsOf) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        DataOpsAgent().attach(definitions_of(build_everything)).get_repository_def()
    assert [str(warning.message) for warning in said] == []


def test_the_engines_are_those_of_the_flow() -> None:
    from dagster_agent import response

    assert response.ENGINES == ENGINES
