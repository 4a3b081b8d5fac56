"""Each counted pattern on a real dbt project in a real sandbox: red before, green after.

This file is long because its tests share one warm sandbox and the project that it holds.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.project import DbtProject
from dagster_agent.git.repository import GitRepository
from dagster_agent.investigation.accounts.currencies import account_currencies
from dagster_agent.investigation.accounts.keys import account_keys
from dagster_agent.investigation.accounts.loads import account_loads
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import Hypothesis, Incident, Recheck, Symptom, SymptomKind
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.selection import selector
from dagster_agent.sql.row_accounting import account_rows
from tests import warm_dbt

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAYMENTS = "models/staging/stg_payments.sql"
ORDERS = "models/marts/fct_orders.sql"
REVENUE = "models/marts/revenue.sql"

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
models:
  shop:
    +materialized: table
    staging:
      +materialized: view
""",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "shop.duckdb", threads: 2}
""",
    "seeds/currencies.csv": "currency_code,units_per_eur\nEUR,1.0\nGBP,0.86\nCHF,0.95\n",
    "macros/in_eur.sql": """{% macro in_eur(amount, units_per_eur) -%}
cast({{ amount }} / {{ units_per_eur }} as decimal(18, 2))
{%- endmacro %}
""",
    "models/schema.yml": """
sources:
  - name: raw
    schema: raw
    config:
      loaded_at_field: synced_at
      freshness:
        error_after: {count: 72, period: hour}
    tables: [{name: payments}, {name: orders}, {name: clicks}]
models:
  - name: stg_payments
    columns:
      - name: payment_id
        data_tests: [unique, not_null]
  - name: fct_orders
    columns:
      - name: order_id
        data_tests: [unique]
""",
    PAYMENTS: """with source as (

    select * from {{ source('raw', 'payments') }}

)

select
    payment_id,
    order_id,
    method,
    synced_at
from source
""",
    "models/staging/stg_orders.sql": "select * from {{ source('raw', 'orders') }}\n",
    "models/staging/stg_clicks.sql": "select * from {{ source('raw', 'clicks') }}\n",
    ORDERS: """with orders as (

    select * from {{ ref('stg_orders') }}

),

currencies as (

    select * from {{ ref('currencies') }}

)

select
    orders.order_id,
    orders.currency,
    orders.total_amount,
    {{ in_eur('orders.total_amount', 'currencies.units_per_eur') }} as total_eur
from orders
inner join currencies on orders.currency = currencies.currency_code
""",
    REVENUE: """select
    currency in ('EUR', 'GBP') as known,
    sum(total_amount) as revenue_eur
from {{ ref('fct_orders') }}
group by 1
""",
    "models/marts/fct_clicks.sql": "select count(*) as clicks from {{ ref('stg_clicks') }}\n",
}
WITH_METHOD = (
    FILES[ORDERS]
    .replace(
        "\n\nselect\n",
        ",\n\npayments as (\n\n    select * from {{ ref('stg_attempts') }}\n\n)\n\nselect\n",
    )
    .replace("total_eur\nfrom orders\n", "total_eur,\n    payments.method\nfrom orders\n")
    + "left join payments on orders.order_id = payments.order_id\n"
)
FILES["models/staging/stg_attempts.sql"] = (
    "select order_id, method, synced_at from {{ source('raw', 'payments') }}\n"
)
TABLES = {
    "payments": """
        select i as payment_id, i as order_id, 'card' as method,
               timestamp '2026-11-01' + interval (i) hour as synced_at from range(1, 101) t(i)
        union all
        select i, i, 'card', timestamp '2026-11-21 04:00:00' from range(1, 101, 4) t(i)
    """,
    "orders": """
        select i as order_id,
               case when i % 10 = 0 then 'CHF' when i % 3 = 0 then 'GBP' else 'EUR' end as currency,
               (i * 1.5)::decimal(18, 2) as total_amount,
               timestamp '2026-11-01' + interval (i * 5) hour as synced_at from range(1, 97) t(i)
    """,
    "clicks": """
        select i as click, timestamp '2026-10-01' + interval (i) hour as synced_at
        from range(1, 1101) t(i)
    """,
}


def _git(root: Path, *args: str, day: int) -> None:
    when = f"2026-11-{day:02}T06:00:00+00:00"
    env = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *settings, *args], cwd=root, env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose last commit joined the attempts to pay; built as it is."""
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / ".gitignore").write_text("target\nlogs\n*.duckdb\n")
    _git(root, "init", "--quiet", "--initial-branch=main", day=1)
    _git(root, "add", "--all", day=1)
    _git(root, "commit", "--quiet", "--message", "Begin", day=1)
    (root / ORDERS).write_text(WITH_METHOD)
    _git(root, "commit", "--quiet", "--all", "--message", "Show how orders were paid", day=20)
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        connection.execute("create schema raw")
        for name, query in TABLES.items():
            connection.execute(f"create table raw.{name} as {query}")
    warm_dbt.run(root, "build", "--exclude-resource-type=test")
    return root


