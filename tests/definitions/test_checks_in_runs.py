"""When checks measure, when they repeat, and that they never break or beautify a run."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.loader import LoadingContextForTest

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent
from dagster_agent.ports import StateStore

from .conftest import Project, Run, a_finding, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
FCT = dg.AssetKey("fct_orders")
ENGINES = ["agent_anomaly", "agent_quality", "agent_reconciliation", "agent_schema_drift"]


@pytest.fixture
def defs(definitions_of: DefinitionsOf) -> dg.Definitions:
    return DataOpsAgent().attach(definitions_of(build_everything))


def results(instance: dg.DagsterInstance, run_id: str) -> dict[str, dg.AssetCheckEvaluation]:
    found = event_log.evaluations(instance, run_id)
    return {e.check_name: e for e in found if e.asset_key == FCT}


def status_in_the_ui(instance: dg.DagsterInstance, check: str) -> str:
    key = dg.AssetCheckKey(FCT, check)
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    return asyncio.run(record.resolve_status(LoadingContextForTest(instance))).value


def text(evaluation: dg.AssetCheckEvaluation, key: str) -> object:
    return evaluation.metadata[key].value


def test_inside_a_customers_run_nothing_costly_runs_and_nothing_is_green_or_red(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()
    done = run(defs, assets=["fct_orders"])
    assert done.success
    assert list(results(instance, done.run_id)) == ["agent_open_findings"]
    assert [status_in_the_ui(instance, name) for name in ENGINES] == ["SKIPPED"] * 4
    assert status_in_the_ui(instance, "agent_open_findings") == "SUCCEEDED"


def test_quality_is_judged_last_because_it_reads_what_the_others_found(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()
    checks = [dg.AssetCheckKey(FCT, name) for name in ENGINES]
    measured = results(instance, run(defs, job="agent_checks", checks=checks).run_id)
    assert list(measured) == [
        *("agent_reconciliation", "agent_schema_drift", "agent_anomaly", "agent_quality")
    ]


def test_what_was_measured_is_repeated_with_its_time_inside_the_customers_next_run(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()
    checks = [dg.AssetCheckKey(FCT, name) for name in ENGINES]
    measured = results(instance, run(defs, job="agent_checks", checks=checks).run_id)
    assert sorted(measured) == ENGINES
    assert {text(e, "dagster_agent/status") for e in measured.values()} <= {"passed", "untrained"}
    assert all("dagster_agent/repeated" not in e.metadata for e in measured.values())
    assert measured["agent_anomaly"].metadata["row_count"] == dg.MetadataValue.int(3)

    project.sql("drop table fct_orders")
    repeated = results(instance, run(defs, assets=["fct_orders"]).run_id)
    for name in ENGINES:
        assert repeated[name].passed == measured[name].passed
        assert text(repeated[name], "dagster_agent/repeated") is True
        assert (repeated[name].description or "").startswith(measured[name].description or "?")
        assert " (as of 20" in (repeated[name].description or "")


def test_executed_by_hand_a_check_measures_and_shows_trouble(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()
    drift = [dg.AssetCheckKey(FCT, "agent_schema_drift")]
    assert results(instance, run(defs, checks=drift).run_id)["agent_schema_drift"].passed
    project.sql("alter table fct_orders drop column amount")
    after = results(instance, run(defs, checks=drift).run_id)["agent_schema_drift"]
    assert not after.passed
    assert text(after, "dagster_agent/status") == "failed"
    assert "amount" in (after.description or "")
    assert "agent_accept_schema" in str(text(after, "accept"))


def test_a_check_that_cannot_run_says_so_and_is_never_green(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    (project.root / "jaffle.duckdb").unlink()
    checks = [dg.AssetCheckKey(FCT, "agent_anomaly")]
    done = run(defs, job="agent_checks", checks=checks)
    assert done.success
    (seen,) = results(instance, done.run_id).values()
    assert not seen.passed
    assert seen.severity is dg.AssetCheckSeverity.WARN
    assert (seen.description or "").startswith("Could not run: ")
    assert text(seen, "dagster_agent/status") == "could-not-run"


def test_a_state_that_cannot_be_opened_does_not_fail_the_customers_run(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "not_a_folder"
    in_the_way.write_text("x")
    settings = {"state": {"directory": in_the_way}}
    defs = DataOpsAgent(settings).attach(definitions_of(build_everything))
    done = run(defs, assets=["fct_orders"])
    assert done.success
    seen = results(instance, done.run_id)
    assert sorted(seen) == sorted([*ENGINES, "agent_open_findings"])
    for evaluation in seen.values():
        assert not evaluation.passed
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert (evaluation.description or "").startswith("Could not run: ")


def test_a_broken_profile_does_not_fail_the_customers_run(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.write("profiles.yml", "jaffle: [")
    done = run(defs, assets=["fct_orders"])
    assert done.success
    assert not any(e.passed for e in results(instance, done.run_id).values())


def test_an_open_finding_is_shown_until_it_is_closed(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, store: StateStore
) -> None:
    store.save_finding(a_finding())
    shown = results(instance, run(defs, assets=["fct_orders"]).run_id)["agent_open_findings"]
    assert not shown.passed
    assert shown.severity is dg.AssetCheckSeverity.ERROR
    assert shown.description == "F-3abd25: fct_orders lost 15 % of its rows"
    assert "an inner join drops rows" in str(text(shown, "finding"))
    assert "launch the job `agent_decide` with `finding_id: F-3abd25`" in str(text(shown, "decide"))


def test_after_a_failed_run_what_was_built_is_measured_and_the_rest_repeats(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()

    def half(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key=dg.AssetKey("stg_orders"))
        raise RuntimeError("boom")

    defs = DataOpsAgent().attach(definitions_of(half))
    keys = [
        dg.AssetCheckKey(dg.AssetKey(name), "agent_anomaly")
        for name in ("stg_orders", "fct_orders")
    ]
    run(defs, job="agent_checks", checks=keys)
    broken = run(defs, assets=["stg_orders", "fct_orders"])
    assert status_in_the_ui(instance, "agent_anomaly") == "EXECUTION_FAILED"
    tags = {"dagster_agent/kind": "checks", "dagster_agent/checked_run": broken.run_id}
    settled = run(defs, job="agent_checks", checks=keys, tags=tags)
    assert status_in_the_ui(instance, "agent_anomaly") == "SUCCEEDED"
    repeated = {
        e.asset_key.to_user_string(): "dagster_agent/repeated" in e.metadata
        for e in event_log.evaluations(instance, settled.run_id)
    }
    assert repeated == {"stg_orders": False, "fct_orders": True}
