"""One asset's broken `meta: dagster_agent:` takes away its own checks, and nobody else's."""

import json
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest
import yaml

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent

from .conftest import FILES, Project, Run, build_everything
from .test_sensor import Daemon

DefinitionsOf = Callable[..., dg.Definitions]
ENGINES = ["agent_anomaly", "agent_schema_drift"]
BROKEN = "meta: {dagster_agent: {anomaly: {threshold: high}}}"


def _break(project: Project, kind: str, uid: str) -> None:
    """In the manifest that the location is loaded from."""
    path = project.root / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    node = manifest[kind][uid]
    node["meta"] = node["config"]["meta"] = yaml.safe_load(BROKEN)["meta"]
    path.write_text(json.dumps(manifest))


@pytest.fixture
def broken(project: Project) -> Project:
    """`stg_orders`, which `fct_orders` is built from, has a setting that is wrong."""
    yml = FILES["models/schema.yml"].replace(
        "  - name: stg_orders\n", f"  - name: stg_orders\n    config: {{{BROKEN}}}\n"
    )
    project.write("models/schema.yml", yml)
    _break(project, "nodes", "model.jaffle.stg_orders")
    project.build_tables()
    return project


@pytest.mark.usefixtures("broken")
def test_the_location_loads_and_only_its_checks_could_not_run(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    defs = DataOpsAgent().attach(definitions_of(build_everything))
    wanted = [
        dg.AssetCheckKey(dg.AssetKey(asset), check)
        for asset in ("stg_orders", "fct_orders")
        for check in ENGINES
    ]
    done = run(defs, job="agent_checks", checks=wanted)
    assert done.success
    told: dict[tuple[str, str], Any] = {
        (each.asset_key.to_user_string(), each.check_name): each
        for each in event_log.evaluations(instance, done.run_id)
    }
    for check in ENGINES:
        mine, other = told["stg_orders", check], told["fct_orders", check]
        assert not mine.passed
        assert mine.metadata["dagster_agent/status"].value == "could-not-run"
        assert "meta.dagster_agent.anomaly of stg_orders: setting 'threshold'" in mine.description
        assert "is 'high'" in mine.description
        step = mine.metadata["next_step"].value
        assert step == "mend it in the yml beside models/stg_orders.sql"
        assert other.metadata["dagster_agent/status"].value == "untrained", other.description


def test_the_drift_sensor_still_sees_the_others(
    project: Project, definitions_of: DefinitionsOf, instance: dg.DagsterInstance
) -> None:
    _break(project, "sources", "source.jaffle.shop.events")
    agent = DataOpsAgent({"schema_drift": {"cancel_queued": True}})
    defs = agent.attach(definitions_of(build_everything))
    daemon = Daemon(instance, defs, sensor="agent_drift")
    (request,) = daemon.tick()
    assert request.job_name == "agent_checks"
