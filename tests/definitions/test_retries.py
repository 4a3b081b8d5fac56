"""PD1: a run that fails for a reason that passes by itself is made again, and recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import dbt_assets

from dagster_agent.definitions import DataOpsAgent
from dagster_agent.model import FindingStatus, IncidentStatus
from dagster_agent.ports import StateStore

from .conftest import Project, Run, build_everything
from .test_sensor import Daemon, DefinitionsOf, named

TIMEOUT = "could not connect to server: Connection timed out"


@pytest.fixture
def start(instance: dg.DagsterInstance) -> Callable[..., Daemon]:
    def watching(defs: dg.Definitions) -> Daemon:
        settings = {"incidents": {"retry_backoff_seconds": 0}}
        return Daemon(instance, DataOpsAgent(settings).attach(defs))

    return watching


def failing(times: int) -> Callable[[dg.AssetExecutionContext], Iterator[Any]]:
    left = [times]

    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if left[0]:
            left[0] -= 1
            raise ConnectionError(TIMEOUT)
        yield from build_everything(context)

    return body


def retry(daemon: Daemon, run: Run) -> dg.ExecuteInProcessResult:
    """One tick, and the retry that it asks for."""
    (request,) = named(daemon.tick(), "agent_retry")
    keys = [key.to_user_string() for key in request.asset_selection or ()]
    return run(daemon.defs, job="agent_retry", assets=keys, tags=request.tags)


def test_a_timeout_is_retried_and_resolved(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    daemon = start(definitions_of(failing(1)))
    daemon.tick()
    broken = run(daemon.defs, assets=["stg_orders", "fct_orders"])
    assert not broken.success

    again = retry(daemon, run)

    assert again.success
    assert {e.asset_key.to_user_string() for e in again.get_asset_materialization_events()} == {
        "stg_orders",
        "fct_orders",
    }
    (incident,) = store.incidents()
    assert incident.status is IncidentStatus.RETRYING
    assert named(daemon.tick(), "agent_investigate") == []
    (incident,) = store.incidents()
    assert incident.status is IncidentStatus.RESOLVED
    (finding,) = store.findings()
    assert finding.status is FindingStatus.RESOLVED
    assert "transient infra" in finding.report.headline
    assert finding.run_id == again.run_id


def test_after_three_retries_it_is_investigated(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon], store: StateStore
) -> None:
    daemon = start(definitions_of(failing(99)))
    daemon.tick()
    run(daemon.defs, assets=["fct_orders"])
    for _ in range(3):
        assert not retry(daemon, run).success
    assert len(named(daemon.tick(), "agent_investigate")) == 1
    (incident,) = store.incidents()
    assert [a.result.split(" ")[0] for a in incident.attempts] == ["failed"] * 3


def test_what_does_not_pass_by_itself_is_not_retried(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon]
) -> None:
    def typo(context: dg.AssetExecutionContext) -> Iterator[Any]:
        raise RuntimeError('Binder Error: Referenced column "amout" not found in FROM clause!')
        yield

    daemon = start(definitions_of(typo))
    daemon.tick()
    run(daemon.defs, assets=["fct_orders"])
    requests = daemon.tick()
    assert named(requests, "agent_retry") == []
    assert len(named(requests, "agent_investigate")) == 1


def test_a_retry_builds_the_partition_that_failed(
    project: Project, run: Run, start: Callable[..., Daemon]
) -> None:
    days = dg.StaticPartitionsDefinition(["2026-11-20", "2026-11-21"])
    fails = failing(1)

    @dbt_assets(manifest=project.dbt.manifest_path, project=project.dbt, partitions_def=days)
    def by_day(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from fails(context)

    daemon = start(dg.Definitions(assets=[by_day]))
    daemon.tick()
    tags = {"dagster/partition": "2026-11-20"}
    assert not run(daemon.defs, assets=["fct_orders"], tags=tags).success

    again = retry(daemon, run)

    assert again.success
    (built,) = again.get_asset_materialization_events()
    assert built.partition == "2026-11-20"


def test_the_retry_job_builds_nothing_by_itself(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon]
) -> None:
    daemon = start(definitions_of(build_everything))
    done = run(daemon.defs, job="agent_retry")
    assert done.success
    assert done.get_asset_materialization_events() == []


def test_a_retry_has_the_resources_of_the_location(
    definitions_of: DefinitionsOf, run: Run, start: Callable[..., Daemon]
) -> None:
    class Lake(dg.ConfigurableResource[Any]):
        root: str

    @dg.asset(key="fct_orders_copy", deps=["fct_orders"])
    def copied(lake: Lake) -> None:
        assert lake.root == "/x"

    daemon = start(
        definitions_of(build_everything, assets=[copied], resources={"lake": Lake(root="/x")})
    )
    again = run(daemon.defs, job="agent_retry", assets=["fct_orders_copy"])
    assert again.success
