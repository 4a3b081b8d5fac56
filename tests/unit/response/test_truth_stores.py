"""Sources of truth outside the warehouse are opened once, whole, and leave nothing behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from pydantic import TypeAdapter

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.reconciliation.truths import OtherSide, Truth
from dagster_agent.response.truth_stores import TruthStores
from dagster_agent.sql.identifiers import relation_sql

MODULE = """
import datetime

CALLS = []

def charges(currency="EUR"):
    CALLS.append(currency)
    yield {"charge": "a", "minor": 1050, "currency": currency, "on": datetime.date(2026, 11, 1)}
    yield {"charge": "b", "minor": 250, "currency": currency, "on": datetime.date(2026, 11, 2)}

def broken():
    yield {"charge": "a"}
    raise RuntimeError("connection reset")
"""


def truth(description: Mapping[str, Any]) -> Truth:
    adapter: TypeAdapter[Any] = TypeAdapter(OtherSide)
    return adapter.validate_python(description)


@pytest.fixture
def project(tmp_path: Path) -> DbtProject:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (root / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n"
        "    dev: {type: duckdb, path: shop.duckdb}\n"
        "    finance: {type: duckdb, path: finance.duckdb}\n"
    )
    return DbtProject.open(root)


Open = Callable[..., TruthStores]


@pytest.fixture
def stores(project: DbtProject, tmp_path: Path) -> Iterator[Open]:
    made: list[TruthStores] = []

    def make(**fields: Any) -> TruthStores:
        made.append(
            TruthStores(
                project,
                tmp_path / "truths",
                open_output=lambda output: open_warehouse(
                    output, base_dir=project.root, snapshot_dir=tmp_path / "snapshots"
                ),
                **fields,
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()
    assert list((tmp_path / "truths").glob("*")) == []


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "ledger_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    yield importlib.import_module("ledger_of_a_test")
    sys.modules.pop("ledger_of_a_test", None)


def rows(stores: TruthStores, description: Mapping[str, Any]) -> tuple[tuple[Any, ...], ...]:
    warehouse, relation = stores.open(truth(description))
    table = relation_sql(relation, warehouse.dialect)
    return warehouse.query(f"select * from {table} order by 1", purpose="test").rows


def test_files_start_at_the_project(stores: Open, project: DbtProject) -> None:
    (project.root / "charges.csv").write_text("charge,minor\na,1050\nb,250\n")
    assert rows(stores(), {"csv": "charges.csv"}) == (("a", 1050), ("b", 250))


def test_a_function_is_called_once(stores: Open, ledger: Any) -> None:
    opened = stores()
    told = {"callable": "ledger_of_a_test:charges", "arguments": {"currency": "CHF"}}
    for _ in range(2):
        assert [row[:3] for row in rows(opened, told)] == [("a", 1050, "CHF"), ("b", 250, "CHF")]
    assert ledger.CALLS == ["CHF"]


def test_an_asset_is_loaded(stores: Open) -> None:
    values = {"raw/ledger": pd.DataFrame({"charge": ["a"], "minor": [1050]})}
    assert rows(stores(load_asset=values.__getitem__), {"asset": "raw/ledger"}) == (("a", 1050),)
    with pytest.raises(ConfigError, match="can only be loaded inside Dagster"):
        rows(stores(), {"asset": "raw/ledger"})


def test_another_target_of_the_profile(stores: Open, project: DbtProject) -> None:
    with duckdb.connect(str(project.root / "finance.duckdb")) as connection:
        connection.execute("create schema ledger")
        connection.execute("create table ledger.charges as select 1 as charge")
    opened = stores()
    assert rows(opened, {"target": "finance", "table": "ledger.charges"}) == ((1,),)
    assert [output["path"] for output in opened.outputs] == ["finance.duckdb"]
    with pytest.raises(ConfigError, match="no target 'sales'"):
        rows(opened, {"target": "sales", "table": "x"})


@pytest.mark.parametrize(
    ("description", "error", "match"),
    [
        ({"callable": "no_such_module:f"}, ConfigError, "cannot be imported"),
        ({"callable": "ledger_of_a_test:nothing"}, ConfigError, "cannot be imported"),
        (
            {"callable": "ledger_of_a_test:charges", "arguments": {"curency": "EUR"}},
            ConfigError,
            "cannot be called with",
        ),
        ({"callable": "ledger_of_a_test:broken"}, ConnectorError, "connection reset"),
        ({"csv": "nothing.csv"}, ConfigError, "no file matches"),
    ],
)
def test_what_is_wrong_is_named(
    stores: Open, ledger: Any, description: Mapping[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        rows(stores(), description)
