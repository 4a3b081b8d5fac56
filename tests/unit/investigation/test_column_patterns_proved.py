"""Bug patterns of columns on a real dbt project: red in a sandbox, green with the change.

Five things happened to five sources at once, each with models of its own, so that one warm sandbox
serves all tests.

This file is long because its tests share one warm sandbox and the project that it holds.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.git.repository import GitRepository
from dagster_agent.investigation.accounts.broken_reads import BrokenRead, broken_reads
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Hypothesis, Incident, ProposedChange, Recheck, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.repair.fixer import ColumnFault, Fault, YmlFile, fixers
from dagster_agent.repair.sandbox import Sandbox
from tests import warm_dbt

NOW = datetime(2026, 11, 21, tzinfo=UTC)
M = "model.shop."
PATTERNS = ("upstream-column-renamed", "upstream-column-dropped", "type-change-breaks-cast")
FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
models: {shop: {+materialized: table}}
""",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb, threads: 1}
""",
    "models/sources.yml": """
sources:
  - name: raw
    schema: raw
    tables: [{name: orders}, {name: visits}, {name: carts}, {name: payments}, {name: users}]
""",
    "models/models.yml": """models:
  - name: stg_users
    columns:
      - name: id
        data_tests: [unique, not_null]
  # what finance reads
  - name: paid_by_day
""",
    "models/stg_orders.sql": """{{ config(alias='stg_orders') }}
with source as (select * from {{ source('raw', 'orders') }})
select
    id as order_id,
    user_id, -- who buys
    day
from source
""",
    "models/orders_by_user.sql": """select user_id, count(*) as orders
from {{ ref('stg_orders') }} group by user_id
""",
    "models/stg_visits.sql": """select id as visit_id, user_id, day
from {{ source('raw', 'visits') }}
""",
    "models/fct_visits.sql": """select v.visit_id, v.user_id, u.name
from {{ ref('stg_visits') }} as v
left join {{ ref('stg_users') }} as u on v.user_id = u.id
""",
    "models/stg_carts.sql": "select id as cart_id, day from {{ source('raw', 'carts') }}\n",
    "models/stg_payments.sql": """select id as payment_id, amount, day
from {{ source('raw', 'payments') }}
""",
    "models/paid_by_day.sql": """select day, sum(amount) as amount
from {{ ref('stg_payments') }} group by day
""",
    "models/stg_users.sql": """select
    id,
    name
from {{ source('raw', 'users') }}
""",
    ".gitignore": "*.duckdb\ntarget/\nlogs/\n",
}
TABLES = {
    "orders": "i as id, 'u' || (i % 5) as user_id, date '2026-11-01' as day",
    "visits": "i as id, 'u' || (i % 5) as user_id, date '2026-11-01' as day",
    "carts": "i as id, date '2026-11-01' as day",
    "payments": "i as id, (i * 1.5)::decimal(12,2) as amount, date '2026-11-01' as day",
    "users": "'u' || i as id, 'name ' || i as name",
}
WHAT_HAPPENED = (
    "alter table raw.orders rename column user_id to customer_ref",
    "alter table raw.carts drop column day",
    "alter table raw.payments alter column amount type varchar",
    "alter table raw.users add column region varchar",
    "update raw.users set region = 'EU'",
)
RENAMED = FILES["models/stg_visits.sql"].replace("user_id,", "user_id as visitor_id,")


def git(root: Path, *args: str, day: int = 1) -> None:
    when = f"2026-11-{day:02}T06:00:00+00:00"
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_DATE": when,
    }
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *settings, *args], cwd=root, env=environment, check=True)


def commit(root: Path, message: str, *, day: int) -> None:
    git(root, "add", "--all", day=day)
    git(root, "commit", "--quiet", "--message", message, day=day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The project after it all happened, and a sandbox of it."""

    sandbox: Sandbox
    manifest: Manifest
    dossier: Dossier
    codebase: Codebase

    def hypotheses(self, pattern: str) -> list[Hypothesis]:
        return list(bug_patterns().get(pattern).propose(self.dossier, self.codebase))

    def failed(self, assets: Sequence[str]) -> list[str]:
        """Models that cannot be built, with all after `assets`."""
        outcome = self.sandbox.build([f"{uid.rpartition('.')[2]}+" for uid in assets])
        return sorted(r.unique_id for r in outcome.results if r.status == "error")

    def columns(self, model: str) -> dict[str, str]:
        relation = self.manifest.find(model).relation
        assert relation is not None
        found = self.sandbox.warehouse.schemas([relation])[relation]
        return {column.name: column.type for column in found.columns}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, TableSchema]]:
    """Built and committed, before anything happened, with the schemas of then."""
    root = tmp_path_factory.mktemp("healthy") / "shop"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        connection.execute("create schema raw")
        for name, columns in TABLES.items():
            connection.execute(f"create table raw.{name} as select {columns} from range(20) t(i)")
    warm_dbt.run(root, "build")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "Begin", day=1)
    manifest = Manifest.load(root / "target" / "manifest.json")
    project = DbtProject.open(root)
    warehouse = open_warehouse(project.output, base_dir=root, snapshot_dir=root / "snapshots")
    schemas = schemas_of(manifest, warehouse)
    for pattern in PATTERNS:  # nothing is said of a healthy project
        dossier = dossier_of(manifest, schemas, schemas)
        codebase = Codebase(root=root, manifest=manifest, dialect="duckdb")
        assert dossier.broken_reads == ()
        assert list(bug_patterns().get(pattern).propose(dossier, codebase)) == []
    return root, schemas


