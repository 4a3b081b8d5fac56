"""A small shop as a team has it: sources in DuckDB, a dbt project under git, a bare remote."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.project_history import Author, commit_all, run_git
from dagster_agent.dbt.project import DbtProject
from dagster_agent.model import Detection, DetectionStatus, Finding, Symptom, SymptomKind
from dagster_agent.response import (
    Engine,
    InvestigationRequest,
    Workspace,
    detect,
    investigate,
    take_in,
)
from dagster_agent.settings import Settings
from tests import warm_dbt

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ANNA = Author(name="Anna Berg", email="anna@shop.example")

FILES = {
    "dbt_project.yml": """name: shop
profile: shop
models:
  shop: {+materialized: table}
""",
    "profiles.yml": """shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "shop.duckdb", threads: 2}
""",
    ".gitignore": "target/\nlogs/\n*.duckdb\n*.wal\n",
    "models/sources.yml": """sources:
  - name: raw
    schema: raw
    tables:
      - name: orders
      - name: payments
""",
    "models/staging/stg_orders.sql": """with source as (

    select * from {{ source('raw', 'orders') }}

)

select
    order_id,
    user_id,
    status,
    currency,
    amount,
    placed_at
from source
""",
    "models/staging/staging.yml": """models:
  - name: stg_orders
    columns:
      - name: order_id
        data_tests: [unique, not_null]
  - name: stg_payments
    columns:
      - name: payment_id
        data_tests: [not_null]
""",
    "models/staging/stg_payments.sql": """with source as (

    select * from {{ source('raw', 'payments') }}

)

select
    payment_id,
    order_id,
    amount,
    received_at
from source
""",
    "models/marts/fct_orders.sql": """with orders as (

    select * from {{ ref('stg_orders') }}

)

select
    order_id,
    user_id,
    status,
    currency,
    amount,
    placed_at
from orders
""",
    "models/marts/revenue.sql": """select
    cast(placed_at as date) as day,
    sum(amount) as revenue
from {{ ref('fct_orders') }}
group by 1
""",
    "models/marts/marts.yml": """models:
  - name: fct_orders
    columns:
      - name: order_id
        data_tests: [unique]
exposures:
  - name: revenue_dashboard
    type: dashboard
    owner: {name: Finance, email: finance@shop.example}
    depends_on: [ref('revenue')]
""",
}
ORDERS = """create or replace table raw.orders as
select i::bigint as order_id, (i % 97)::bigint as user_id, 'completed' as status,
    'EUR' as currency, (10 + i % 50)::decimal(10, 2) as amount,
    timestamp '2026-11-21 05:50:00' - (1000 - i) * interval 25 minute as placed_at
from range(1, 1001) t(i)"""
PAYMENTS = """create or replace table raw.payments as
select i::bigint as payment_id, i::bigint as order_id, (10 + i % 50)::decimal(10, 2) as amount,
    timestamp '2026-11-21 05:50:00' - (1000 - i) * interval 25 minute as received_at
