"""A dbt project on PostgreSQL: every engine judges, and what cannot be tried says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_agent.model import DetectionStatus, Verdict
from dagster_agent.response import InvestigationRequest, Workspace, detect, investigate, take_in
from dagster_agent.response.detection import engines_of
from dagster_agent.response.intake import symptoms_of
from dagster_agent.settings import Settings
from dagster_agent.testing.recording_narrator import RecordingNarrator
from tests import warm_dbt
from tests.postgres_server import Postgres

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
FCT = "model.ledgered.fct_orders"
SOURCE = "source.ledgered.raw.orders"
FILES = {
    "dbt_project.yml": "name: ledgered\nprofile: ledgered\n"
    "models: {ledgered: {+materialized: table}}\n",
    "models/sources.yml": """sources:
  - name: raw
    schema: raw
    tables:
      - name: orders
        loaded_at_field: loaded_at
        freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 1, period: day}}
""",
    "models/stg_orders.sql": "select id as order_id, amount, country, loaded_at"
    " from {{ source('raw', 'orders') }}\n",
    "models/fct_orders.sql": "select * from {{ ref('stg_orders') }}\n",
    "models/schema.yml": """models:
  - name: fct_orders
    config:
      meta:
        dagster_agent:
          reconcile:
            - name: ledger
              with: {duckdb: ledger.duckdb, table: charges}
              key: {order_id: charge}
              measures: {amount: {theirs: minor / 100.0, unit: EUR, absolute: 0.001}}
          invariants: [amount is never null]
    columns:
      - name: order_id
        data_tests: [unique, not_null]
""",
}


@pytest.fixture(scope="module")
def project(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ledgered")
    database = postgres_server.create("ledgered")
    for statement in (
        "create schema raw",
        "create table raw.orders as select i as id, (i % 90)::numeric(12, 2) as amount,"
        " 'DE' as country, timestamptz '2026-11-21 05:00+00' as loaded_at"
        " from generate_series(1, 500) i",
    ):
        postgres_server.sql(statement, database)
    target = {"target": "dev", "outputs": {"dev": postgres_server.target(database)}}
    for name, text in {**FILES, "profiles.yml": yaml.safe_dump({"ledgered": target})}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    with duckdb.connect(str(root / "ledger.duckdb")) as ledger:
        ledger.execute(
            "create table charges as select i as charge, (i % 90) * 100 as minor"
            " from range(1, 501) t(i)"
        )
    warm_dbt.run(root, "build")
    return root


@pytest.fixture
def workspace(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    # the compiled manifest is kept there: compiled once for all tests
    state = project / ".state"
    with Workspace.open(Settings(project_dir=project), state_directory=state) as opened:
        yield opened


def test_every_engine_judges(workspace: Workspace) -> None:
    found = {
        (uid, engine): detect(workspace, uid, engine, now=NOW)
        for uid in (FCT, SOURCE)
        for engine in engines_of(workspace, uid)
    }
    silent = {
        d.headline
        for each in found.values()
        for d in each
        if d.status in (DetectionStatus.COULD_NOT_RUN, DetectionStatus.FAILED)
    }
    assert silent == set()
    assert {engine for _, engine in found} == {
        "reconciliation",
        "schema-drift",
        "anomaly",
        "freshness",
        "quality",
    }
    ledger = [d for d in found[FCT, "reconciliation"] if "ledger" in d.headline]
    assert any(d.detector == "reconciliation/key-difference" for d in ledger)


def test_a_difference_is_found_across_the_stores(
    workspace: Workspace, postgres_server: Postgres
) -> None:
    postgres_server.sql("delete from fct_orders where order_id in (7, 8)", "ledgered")
    found = detect(workspace, FCT, "reconciliation", now=NOW)
    failed = next(
        d
        for d in found
        if d.detector == "reconciliation/key-difference" and d.status is DetectionStatus.FAILED
    )
    assert failed.metrics["keys_missing.ledger"] == 2
    assert "EUR 15" in failed.headline
    (incident, *_) = take_in(workspace, symptoms_of(found), orchestrator=None, now=NOW)
    finding = investigate(
        workspace,
        InvestigationRequest(incident_id=incident.id),
        investigation_id="i-1",
        narrator=RecordingNarrator(),
        now=NOW,
        act_on_it=False,
    )
    assert finding.report.verdict is not Verdict.CAUSE_FOUND
    assert finding.report.confidence < 0.8
