"""NULL semantics in a real dbt project: found by a sweep, mended in the sandbox, proved there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.investigation.accounts.book import AccountBook
from dagster_agent.investigation.accounts.counting import count
from dagster_agent.investigation.accounts.nulls import null_losses
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.rechecks import run_again
from dagster_agent.model import (
    Detection,
    Hypothesis,
    Incident,
    Relation,
    Symptom,
    SymptomKind,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.verification import verify
from tests import warm_dbt

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
models:
  shop:
    +materialized: table
vars:
  gone: cancelled
""",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "data/shop.duckdb", threads: 2}
""",
    "models/sources.yml": """
sources:
  - name: raw
    schema: raw
    tables: [{name: orders}, {name: blocked}]
models:
  - name: stg_orders
    columns:
      - name: order_id
        data_tests: [unique, not_null]
""",
    "models/stg_orders.sql": """{{ config(materialized='incremental', unique_key='order_id') }}

with source as (

    select * from {{ source('raw', 'orders') }}

)

select order_id, customer_id, amount, shipping
from source
where
    status <> '{{ var("gone") }}' -- nobody paid for these
    and amount > 0
{% if is_incremental() %}
    and order_id > (select max(order_id) from {{ this }})
{% endif %}
""",
    "models/revenue.sql": """select
    customer_id,
    sum(amount {% if var('with_shipping', true) %}+ shipping{% endif %}) as revenue
from {{ ref('stg_orders') }}
group by customer_id
""",
    "models/trusted.sql": """select order_id, customer_id from {{ ref('stg_orders') }}
where customer_id not in (
    select customer_id from {{ source('raw', 'blocked') }}
)
""",
    "models/looped.sql": """select order_id from {{ source('raw', 'orders') }}
where amount > 0
{% for value in ['cancelled'] %}
    and status <> 'cancelled'
{% endfor %}
""",
    "models/clean.sql": """select order_id from {{ ref('stg_orders') }} where amount <> 3
""",
    "models/by_name.sql": """{{ config(materialized='ephemeral') }}
select order_id, amount from {{ source('raw', 'orders') }}
where not {{ dbt.safe_cast('test_flag', 'boolean') }}
""",
    "models/real.sql": """select * from {{ ref('by_name') }}
""",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "data").mkdir()
    with duckdb.connect(str(root / "data" / "shop.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.orders as select i as order_id, i % 25 as customer_id, "
            "i::decimal(10, 2) as amount, case when i % 4 = 0 then 1.0 end as shipping, "
            "case i % 10 when 0 then 'cancelled' when 1 then null else 'paid' end as status, "
            "case when i % 20 = 3 then null else false end as test_flag from range(1, 101) t(i)"
        )
        connection.execute(
            "create table raw.blocked as select case when i = 2 then null else i end as "
            "customer_id from range(1, 4) t(i)"
        )
    warm_dbt.run(root, "build")
    return root


@pytest.fixture(scope="module")
def sandbox(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("agent")
    project = DbtProject.open(root)
    warehouse = open_warehouse(
        project.output, base_dir=project.root, snapshot_dir=folder / "snapshots"
    )
    with Sandbox(project=project, warehouse=warehouse, directory=folder / "sandbox") as opened:
        yield opened


class Silent:
    def step(self, what: str, *, why: str, result: str) -> None:
        assert what
        assert why


@pytest.fixture(scope="module")
def hypotheses(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Hypothesis]:
    """What a sweep over the whole project finds, by model."""
    manifest = Manifest.load(root / "target" / "manifest.json")
    project = DbtProject.open(root)
    warehouse = open_warehouse(
        project.output,
        base_dir=project.root,
        snapshot_dir=tmp_path_factory.mktemp("sweep"),
    )

    def schema(relation: Relation) -> TableSchema | None:
        return warehouse.schemas([relation]).get(relation)

    notes: list[str] = []
    book = AccountBook(manifest, warehouse, schema)
    counts = count(tuple(manifest.assets), book, notes, NOW)
    assert [note for note in notes if "NULL" in note] == []
    assert {a.asset.rsplit(".", 1)[-1]: null_losses(a) for a in counts.nulls} == {
        "stg_orders": 10,
        "revenue": 60,
        "trusted": 74,
        "looped": 10,
        "by_name": 5,
    }
    symptom = Symptom(kind=SymptomKind.QUESTION, headline="a sweep", observed_at=NOW)
    incident = Incident(
        id="I-1",
        fingerprint="f",
        title="a sweep",
        asset=None,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )
    dossier = Dossier(
        incident=incident,
        focus=None,
        scope=tuple(manifest.assets),
        nulls=counts.nulls,
        collected_at=NOW,
    )
    codebase = Codebase(root=root, manifest=manifest, dialect="duckdb")
    found = list(bug_patterns().get("null-semantics").propose(dossier, codebase))
    return {h.asset.rsplit(".", 1)[-1]: h for h in found}


@pytest.mark.parametrize(
    ("model", "line", "after", "red"),
    [
        (
            "stg_orders",
            12,
            """    (status <> '{{ var("gone") }}' or status is null) -- nobody paid for these""",
            10.0,
        ),
        (
            "revenue",
            3,
            "    sum(amount {% if var('with_shipping', true) %}+ coalesce(shipping, 0){% endif %})"
            " as revenue",
            1.0,
        ),
        (
            "trusted",
            3,
            "    select customer_id from {{ source('raw', 'blocked') }}"
            " where customer_id is not null",
            None,
        ),
    ],
)
def test_it_is_proved(
    model: str,
    line: int,
    after: str,
    red: float | None,
    hypotheses: dict[str, Hypothesis],
    sandbox: Sandbox,
) -> None:
    hypothesis = hypotheses[model]
    assert hypothesis.change is not None
    (edit,) = hypothesis.change.edits
    before = FILES[edit.path].splitlines()
    different = [
        (n, new)
        for n, (old, new) in enumerate(zip(before, edit.after.splitlines(), strict=True), 1)
        if old != new
    ]
    assert different == [(line, after)]

    def recheck(warehouse: Warehouse, manifest: Manifest, outcome: DbtOutcome) -> Detection:
        def reconcile(*_: object) -> Detection:
            raise AssertionError("the invariant is asked, nothing else")

        return run_again(hypothesis, warehouse, manifest, outcome, reconcile=reconcile, now=NOW)

    try:
        found = verify(sandbox, hypothesis.change, recheck=recheck, narrator=Silent())
    finally:
        sandbox.revert()
    assert found.verified, [s.detail for s in found.steps]
    assert found.before is not None
    violations = [row["violations"] for row in found.before.records()]
    assert violations == [red or violations[0]]
    assert found.tests_failed == ()


def test_what_a_loop_writes_is_left_to_people(hypotheses: dict[str, Hypothesis]) -> None:
    looped = hypotheses["looped"]
    assert looped.change is None
    assert "inside {% for %}, which may write it repeatedly" in looped.mechanism
    assert looped.invariant is not None


def test_an_ephemeral_model_answers_for_itself(hypotheses: dict[str, Hypothesis]) -> None:
    by_name = hypotheses["by_name"]
    assert by_name.invariant is None
    assert "real" not in hypotheses
    assert "clean" not in hypotheses