from range(1, 1001) t(i)"""


@dataclass(kw_only=True)
class Voice:
    """A narrator that remembers."""

    lines: list[str] = field(default_factory=list)

    def step(self, what: str, *, why: str, result: str) -> None:
        self.lines.append(f"{what}: {result}")


@dataclass(kw_only=True)
class Shop:
    """The team's project, and the agent beside it."""

    root: Path
    state: Path
    settings: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    voice: Voice = field(default_factory=Voice)

    # what people and vendors do ----------------------------------------------------------------
    def sql(self, *statements: str) -> None:
        """Somebody else changes the warehouse."""
        with duckdb.connect(str(self.root / "shop.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, statement: str) -> list[Any]:
        with duckdb.connect(str(self.root / "shop.duckdb"), read_only=True) as connection:
            return connection.execute(statement).fetchall()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert text.count(old) == 1, f"{old!r} in {path}"
        self.write(path, text.replace(old, new))

    def commit(self, subject: str, *, days_ago: float = 1) -> str:
        sha = commit_all(self.root, subject, author=ANNA, at=self.now - timedelta(days=days_ago))
        run_git(self.root, "push", "--quiet", "origin", "main")
        return sha

    def build(self) -> str:
        """The nightly run; what dbt printed."""
        return warm_dbt.run(self.root, "build", check=False)

    # what the agent does -----------------------------------------------------------------------
    def workspace(self) -> Workspace:
        return Workspace.open(
            Settings.parse(self.settings), project_dir=self.root, state_directory=self.state
        )

    def look(self, asset: str, engine: Engine) -> list[Detection]:
        """Run one engine's checks on one asset."""
        with self.workspace() as opened:
            return detect(opened, opened.manifest.find(asset).unique_id, engine, now=self.now)

    def get_to_know(self) -> None:
        """The first look, at which schemas are taken as right."""
        with self.workspace() as opened:
            for uid in opened.manifest.assets:
                detect(opened, uid, "schema-drift", now=self.now - timedelta(days=1))

    def investigate(self, symptoms: Sequence[Symptom]) -> Finding:
        """From symptoms to a finding, with whatever the policy lets it do."""
        with self.workspace() as opened:
            incident = take_in(opened, symptoms, now=self.now)[0]
            return self._investigated(opened, InvestigationRequest(incident_id=incident.id))

    def ask(self, question: str = "", asset: str | None = None) -> Finding:
        """What a person gets for a question."""
        with self.workspace() as opened:
            request = InvestigationRequest(asset=asset, question=question or None)
            return self._investigated(opened, request)

    def _investigated(self, opened: Workspace, request: InvestigationRequest) -> Finding:
        return investigate(
            opened,
            request,
            investigation_id=f"i-{len(opened.store.findings())}",
            narrator=self.voice,
            now=self.now,
            act_on_it=True,
        )

    def remote_branches(self) -> list[str]:
        listed = run_git(self.root, "ls-remote", "--heads", "origin")
        return sorted(line.split("refs/heads/")[1] for line in listed.splitlines())


def symptom_of(detection: Detection) -> Symptom:
    """As the sensor reads it from a failed check."""
    assert detection.status is DetectionStatus.FAILED
    return Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline=detection.headline,
        observed_at=detection.observed_at,
        asset=detection.asset,
        check=detection.detector,
        severity=detection.severity,
        pair=detection.pair,
    )


def failed_run(log: str, asset: str | None = None, *, now: datetime = NOW) -> Symptom:
    """As the sensor reads it from a failed run."""
    return Symptom(
        kind=SymptomKind.RUN_FAILED,
        headline=f"{(asset or 'the run').split('.')[-1]} could not be built",
        observed_at=now,
        asset=asset,
        detail=log,
        run_id="run-1",
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: files, history, tables, one green build."""
    home = tmp_path_factory.mktemp("template")
    shop = Shop(root=home / "dbt", state=home / "state")
    for name, text in FILES.items():
        shop.write(name, text)
    run_git(home, "init", "--quiet", "--bare", "--initial-branch=main", str(home / "dbt.git"))
    run_git(shop.root, "init", "--quiet", "--initial-branch=main")
    commit_all(shop.root, "Start the shop", author=ANNA, at=NOW - timedelta(days=60))
    shop.sql("create schema raw", ORDERS, PAYMENTS)
    said = shop.build()
    assert "ERROR=0" in said, said
    with shop.workspace() as opened:
        assert opened.manifest.assets  # compiled once, for all tests that leave the code alone
    return home


@pytest.fixture
def shop(template: Path, tmp_path: Path) -> Shop:
    """A shop of one's own."""
    shutil.copytree(template / "dbt", tmp_path / "dbt")
    shutil.copytree(template / "dbt.git", tmp_path / "dbt.git")
    (compiled,) = (template / "state" / "manifests").glob("*.json")
    kept = tmp_path / "state" / "manifests" / f"{DbtProject.open(tmp_path / 'dbt').digest()}.json"
    kept.parent.mkdir(parents=True)
    shutil.copyfile(compiled, kept)
    root = tmp_path / "dbt"
    run_git(root, "remote", "add", "origin", str(tmp_path / "dbt.git"))
    run_git(root, "push", "--quiet", "--set-upstream", "origin", "main")
    run_git(root, "remote", "set-head", "origin", "main")
    return Shop(root=root, state=tmp_path / "state")
