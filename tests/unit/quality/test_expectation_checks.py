"""Expectations as asset checks of a Dagster location, from meta, a suite and a checkpoint."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_agent.dbt.project import DbtProject
from dagster_agent.definitions.expectations import build_expectation_checks
from dagster_agent.errors import ConfigError

UID = "model.shop.orders"
NOT_NULL = "expect_column_values_to_not_be_null"
SUITE = [
    {"type": NOT_NULL, "kwargs": {"column": "order_id"}},
    {"type": NOT_NULL, "kwargs": {"column": "email", "mostly": 0.5}, "severity": "warning"},
    {"type": "expect_column_values_to_be_increasing", "kwargs": {"column": "order_id"}},
    {"type": NOT_NULL, "kwargs": {"colum": "email"}},
    {"nonsense": True},
]


class Project:
    def __init__(self, project_dir: Path) -> None:
        self.project_dir = project_dir
        self.profiles_dir = project_dir
        self.target = None


@pytest.fixture
def location(tmp_path: Path) -> tuple[dg.AssetSpec, dict[str, Any]]:
    """A dbt project whose manifest is compiled already, as the agent keeps it."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (root / "profiles.yml").write_text(
        "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n"
    )
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        connection.execute(
            "create table orders as select i as order_id, case when i > 7 then 'x' end as email"
            " from range(10) t(i)"
        )
    manifest = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {
            UID: {
                "unique_id": UID,
                "name": "orders",
                "resource_type": "model",
                "original_file_path": "models/orders.sql",
                "relation_name": '"shop"."main"."orders"',
                "config": {"materialized": "table", "meta": {}},
            }
        },
        "sources": {},
    }
    kept = tmp_path / "state" / "manifests"
    kept.mkdir(parents=True)
    project = DbtProject.open(root, profiles_dir=root)
    (kept / f"{project.digest()}.json").write_text(json.dumps(manifest))
    spec = dg.AssetSpec(
        "orders",
        metadata={
            "dagster_dbt/unique_id": UID,
            "dagster_dbt/manifest": manifest,
            "dagster_dbt/project": Project(root),
        },
    )
    return spec, {"state": {"directory": str(tmp_path / "state")}}


def _run(
    checks: list[dg.AssetChecksDefinition],
) -> dict[str, tuple[bool, str, str, Mapping[str, Any]]]:
    with dg.DagsterInstance.ephemeral() as instance:
        definitions = dg.Definitions(asset_checks=checks)
        job = dg.define_asset_job("run", selection=dg.AssetSelection.all_asset_checks())
        resolved = dg.Definitions(asset_checks=definitions.asset_checks, jobs=[job])
        result = resolved.resolve_job_def("run").execute_in_process(instance=instance)
    assert result.success
    return {
        event.check_name: (
            event.passed,
            event.severity.value,
            event.description or "",
            event.metadata,
        )
        for event in result.get_asset_check_evaluations()
    }


def _way(found: tuple[bool, str, str, Mapping[str, Any]]) -> str | None:
    value = found[3].get("evaluated_by")
    return value.value if value is not None else None


def test_a_suite_is_a_check_for_each_expectation(
    location: tuple[dg.AssetSpec, dict[str, Any]], tmp_path: Path
) -> None:
    spec, settings = location
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({"name": "orders", "expectations": SUITE}))
    checks = build_expectation_checks(assets=[spec], suite=path, settings=settings)
    found = _run(checks)
    prefix = f"agent_expectation_{NOT_NULL}"
    filled, email = found[f"{prefix}_order_id"], found[f"{prefix}_email"]
    assert (filled[0], _way(filled)) == (True, "compiled-sql")
    assert (email[0], email[1]) == (False, "WARN")
    assert "8 of 10 are not (80.00 %), tolerated are 50 %" in email[2]
    assert email[3][f"{NOT_NULL}_email: unexpected"].value == 8
    increasing = found["agent_expectation_expect_column_values_to_be_increasing_order_id"]
    assert (increasing[0], _way(increasing)) == (True, "gx-pandas")
    assert [found[name][0] for name in (prefix, "agent_expectation_number_5")] == [False, False]
    assert found[prefix][2].startswith("Could not run: ")
    assert "has no argument 'colum'" in found[prefix][2]
    assert len(found) == 5


def test_meta_is_enough(location: tuple[dg.AssetSpec, dict[str, Any]]) -> None:
    spec, settings = location
    node = spec.metadata["dagster_dbt/manifest"]["nodes"][UID]
    assert build_expectation_checks(assets=[spec], settings=settings) == []
    node["config"]["meta"] = {"dagster_agent": {"expectations": SUITE[:1]}}
    (checks,) = build_expectation_checks(assets=[spec], settings=settings)
    (key,) = checks.check_keys
    assert key.name == f"agent_expectation_{NOT_NULL}_order_id"


def test_the_customers_own_checkpoint_is_run_as_it_is(
    location: tuple[dg.AssetSpec, dict[str, Any]],
) -> None:
    spec, settings = location
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import pandas as pd

        context: Any = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_pandas("p")
        whole = source.add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
        suite: Any = gx.ExpectationSuite(name="s")
        suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="email"))
        suite.add_expectation(gx.expectations.ExpectColumnToExist(column="order_id"))
        suite = context.suites.add(suite)
        validation: Any = gx.ValidationDefinition(name="v", data=whole, suite=suite)
        checkpoint: Any = gx.Checkpoint(
            name="c", validation_definitions=[context.validation_definitions.add(validation)]
        )
        checkpoint = context.checkpoints.add(checkpoint)
    frame = pd.DataFrame({"order_id": [1, 2], "email": ["x", None]})

    def run() -> Any:
        return checkpoint.run(batch_parameters={"dataframe": frame})

    checks = build_expectation_checks(
        assets=[spec], checkpoint=run, suite=checkpoint_suite(checkpoint), settings=settings
    )
    found = _run(checks)
    told = {name.partition("_expect_")[2]: (each[0], _way(each)) for name, each in found.items()}
    assert told == {
        "column_values_to_not_be_null_email": (False, "gx-checkpoint"),
        "column_to_exist_order_id": (True, "gx-checkpoint"),
    }
    same = build_expectation_checks(assets=[spec], checkpoint=checkpoint, settings=settings)
    assert same[0].check_keys == checks[0].check_keys
    failing = _run(same)  # it has no data frame
    assert {each[0] for each in failing.values()} == {False}
    assert all(each[2].startswith("Could not run: the checkpoint") for each in failing.values())


def checkpoint_suite(checkpoint: Any) -> Any:
    return checkpoint.validation_definitions[0].suite


def test_what_cannot_be_built_is_said_at_load(
    location: tuple[dg.AssetSpec, dict[str, Any]], tmp_path: Path
) -> None:
    spec, settings = location
    with pytest.raises(ConfigError, match="cannot be read"):
        build_expectation_checks(assets=[spec], suite=tmp_path / "gone.json", settings=settings)
    with pytest.raises(ConfigError, match="'customers' is no dbt asset here"):
        build_expectation_checks(assets=[spec], suite=SUITE, asset="customers", settings=settings)
    with pytest.raises(ConfigError, match="does not tell its expectations"):
        build_expectation_checks(assets=[spec], checkpoint=print, settings=settings)
