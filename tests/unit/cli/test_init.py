"""`init` and `reconciliations` on a small dbt project with a truth beside it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner, Result

from dagster_agent.cli import main

CONTRACTS = (Path(__file__).parents[3] / "docs" / "contracts.md").read_text()
FILES = {
    "dbt_project.yml": "name: shop\nprofile: shop\nmodels: {shop: {+materialized: table}}\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n",
    "models/stg_orders.sql": "select * from {{ source('raw', 'orders') }}\n",
    "models/fct_orders.sql": "select order_id, amount from {{ ref('stg_orders') }}\n",
    "models/revenue.sql": "select sum(amount) as revenue from {{ ref('fct_orders') }}\n",
    "models/shop.yml": """sources:
  - name: raw
    schema: main
    tables:
      - name: orders
        identifier: orders_raw
      - name: rates
        loaded_at_field: fetched_at
        freshness: {warn_after: {count: 1, period: day}}
models:
  - name: fct_orders
    columns: [{name: order_id, data_tests: [unique]}]
exposures:
  - name: board
    type: dashboard
    owner: {name: Finance}
    depends_on: [ref('revenue')]
""",
}
TABLES = (
    "create table orders_raw as select 1000 + i * 7 as order_id, (i % 50) + 10.25 as amount,"
    " timestamp '2026-11-01' + to_hours(i::integer) as placed_at from range(400) t(i)",
    "create table rates as select 'EUR' as currency, now() as fetched_at",
    "create table stg_orders as from orders_raw",
    "create table fct_orders as select order_id, amount from orders_raw",
    "create schema processor",
    "create table processor.charges as select order_id::varchar as order_ref,"
    " (amount * 100)::bigint as minor_amount from orders_raw",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        for statement in TABLES:
            connection.execute(statement)
    return folder


def run(shop: Path, command: str, *options: str) -> Result:
    where = ("--project-dir", str(shop), "--state-dir", str(shop / "state"))
    return CliRunner().invoke(main, [command, *where, *options])


def documented(heading: str) -> Any:
    section = next(s for s in CONTRACTS.split("\n## ") if heading in s.splitlines()[0])
    return json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0])


def test_init_says_what_is_there_and_what_to_paste(shop: Path) -> None:
    before = sorted(p for p in shop.rglob("*") if "state" not in p.parts)
    done = run(shop, "init")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[:13] == [
        "project: shop, target dev on duckdb",
        "warehouse: duckdb reachable, 4 of 5 tables exist",
        "  missing: revenue",
        "sources: 2, 1 with freshness",
        "  raw.orders: no freshness, placed_at tells when",
        "  raw.rates: freshness is declared, fetched_at tells when",
        "models without a key: 2 of 3",
        "  revenue, stg_orders",
        "  give each a `unique` test: keys are what rows are compared by",
        "critical candidates: the most read",
        "  stg_orders: read by 2, board",
        "  fct_orders: read by 1, board",
        "  revenue: read by none, board",
    ]
    pasted = yaml.safe_load(done.stdout.split("merge into models/shop.yml:\n")[1])
    (model,) = pasted["models"]
    assert model["name"] == "fct_orders"
    assert model["config"]["meta"]["dagster_agent"]["reconcile"] == [
        {
            "with": "shop.processor.charges",
            "key": {"order_id": "order_ref"},
            "measures": {"amount": "minor_amount / 100.0"},
        }
    ]
    assert sorted(p for p in shop.rglob("*") if "state" not in p.parts) == before

    told = json.loads(run(shop, "init", "--json").stdout)
    shape = documented("init --json")
    assert told.keys() == shape.keys()
    assert told["warehouse"].keys() == shape["warehouse"].keys()
    for name in ("sources", "critical_candidates", "proposals"):
        assert told[name][0].keys() == shape[name][0].keys()
    (proposal,) = told["proposals"]
    assert (proposal["with"], proposal["file"]) == ("shop.processor.charges", "models/shop.yml")
    assert "sum(amount) and sum(minor_amount / 100.0) agree" in proposal["evidence"]
    other = json.loads(run(shop, "init", "--asset", "stg_orders", "--json").stdout)
    assert other["proposals"] == []
    assert run(shop, "init", "--asset", "fct_order").exit_code == 2


def test_what_was_compared_can_be_looked_up(shop: Path) -> None:
    nothing = run(shop, "reconciliations", "--asset", "stg_orders")
    assert nothing.stdout == "stg_orders has not been compared with anything yet\n"
    assert run(shop, "reconcile", "--asset", "fct_orders").exit_code == 0
    done = run(shop, "reconciliations", "--asset", "fct_orders", "--json")
    told = json.loads(done.stdout)
    shape = documented("reconciliations --json")
    assert told.keys() == shape.keys()
    newest = told["reconciliations"][0]
    assert newest.keys() == shape["reconciliations"][0].keys()
    assert newest["unique_id"] == "model.shop.fct_orders"
    assert newest["status"] == "passed"
    assert newest["steps"]
    assert "select" in newest["queries"][0].casefold()
    table = run(shop, "reconciliations", "--asset", "fct_orders", "--limit", "1").stdout
    assert "fct_orders: 1 results, newest first" in table
    assert newest["at"][:10] in table

    alone = CliRunner().invoke(
        main, ["reconciliations", "--project-dir", str(shop), "--asset", "fct_orders"]
    )
    assert alone.exit_code == 2
    assert "without --state-dir nothing is kept" in alone.stderr


def test_without_its_warehouse_the_project_is_told_all_the_same(shop: Path) -> None:
    file = shop / "shop.duckdb"
    away = file.rename(shop / "away.duckdb")
    try:
        done = run(shop, "init")
    finally:
        away.rename(file)
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert lines[1].startswith("warehouse: duckdb NOT reachable: DuckDB file ")
    assert "  raw.orders: no freshness" in lines
    assert lines[-1] == "sources of truth: not looked for: the warehouse did not answer"


def test_one_models_broken_meta_hides_no_other(shop: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(shop, mine, ignore=shutil.ignore_patterns("state", "target"))
    yml = "  - {name: revenue, config: {meta: {dagster_agent: {anomaly: {threshold: high}}}}}\n"
    yml += "  - {name: stg_orders, config: {meta: {dagster_agent: {critcal: true}}}}\n"
    text = FILES["models/shop.yml"]
    (mine / "models" / "shop.yml").write_text(text.replace("exposures:", f"{yml}exposures:"))
    done = run(mine, "init")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    start = lines.index("settings that are wrong, so that checks cannot run: 2")
    told = sorted(lines[start + 1 : start + 3])
    assert "in meta.dagster_agent of stg_orders: unknown setting 'critcal'" in told[0]
    assert "in meta.dagster_agent.anomaly of revenue: setting 'threshold' is 'high'" in told[1]
    assert all("mend it in the yml beside models/" in line for line in told)
    assert "  fct_orders: read by 1, board" in lines
    assert "sources of truth proposed: 1" in lines
