"""On PostgreSQL compiled SQL says the same, and Great Expectations evaluates in the server."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.errors import QueryRefused
from dagster_agent.model import DetectionStatus
from dagster_agent.quality.engine import plan_dimensions
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.engine import ExpectationRun, evaluate
from dagster_agent.quality.expectations.expectation import EvaluatedBy, Outcome
from dagster_agent.quality.expectations.gx_runner import evaluate_postgres, postgres_url
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.invariant_engine import plan_invariants
from dagster_agent.quality.measuring import ask_all
from dagster_agent.quality.table import Surroundings
from dagster_agent.testing.memory_warehouse import MemoryWarehouse
from tests.postgres_server import Postgres

from .conftest import NOW, Promises
from .test_expectation_conformance import CASES, TABLE

ON_POSTGRES = (
    TABLE.replace("i // 2", "i / 2")
    .replace("::double", "::double precision")
    .replace("interval (i) day", "make_interval(days => i)")
    .replace("range(12)", "generate_series(0, 11)")
)
PROMISED = {
    "quality": {
        "completeness": {"columns": ["text"]},
        "uniqueness": {"key": ["id", "three"]},
        "valid": {"text": "/^v[0-9]$/", "id": "id < 6"},
    },
    "freshness": {"column": "placed_at"},
    "invariants": [
        "placed_at is never in the future",
        "three is the same in awkward by id",
        "an awkward never has more awkward than awkward",
        "three + rest sums to three_again",
        "awkward never fall by more than 20 % day over day",
        "flag only with id > 3",
        "awkward keeps every row of awkward by id",
        {"never_more_than": {"of": "awkward", "than": "awkward", "per": "three", "sum": "id"}},
        {"unique_together": ["three", "rest"]},
        {"sql": "select * from {this} where id > 9"},
    ],
}


def _promises(promises: Promises, schema: str) -> Promises:
    promises.model("awkward", meta=PROMISED, relation_name=f'{schema}."awkward"')
    return promises


@pytest.fixture
def in_postgres(postgres: Postgres, tmp_path: Path) -> Promises:
    url = postgres.database(empty=True)
    database = url.partition("?")[0].rpartition("/")[2]
    postgres.sql(f"create table awkward as {ON_POSTGRES}", database)
    target = postgres.target(database)
    warehouse = open_warehouse(target, base_dir=tmp_path, snapshot_dir=tmp_path / "snapshots")
    made = Promises(warehouse)  # pyright: ignore[reportArgumentType] # read only, never written to
    made.target = target
    return _promises(made, f'"{database}"."public"')


@pytest.fixture
def in_duckdb() -> Promises:
    connection = duckdb.connect(":memory:")
    connection.execute(f"create table awkward as {TABLE}")
    return _promises(Promises(MemoryWarehouse(connection)), '"memory"."main"')


def _run(promises: Promises, url: str | None = None) -> ExpectationRun:
    around: Surroundings = promises.around()
    table = around.table(around.manifest.find("awkward"))
    return ExpectationRun(table=table, around=around, max_rows=100, url=url)


def test_both_warehouses_say_the_same(in_postgres: Promises, in_duckdb: Promises) -> None:
    declared = [DeclaredExpectation(type=type_, kwargs=kwargs) for type_, kwargs in CASES]
    ours = evaluate(declared, _run(in_duckdb))
    theirs = evaluate(declared, _run(in_postgres))
    differing = [
        (each.type, dict(each.kwargs), one, other)
        for each, one, other in zip(declared, ours, theirs, strict=True)
        if not isinstance(one, Outcome)
        or not isinstance(other, Outcome)
        or (one.success, one.examined, one.unexpected)
        != (other.success, other.examined, other.unexpected)
    ]
    assert not differing, "\n".join(map(str, differing))


def test_dimensions_and_invariants_say_the_same(in_postgres: Promises, in_duckdb: Promises) -> None:
    said: list[list[tuple[object, ...]]] = []
    for promises in (in_postgres, in_duckdb):
        results = promises.judge("model.test.awkward").values()
        judged = [(r.dimension, r.status, r.value) for r in results]
        found = promises.invariants("model.test.awkward")
        said.append([*judged, *((d.detector, d.status, dict(d.metrics)) for d in found)])
    assert said[0] == said[1]
    told = {str(name): status for name, status, _ in said[0]}
    unclear = [n for n, s in told.items() if s is DetectionStatus.COULD_NOT_RUN]
    assert unclear == ["quality/invariant/number-3"]  # `awkward` has no column awkward_id


def test_great_expectations_evaluates_in_the_server(in_postgres: Promises) -> None:
    declared = [
        DeclaredExpectation(
            type="expect_column_values_to_not_be_outliers", kwargs={"column": "id"}
        ),
        DeclaredExpectation(type="expect_column_values_to_be_increasing", kwargs={"column": "id"}),
        DeclaredExpectation(
            type="expect_column_values_to_not_be_outliers", kwargs={"column": "gone"}
        ),
    ]
    found = evaluate(declared, _run(in_postgres, postgres_url(in_postgres.target)))
    evaluated = [each.evaluated_by if isinstance(each, Outcome) else each for each in found]
    assert evaluated[:2] == [EvaluatedBy.GX_SQLALCHEMY, EvaluatedBy.GX_PANDAS], evaluated
    assert not isinstance(evaluated[2], EvaluatedBy)
    url = (postgres_url(in_postgres.target) or "").replace("+psycopg2", "")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("create table written (i int)")


@pytest.mark.parametrize(
    "harmful",
    [
        "insert into awkward (id) values (99) returning id",
        "commit; set default_transaction_read_only = off; begin; drop table awkward",
        "set transaction read write; delete from awkward",
        "with gone as (delete from awkward returning id) select id from gone",
        "select pg_terminate_backend(1)",
        "select pg_read_file('/etc/passwd')",
    ],
)
def test_a_suite_cannot_write_through_great_expectations(
    in_postgres: Promises, harmful: str
) -> None:
    good = "select id from awkward where id < 3 order by id"
    kwargs = {"base_query": good, "comparison_query": good, "comparison_data_source_name": "x"}
    declared = DeclaredExpectation(
        type="expect_query_results_to_match_comparison", kwargs={**kwargs, "base_query": harmful}
    )
    run = _run(in_postgres, postgres_url(in_postgres.target))
    assert run.url is not None
    before = in_postgres.warehouse.query("select count(*) as n from awkward", purpose="test")
    (found,) = evaluate_postgres([declared], run.table, run.url)
    assert isinstance(found, QueryRefused)
    after = in_postgres.warehouse.query("select count(*) as n from awkward", purpose="test")
    assert after == before


def test_freshness_knows_the_zone(in_postgres: Promises) -> None:
    subject = in_postgres.subject("model.test.awkward")
    assert subject.freshness == FreshnessConfig(column="placed_at")
    plans = plan_dimensions(subject)
    answers = ask_all(plans.asks, subject.table, in_postgres.warehouse, purpose="test")
    (fresh,) = [r for r in plans.results(answers) if r.dimension == "freshness"]
    assert fresh.value is not None
    assert fresh.value == pytest.approx((NOW.timestamp() - 1768176000) / 3600)
    assert plan_invariants(subject)