@pytest.fixture(scope="module")
def opened(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("agent")
    project = DbtProject.open(root)
    warehouse = open_warehouse(
        project.output, base_dir=project.root, snapshot_dir=folder / "snapshots"
    )
    with Sandbox(project=project, warehouse=warehouse, directory=folder / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    opened.revert()


@pytest.fixture(scope="module")
def found(opened: Sandbox, root: Path) -> dict[str, list[Hypothesis]]:
    """What all four patterns say of the project as it is."""
    manifest, warehouse = opened.manifest, opened.warehouse
    relations = {uid: a.relation for uid, a in manifest.assets.items() if a.relation}
    observed = warehouse.schemas(sorted(relations.values(), key=str))
    schemas = {uid: observed[relation] for uid, relation in relations.items()}
    models = [uid for uid in manifest.assets if uid.startswith("model.")]
    keys = (account_keys(uid, manifest, warehouse, schemas[uid]) for uid in manifest.assets)
    loads = (account_loads(uid, manifest, warehouse, schemas[uid], NOW) for uid in manifest.assets)
    mixed = (account_currencies(uid, manifest, warehouse, schemas) for uid in models)
    dossier = Dossier(
        incident=_incident(),
        focus=None,
        scope=tuple(manifest.assets),
        accounts=tuple(
            AssetAccount(asset=u, scopes=account_rows(manifest.compiled_code(u) or "", warehouse))
            for u in models
        ),
        schemas=schemas,
        keys=tuple(k for k in keys if k),
        loads=tuple(x for x in loads if x),
        currencies=tuple(c for c in mixed if c),
        collected_at=NOW,
    )
    codebase = Codebase(
        root=root, manifest=manifest, dialect="duckdb", repository=GitRepository.discover(root)
    )
    return {p.id: list(p.propose(dossier, codebase)) for p in bug_patterns()}


def _incident() -> Incident:
    symptom = Symptom(kind=SymptomKind.CHECK_FAILED, headline="odd figures", observed_at=NOW)
    return Incident(
        id="I-1",
        fingerprint="f",
        title="odd figures",
        asset=None,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )


def violations(sandbox: Sandbox, hypothesis: Hypothesis) -> int:
    assert hypothesis.recheck is Recheck.INVARIANT
    assert hypothesis.invariant is not None
    return int(str(sandbox.warehouse.query(hypothesis.invariant.sql, purpose="test").scalar()))


def built(sandbox: Sandbox, asset: str) -> DbtOutcome:
    outcome = sandbox.build([f"{selector(sandbox.manifest.asset(asset))}+"])
    assert not [r for r in outcome.results if r.status == "error"], outcome.trouble()
    return outcome


def failed_tests(outcome: DbtOutcome) -> list[str]:
    return [r.unique_id.split(".")[2] for r in outcome.results if r.status == "fail"]


def added(hypothesis: Hypothesis) -> list[str]:
    assert hypothesis.change is not None
    diff = hypothesis.change.diff().splitlines()
    return [line[1:] for line in diff if line.startswith("+") and not line.startswith("+++")]


def test_duplicate_source_rows(sandbox: Sandbox, found: dict[str, list[Hypothesis]]) -> None:
    (hypothesis,) = found["duplicate-source-rows"]
    assert hypothesis.asset == "model.shop.stg_payments"
    assert "payments holds 25 rows too many of 125 (20.0%)" in hypothesis.mechanism
    assert "since 2026-11-21 04:00 UTC by synced_at" in hypothesis.mechanism
    assert failed_tests(built(sandbox, hypothesis.asset)) == ["unique_stg_payments_payment_id"]
    assert violations(sandbox, hypothesis) == 25

    assert hypothesis.change is not None
    sandbox.apply(hypothesis.change)

    assert failed_tests(built(sandbox, hypothesis.asset)) == []
    assert violations(sandbox, hypothesis) == 0
    assert added(hypothesis) == [
        "qualify row_number() over (partition by payment_id order by synced_at desc) = 1"
    ]


def test_join_fans_out(sandbox: Sandbox, found: dict[str, list[Hypothesis]]) -> None:
    (hypothesis,) = found["join-fans-out"]
    assert hypothesis.asset == "model.shop.fct_orders"
    assert hypothesis.confidence == 0.76
    assert "brought this join" in hypothesis.mechanism
    assert "left join payments on order_id makes 120 rows of 96" in hypothesis.mechanism
    assert hypothesis.commit is not None
    assert WITH_METHOD.splitlines()[(hypothesis.line or 0) - 1].startswith("left join payments")
    assert failed_tests(built(sandbox, hypothesis.asset)) == ["unique_fct_orders_order_id"]
    assert violations(sandbox, hypothesis) == 24

    assert hypothesis.change is not None
    sandbox.apply(hypothesis.change)

    assert failed_tests(built(sandbox, hypothesis.asset)) == []
    assert violations(sandbox, hypothesis) == 0
    assert added(hypothesis) == [
        "    qualify row_number() over (partition by order_id order by synced_at desc) = 1"
    ]


def test_aggregate_mixes_currencies(sandbox: Sandbox, found: dict[str, list[Hypothesis]]) -> None:
    (hypothesis,) = found["aggregate-mixes-currencies"]
    assert hypothesis.asset == "model.shop.revenue"
    assert "revenue.revenue_eur adds up total_amount of fct_orders" in hypothesis.mechanism
    built(sandbox, hypothesis.asset)
    assert violations(sandbox, hypothesis) == 1

    assert hypothesis.change is not None
    sandbox.apply(hypothesis.change)

    built(sandbox, hypothesis.asset)
    assert violations(sandbox, hypothesis) == 0
    assert added(hypothesis) == ["    sum(total_eur) as revenue_eur"]


def test_source_stale(sandbox: Sandbox, found: dict[str, list[Hypothesis]]) -> None:
    (hypothesis,) = found["source-stale"]
    assert hypothesis.asset == "source.shop.raw.clicks"
    assert hypothesis.data_cause
    assert hypothesis.change is None
    assert "nothing since 2026-11-15 20:00 UTC (synced_at): 6 days" in hypothesis.mechanism
    assert violations(sandbox, hypothesis) == 1

    built(sandbox, hypothesis.asset)

    assert violations(sandbox, hypothesis) == 1


def test_the_likeliest_explains_best(found: dict[str, list[Hypothesis]]) -> None:
    for hypotheses in found.values():
        assert all(h.confidence <= 0.79 for h in hypotheses)
    assert found["inner-join-drops-rows"] == []