@pytest.fixture(scope="module")
def opened(
    healthy: tuple[Path, dict[str, TableSchema]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    root, before = healthy
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        for statement in WHAT_HAPPENED:
            connection.execute(statement)
    (root / "models" / "stg_visits.sql").write_text(RENAMED)
    commit(root, "Tidy up", day=2)
    project = DbtProject.open(root)
    folder = tmp_path_factory.mktemp("agent")
    warehouse = open_warehouse(project.output, base_dir=root, snapshot_dir=folder / "snapshots")
    accepted = {uid: schema for uid, schema in before.items() if uid.startswith("source.")}
    with Sandbox(project=project, warehouse=warehouse, directory=folder / "sandbox") as sandbox:
        manifest = sandbox.manifest
        repository = GitRepository.discover(root)
        yield Scene(
            sandbox=sandbox,
            manifest=manifest,
            dossier=dossier_of(manifest, schemas_of(manifest, warehouse), accepted),
            codebase=Codebase(
                root=root, manifest=manifest, dialect="duckdb", repository=repository
            ),
        )


@pytest.fixture
def scene(opened: Scene) -> Iterator[Scene]:
    yield opened
    opened.sandbox.revert()


def schemas_of(manifest: Manifest, warehouse: Warehouse) -> dict[str, TableSchema]:
    relations = {u: a.relation for u, a in manifest.assets.items() if a.relation is not None}
    found = warehouse.schemas(list(relations.values()))
    return {uid: found[relation] for uid, relation in relations.items() if relation in found}


def dossier_of(
    manifest: Manifest, schemas: dict[str, TableSchema], accepted: dict[str, TableSchema]
) -> Dossier:
    scope = tuple(manifest.assets)
    return Dossier(
        incident=Incident(
            id="I-1",
            fingerprint="f",
            title="it broke",
            asset=None,
            symptoms=(),
            opened_at=NOW,
            updated_at=NOW,
        ),
        focus=None,
        scope=scope,
        schemas=schemas,
        accepted=accepted,
        broken_reads=broken_reads(scope, manifest, schemas, "duckdb"),
        collected_at=NOW,
    )


def proved(scene: Scene, hypothesis: Hypothesis, *, fails: list[str]) -> ProposedChange:
    """Red without the change, green with it."""
    change = hypothesis.change
    assert change is not None, hypothesis.mechanism
    assert hypothesis.recheck is Recheck.BUILD
    assert scene.failed(change.assets) == fails
    scene.sandbox.apply(change)
    assert scene.failed(change.assets) == []
    return change


def test_what_is_read_in_vain(scene):
    assert scene.dossier.broken_reads == (
        BrokenRead(asset=f"{M}fct_visits", upstream=f"{M}stg_visits", column="user_id"),
        BrokenRead(asset=f"{M}stg_carts", upstream="source.shop.raw.carts", column="day"),
        BrokenRead(asset=f"{M}stg_orders", upstream="source.shop.raw.orders", column="user_id"),
    )


def test_a_source_column_is_renamed(scene):
    _, hypothesis = scene.hypotheses("upstream-column-renamed")
    assert (hypothesis.asset, hypothesis.line) == (f"{M}stg_orders", 5)
    assert hypothesis.commit is None
    change = proved(scene, hypothesis, fails=[f"{M}stg_orders"])
    assert change.assets == (f"{M}stg_orders",)
    assert "+    customer_ref as user_id, -- who buys\n" in change.diff()
    assert change.diff().count("\n+") == 2  # the header and one line
    assert list(scene.columns("orders_by_user")) == ["user_id", "orders"]


def test_a_commit_renamed_it_without_its_readers(scene):
    hypothesis, _ = scene.hypotheses("upstream-column-renamed")
    head = scene.codebase.repository.head()
    assert (hypothesis.asset, hypothesis.commit) == (f"{M}fct_visits", head)
    assert hypothesis.mechanism == (
        f"Commit {head[:7]} (2026-11-02 06:00 UTC, Ada) renamed user_id to visitor_id in "
        "stg_visits without its readers: fct_visits still reads user_id"
    )
    assert hypothesis.confidence == 0.77
    assert hypothesis.evidence[1].source == head
    change = proved(scene, hypothesis, fails=[f"{M}fct_visits"])
    assert change.assets == (f"{M}stg_visits", f"{M}fct_visits")  # its table was an old one
    assert "+select v.visit_id, v.visitor_id as user_id, u.name\n" in change.diff()
    assert "as u on v.visitor_id = u.id\n" in change.diff()


def test_a_source_column_is_dropped(scene):
    (hypothesis,) = scene.hypotheses("upstream-column-dropped")
    assert hypothesis.asset == f"{M}stg_carts"
    assert "The values are gone" in hypothesis.mechanism
    change = proved(scene, hypothesis, fails=[f"{M}stg_carts"])
    assert "cast(null as date) /* carts has no day any more */ as day" in change.diff()
    assert scene.columns("stg_carts") == {"cart_id": "BIGINT", "day": "DATE"}


def test_an_amount_becomes_text(scene):
    (hypothesis,) = scene.hypotheses("type-change-breaks-cast")
    assert hypothesis.asset == f"{M}stg_payments"
    assert hypothesis.recheck is Recheck.INVARIANT
    change, invariant = hypothesis.change, hypothesis.invariant
    assert change is not None
    assert invariant is not None
    assert scene.failed(change.assets) == [f"{M}paid_by_day"]
    query = scene.sandbox.warehouse.query
    assert query(invariant.sql, purpose="test").scalar() == 1
    scene.sandbox.apply(change)
    assert scene.failed(change.assets) == []
    assert query(invariant.sql, purpose="test").scalar() == 0
    assert scene.columns("paid_by_day")["amount"] == "DECIMAL(38,2)"


def test_a_new_column_is_carried_and_tested(scene):
    relation = scene.manifest.asset("source.shop.raw.users").relation
    assert relation is not None
    column = ColumnFault(relation=relation, column="region", description="EU", never_null=True)
    fault = Fault(
        asset=f"{M}stg_users",
        path="models/stg_users.sql",
        text=FILES["models/stg_users.sql"],
        compiled_code=scene.manifest.compiled_code(f"{M}stg_users") or "",
        dialect="duckdb",
        columns=(column,),
        yml=YmlFile(path="models/models.yml", text=FILES["models/models.yml"]),
    )
    change = fixers().get("carry-column").propose(fault)
    assert isinstance(change, ProposedChange)
    assert change.title == "Carry region into stg_users"
    scene.sandbox.apply(change)
    outcome = scene.sandbox.build(["stg_users"])
    tests = {r.unique_id.split(".")[2]: r.status for r in outcome.results}
    assert outcome.success
    assert tests["not_null_stg_users_region"] == "pass"
    assert list(scene.columns("stg_users")) == ["id", "name", "region"]
