"""What finished runs show to be wrong: real dbt where dbt's own words matter."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from dagster_agent.definitions import discover, feed
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import Cursor, FinishedRun
from dagster_agent.definitions.metadata import check_result
from dagster_agent.definitions.symptoms import check_symptoms, symptoms_of_run
from dagster_agent.model import Detection, DetectionStatus, Severity, Symptom, SymptomKind
from dagster_agent.settings import Settings

from .conftest import MOMENT, Project, Run, build_everything, real_dbt

DefinitionsOf = Callable[..., dg.Definitions]
Look = Callable[..., list[Symptom]]


def blueprint_of(defs: dg.Definitions, **settings: Any) -> Blueprint:
    return Blueprint.of(discover(defs), Settings.parse(settings))


@pytest.fixture
def look(instance: dg.DagsterInstance, run: Run) -> Look:
    """Run a job of the location and tell what its end shows."""

    def after(
        defs: dg.Definitions, *, settings: dict[str, Any] | None = None, **how: Any
    ) -> list[Symptom]:
        cursor = Cursor.now(instance)
        run(defs, **how)
        (finished,) = feed.read(instance, cursor, location=None)
        return symptoms_of_run(finished, blueprint_of(defs, **(settings or {})), instance)

    return after


@real_dbt
def test_a_dbt_test_that_warns_in_a_good_run_is_a_symptom(
    definitions_of: DefinitionsOf, look: Look
) -> None:
    (seen,) = look(definitions_of())
    assert seen.kind is SymptomKind.DBT_TEST_FAILED
    assert seen.asset == "model.jaffle.fct_orders"
    assert seen.check == "accepted_values_fct_orders_name__ada"
    assert seen.severity is Severity.WARN
    assert seen.headline == (
        "dbt test accepted_values_fct_orders_name__ada fails on fct_orders: 1 rows"
    )
    assert seen.metrics["dagster_dbt/failed_row_count"] == 1.0


@real_dbt
def test_a_run_that_fails_because_of_a_dbt_test_is_told_once_as_the_test(
    project: Project, definitions_of: DefinitionsOf, look: Look
) -> None:
    project.write("seeds/raw_orders.csv", "id,customer_id,amount\n1,1,10\n1,2,20\n")
    (seen,) = look(definitions_of())
    assert seen.kind is SymptomKind.DBT_TEST_FAILED
    assert seen.asset == "model.jaffle.stg_orders"
    assert seen.check == "unique_stg_orders_order_id"
    assert seen.severity is Severity.ERROR
    assert seen.run_id is not None


@real_dbt
def test_a_model_that_does_not_build_is_told_with_its_asset_and_dbts_own_words(
    project: Project, definitions_of: DefinitionsOf, look: Look
) -> None:
    project.sql("drop table events")
    warned, failed = look(definitions_of())
    assert warned.kind is SymptomKind.DBT_TEST_FAILED
    assert failed.kind is SymptomKind.RUN_FAILED
    assert failed.asset == "model.jaffle.stg_events"
    assert failed.headline == "stg_events could not be built"
    assert "Table with name events does not exist" in failed.detail
    assert "Done. PASS=" in failed.detail
    assert "\x1b" not in failed.detail


def test_a_step_that_breaks_otherwise_is_told_with_its_error(
    definitions_of: DefinitionsOf, look: Look
) -> None:
    @dg.op
    def load() -> None:
        raise ValueError("the file is empty; password=hunter2secret")

    @dg.job
    def ingest() -> None:
        load()

    (seen,) = look(definitions_of(build_everything, jobs=[ingest]), job="ingest")
    assert seen.kind is SymptomKind.RUN_FAILED
    assert seen.asset is None
    assert seen.headline.startswith("step load of ingest failed: ValueError: the file is empty")
    assert "hunter2secret" not in seen.headline + seen.detail


def test_a_run_that_fails_outside_of_its_steps_is_told_too(
    definitions_of: DefinitionsOf, look: Look
) -> None:
    @dg.resource
    def broken(_: dg.InitResourceContext) -> None:
        raise RuntimeError("no such host")

    @dg.op(required_resource_keys={"lake"})
    def load() -> None: ...

    @dg.job(resource_defs={"lake": broken})
    def ingest() -> None:
        load()

    (seen,) = look(definitions_of(build_everything, jobs=[ingest]), job="ingest")
    assert "no such host" in seen.detail
    assert "failed" in seen.headline


def test_a_run_that_dagster_retries_shows_nothing_yet(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    def broken(context: dg.AssetExecutionContext) -> Iterator[Any]:
        raise RuntimeError("timeout")
        yield

    defs = definitions_of(broken)
    cursor = Cursor.now(instance)
    run(defs, tags={"dagster/will_retry": "true"})
    run(defs)
    first, second = feed.read(instance, cursor, location=None)
    assert symptoms_of_run(first, blueprint_of(defs), instance) == []
    assert len(symptoms_of_run(second, blueprint_of(defs), instance)) == 1


def test_what_the_settings_leave_out_is_no_symptom(
    definitions_of: DefinitionsOf, look: Look
) -> None:
    def broken(context: dg.AssetExecutionContext) -> Iterator[Any]:
        raise RuntimeError("boom")
        yield

    only = {"assets": ["raw_orders"]}
    assert look(definitions_of(broken), assets=["fct_orders"], settings=only) == []
    assert len(look(definitions_of(broken), assets=["raw_orders"], settings=only)) == 1


def test_checks_of_the_customers_own_are_symptoms_with_their_numbers(
    definitions_of: DefinitionsOf, look: Look
) -> None:
    @dg.asset_check(asset="fct_orders")
    def not_empty() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="0 rows",
            metadata={"rows": 0, "share": 0.5, "text": "x"},
        )

    @dg.asset_check(asset="shop_window")
    def pretty() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    defs = definitions_of(
        build_everything, asset_checks=[not_empty, pretty], assets=[dg.AssetSpec("shop_window")]
    )
    seen = sorted(
        look(defs, checks=[k for c in (not_empty, pretty) for k in c.check_keys]), key=str
    )
    told = {symptom.check: symptom for symptom in seen}
    assert told["not_empty"].kind is SymptomKind.CHECK_FAILED
    assert told["not_empty"].asset == "model.jaffle.fct_orders"
    assert told["not_empty"].headline == "0 rows"
    assert told["not_empty"].metrics == {"rows": 0.0, "share": 0.5}
    assert told["not_empty"].severity is Severity.WARN
    assert told["pretty"].asset is None
    assert told["pretty"].headline == "check pretty fails on shop_window"


def test_of_our_own_results_only_fresh_failures_are_symptoms(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    states: dict[str, dict[str, Any]] = {
        "agent_reconciliation": {"dagster_agent/status": "failed"},
        "agent_anomaly": {"dagster_agent/status": "could-not-run"},
        "agent_schema_drift": {
            "dagster_agent/status": "failed",
            "dagster_agent/repeated": dg.MetadataValue.bool(True),
        },
        "agent_open_findings": {"dagster_agent/status": "open"},
    }
    states["agent_reconciliation"]["dagster_agent/detector"] = "reconciliation/row-count"
    states["agent_reconciliation"]["dagster_agent/pair"] = "ledger"

    @dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset="fct_orders") for name in states])
    def ours() -> Iterator[dg.AssetCheckResult]:
        for name, metadata in states.items():
            yield dg.AssetCheckResult(
                asset_key="fct_orders", check_name=name, passed=False, metadata=metadata
            )

    defs = definitions_of(build_everything, asset_checks=[ours])
    cursor = Cursor.now(instance)
    run(defs, checks=list(ours.check_keys))
    (finished,) = feed.read(instance, cursor, location=None)
    blueprint = blueprint_of(defs)
    for told in (
        symptoms_of_run(finished, blueprint, instance),
        check_symptoms(finished, blueprint, instance),
    ):
        assert [(s.check, s.pair) for s in told] == [("reconciliation/row-count", "ledger")]


def test_every_pair_that_is_red_is_handed_over_and_no_other(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    def told(method: str, pair: str, severity: Severity, status: str = "failed") -> Detection:
        return Detection(
            detector=f"reconciliation/{method}",
            asset="model.jaffle.fct_orders",
            status=DetectionStatus(status),
            headline=f"{method} of {pair or 'nobody'}",
            observed_at=MOMENT,
            severity=severity,
            pair=pair,
        )

    found = [
        told("row-count", "", Severity.INFO, "passed"),
        told("row-count", "ledger", Severity.WARN),
        told("key-difference", "ledger", Severity.ERROR),
        told("row-count", "bank", Severity.WARN),
        told("row-count", "till", Severity.INFO, "could-not-run"),
        told("key-difference", "shop", Severity.ERROR),
    ]

    @dg.asset_check(asset="fct_orders", name="agent_reconciliation")
    def ours() -> dg.AssetCheckResult:
        key = dg.AssetCheckKey(dg.AssetKey("fct_orders"), "agent_reconciliation")
        return check_result(found, key=key)

    defs = definitions_of(build_everything, asset_checks=[ours])
    cursor = Cursor.now(instance)
    run(defs, checks=list(ours.check_keys))
    (finished,) = feed.read(instance, cursor, location=None)
    seen = check_symptoms(finished, blueprint_of(defs), instance)
    assert [(s.check, s.pair, s.severity) for s in seen] == [
        ("reconciliation/key-difference", "ledger", Severity.ERROR),
        ("reconciliation/row-count", "bank", Severity.WARN),
        ("reconciliation/key-difference", "shop", Severity.ERROR),
    ]
    assert seen[1].headline == "row-count of bank"


def test_a_broken_step_of_ours_is_no_trouble_of_theirs(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    @dg.multi_asset_check(
        name="agent_checks_0", specs=[dg.AssetCheckSpec("agent_anomaly", asset="fct_orders")]
    )
    def ours() -> Iterator[dg.AssetCheckResult]:
        raise RuntimeError("a bug of ours")
        yield

    defs = definitions_of(build_everything, asset_checks=[ours])
    cursor = Cursor.now(instance)
    run(defs, checks=list(ours.check_keys))
    finished: list[FinishedRun] = list(feed.read(instance, cursor, location=None))
    assert finished[0].failed
    assert symptoms_of_run(finished[0], blueprint_of(defs), instance) == []
