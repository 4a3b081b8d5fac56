"""What an investigation reads of Dagster runs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import DagsterOrchestrator
from dagster_agent.ports import Orchestrator

from .conftest import Run, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
FCT = "model.jaffle.fct_orders"
KEYS = {FCT: dg.AssetKey("fct_orders")}


def orchestrator_of(instance: dg.DagsterInstance) -> Orchestrator:
    return DagsterOrchestrator(instance, KEYS)


def test_a_good_run_and_one_that_is_gone(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    done = run(definitions_of(build_everything))
    facts = orchestrator_of(instance).run(done.run_id)
    assert facts is not None
    assert facts.succeeded
    assert facts.job == "__ASSET_JOB"
    assert facts.log_tail == ""
    assert facts.started_at is not None
    assert facts.ended_at is not None
    assert facts.started_at <= facts.ended_at <= datetime.now(UTC)
    assert orchestrator_of(instance).run("gone") is None


def test_a_failed_run_tells_its_error_and_what_the_step_printed(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    def broken(context: dg.AssetExecutionContext) -> Iterator[Any]:
        print("x" * 50_000)  # noqa: T201
        print("the last line before; token=ghp_0123456789abcdefghij0123456789abcdef")  # noqa: T201
        raise ValueError("boom")
        yield

    done = run(definitions_of(broken))
    facts = orchestrator_of(instance).run(done.run_id)
    assert facts is not None
    assert not facts.succeeded
    assert "ValueError: boom" in facts.log_tail
    assert "the last line before" in facts.log_tail
    assert "ghp_0123456789" not in facts.log_tail
    assert len(facts.log_tail) < 10_000


def test_logs_that_cannot_be_read_say_so_instead_of_hiding_the_failure(
    definitions_of: DefinitionsOf, run: Run, instance: dg.DagsterInstance
) -> None:
    def broken(context: dg.AssetExecutionContext) -> Iterator[Any]:
        raise ValueError("boom")
        yield

    done = run(definitions_of(broken))
    with dg.DagsterInstance.ephemeral() as without_logs:
        assert event_log.output_tail(without_logs, done.run_id, "jaffle_build") == ""
    (step,) = event_log.failed_steps(instance, done.run_id)
    assert step.step_key == "jaffle_build"
    assert step.error.endswith("ValueError: boom")


def test_the_last_good_build_is_the_newest_that_no_check_found_wrong(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    outcome = {"passed": True}

    @dg.asset_check(asset="fct_orders")
    def theirs() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=outcome["passed"])

    @dg.asset_check(asset="fct_orders", name="agent_anomaly")
    def ours() -> dg.AssetCheckResult:
        metadata = {"dagster_agent/status": "failed"}
        return dg.AssetCheckResult(passed=False, metadata=metadata)

    defs = definitions_of(build_everything, asset_checks=[theirs])
    asked = orchestrator_of(instance)
    assert asked.last_good_materialization(FCT, before=datetime.now(UTC)) is None
    good = run(defs)
    measured_bad = run(defs)
    tags = {"dagster_agent/kind": "checks", "dagster_agent/checked_run": measured_bad.run_id}
    run(
        definitions_of(build_everything, asset_checks=[ours]),
        checks=list(ours.check_keys),
        tags=tags,
    )
    outcome["passed"] = False
    run(defs)
    last_good = asked.last_good_materialization(FCT, before=datetime.now(UTC))
    ended = instance.get_run_record_by_id(good.run_id)
    assert last_good is not None
    assert ended is not None
    assert ended.start_time is not None
    assert ended.end_time is not None
    assert ended.start_time <= last_good.timestamp() <= ended.end_time
    assert asked.last_good_materialization("model.jaffle.other", before=last_good) is None


def test_long_runs_are_read_page_by_page(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run, monkeypatch: Any
) -> None:
    monkeypatch.setattr(event_log, "_PAGE", 2)
    done = run(definitions_of(build_everything))
    assert {k.to_user_string() for k in event_log.materialised_assets(instance, done.run_id)} == {
        "fct_orders",
        "raw_customers",
        "raw_orders",
        "stg_events",
        "stg_orders",
    }
    assert event_log.materialises_anything(instance, done.run_id)
    assert len(event_log.planned_checks(instance, done.run_id)) == 3
