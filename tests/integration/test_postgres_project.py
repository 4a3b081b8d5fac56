"""A dbt project on PostgreSQL: every engine judges, and what cannot be tried says so."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml
from dagster_dbt import DbtProject, dbt_assets

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent
from dagster_agent.model import DetectionStatus, Verdict
from dagster_agent.response import InvestigationRequest, Workspace, detect, investigate, take_in
from dagster_agent.response.detection import engines_of
from dagster_agent.response.intake import symptoms_of
from dagster_agent.settings import Settings
from dagster_agent.testing.recording_narrator import RecordingNarrator
from tests import warm_dbt
from tests.integration.broken_shop import keep_compiled
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


CLOSED = ("fine", "no_table", "no_column", "no_schema", "no_source")
ENGINES = ("reconciliation", "schema_drift", "anomaly", "freshness", "quality")
PROMISES = {
    "reconcile": [{"name": "truth", "with": "truth.orders", "key": "id", "columns": ["amount"]}],
    "invariants": ["amount is never null"],
    "freshness": {"column": "loaded_at"},
}
GRANT_TABLE = "let the owner run: GRANT SELECT ON public.no_table TO clerk"
GRANT_COLUMN = "let the owner run: GRANT SELECT (amount) ON public.no_column TO clerk"
GRANT_SCHEMA = "let the owner run: GRANT USAGE ON SCHEMA dark TO clerk"
GRANT_SOURCE = "let the owner run: GRANT SELECT ON raw.secrets TO clerk"
REFUSED = {
    **{("no_table", engine): GRANT_TABLE for engine in ENGINES if engine != "schema_drift"},
    **{("no_column", engine): GRANT_COLUMN for engine in ("reconciliation", "anomaly", "quality")},
    **{("no_schema", engine): GRANT_SCHEMA for engine in ENGINES if engine != "schema_drift"},
    ("no_source", "reconciliation"): GRANT_SOURCE,
}
"""What cannot be judged, and the grant that is told. The catalogue shows every column to everybody,
so schemas can be judged all the same."""


@pytest.fixture(scope="module")
def refused(
    postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[tuple[str, str], dg.AssetCheckEvaluation]:
    """What each check says to a role that lacks grants, and may not make temporary tables."""
    root = tmp_path_factory.mktemp("refused")
    database = postgres_server.create("refused")
    rows = "select i as id, i * 0.25 as amount, now() as loaded_at from generate_series(1, 9) i"
    relations = {name: "public." + name for name in CLOSED} | {"no_schema": "dark.no_schema"}
    for statement in (
        "create role clerk login password 'hunter2-hidden'",
        "revoke create, temporary on database refused from public",
        *(f"create schema {name}" for name in ("raw", "truth", "dark")),
        *(
            f"create table {name} as {rows}"
            for name in ("raw.orders", "raw.secrets", "truth.orders", *relations.values())
        ),
        "grant usage on schema raw, truth to clerk",
        "grant select on raw.orders, truth.orders, fine, no_source, dark.no_schema to clerk",
        "grant select (id, loaded_at) on no_column to clerk",
    ):
        postgres_server.sql(statement, database)
    target = {**postgres_server.target(database), "user": "clerk"}
    models = [{"name": name, "config": {"meta": {"dagster_agent": PROMISES}}} for name in CLOSED]
    read = {name: "secrets" if name == "no_source" else "orders" for name in CLOSED}
    files = {
        "dbt_project.yml": "name: ledgered\nprofile: ledgered\n"
        "models: {ledgered: {+materialized: table}}\n",
        "profiles.yml": yaml.safe_dump({"ledgered": {"target": "dev", "outputs": {"dev": target}}}),
        "macros/names.sql": "{% macro generate_schema_name(custom, node) %}"
        "{{ custom or target.schema }}{% endmacro %}",
        "models/schema.yml": yaml.safe_dump(
            {
                "models": models,
                "sources": [{"name": "raw", "tables": [{"name": "orders"}, {"name": "secrets"}]}],
            }
        ),
        **{
            f"models/{name}.sql": ("{{ config(schema='dark') }}" if name == "no_schema" else "")
            + f"select * from {{{{ source('raw', '{table}') }}}}"
            for name, table in read.items()
        },
    }
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    keep_compiled(root)
    with dg.DagsterInstance.ephemeral() as instance:
        return _checked(root, instance)


def _checked(
    root: Path, instance: dg.DagsterInstance
) -> Mapping[tuple[str, str], dg.AssetCheckEvaluation]:
    project = DbtProject(project_dir=root, profiles_dir=root)

    @dbt_assets(manifest=project.manifest_path, project=project)
    def ledgered(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from ()

    job = (
        DataOpsAgent({"state": {"directory": str(root / "state")}})
        .attach(dg.Definitions(assets=[ledgered]))
        .resolve_job_def("agent_checks")
    )
    keys = {
        dg.AssetCheckKey(dg.AssetKey(path), f"agent_{engine}")
        for path in (["dark", name] if name == "no_schema" else [name] for name in CLOSED)
        for engine in ENGINES
    }
    done = job.get_subset(asset_check_selection=keys).execute_in_process(
        instance=instance, raise_on_error=False
    )
    assert done.success
    logged = [entry.user_message for entry in instance.all_logs(done.run_id)]
    assert not [text for text in logged if "Traceback" in text]
    return {
        (e.asset_key.path[-1], e.check_name.removeprefix("agent_")): e
        for e in event_log.evaluations(instance, done.run_id)
    }


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_refused_grant_is_named_and_nothing_else_suffers(
    refused: Mapping[tuple[str, str], dg.AssetCheckEvaluation], name: str, engine: str
) -> None:
    found = refused[name, engine]
    status, told = found.metadata["dagster_agent/status"].value, str(found)
    grant = REFUSED.get((name, engine))
    if grant is None:
        assert status in ("passed", "untrained"), told
        assert "permission denied" not in told
        return
    assert (status, found.passed) == ("could-not-run", False), told
    assert grant in told
    assert "permission denied for" in told
    assert "hunter2" not in told
