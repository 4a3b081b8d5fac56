"""Patterns that read the history of a file, or what became of a source, against their cases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.project_history import Author, commit_all, run_git
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.git.repository import GitRepository
from dagster_agent.investigation.accounts.new_columns import NewColumn
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.classification import classify
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import (
    ColumnSchema,
    Hypothesis,
    Incident,
    Recheck,
    Relation,
    Symptom,
    SymptomKind,
    TableSchema,
)
from dagster_agent.sql.row_accounting import account_rows
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "bug_pattern"
UID, SOURCE, PATH = "model.case.fct", "source.case.raw.orders", "models/fct.sql"
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
ANNA = Author(name="Anna", email="anna@case.example")


def cases(pattern: str) -> list[Any]:
    content = read_cases(CASES / f"{pattern}.yaml")
    return [pytest.param(case, id=case["name"]) for case in content["cases"]]


@pytest.mark.parametrize("case", cases("change-breaks-build"))
def test_change_breaks_build(case: dict[str, Any], tmp_path: Path) -> None:
    codebase = _codebase(case, tmp_path)
    dossier = _dossier(failures=(classify(f"in model fct (models/fct.sql)\n  {case['says']}"),))
    found = _proposed("change-breaks-build", dossier, codebase)
    if "expect" not in case:
        assert found == []
        return
    (hypothesis,) = found
    expected = case["expect"]
    assert hypothesis.change is not None
    assert hypothesis.change.edits[0].after == expected["after"]
    assert hypothesis.line == expected["line"]
    assert hypothesis.confidence == pytest.approx(expected["confidence"])
    assert expected.get("mechanism", "") in hypothesis.mechanism
    assert hypothesis.recheck is Recheck.BUILD
    assert (hypothesis.commit is None) == case.get("uncommitted", False)


@pytest.mark.parametrize("case", cases("new-filter-drops-rows"))
def test_new_filter_drops_rows(case: dict[str, Any], tmp_path: Path) -> None:
    database = tmp_path / "case.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create table orders as select i as order_id, "
            "case when i % 4 = 0 then 'completed' else 'open' end as status from range(1, 101) t(i)"
        )
    warehouse = DuckDBWarehouse(database, snapshot_dir=tmp_path / "snapshots")
    sql = case.get("compiled", case["after"])
    account = AssetAccount(asset=UID, scopes=account_rows(sql, warehouse))
    found = _proposed(
        "new-filter-drops-rows", _dossier(accounts=(account,)), _codebase(case, tmp_path / "dbt")
    )
    if "expect" not in case:
        assert found == []
        return
    (hypothesis,) = found
    expected = case["expect"]
    told = f"{expected['without']} rows without it, {expected['with']} with it"
    assert f"`{expected['filter']}`" in hypothesis.mechanism
    assert told in hypothesis.mechanism
    assert hypothesis.change is None
    assert hypothesis.commit is not None
    assert hypothesis.question is not None
    assert expected["filter"] in hypothesis.question.text


@pytest.mark.parametrize("case", cases("new-source-column"))
def test_new_source_column(case: dict[str, Any], tmp_path: Path) -> None:
    codebase = _codebase({"after": case["sql"]}, tmp_path)
    schema = _schema("order_id", "amount", *case["new"])
    columns = tuple(
        NewColumn(asset=SOURCE, column=name, query="select 1", **facts)
        for name, facts in case["new"].items()
    )
    dossier = _dossier(schemas={SOURCE: schema}, new_columns=columns)
    found = _proposed("new-source-column", dossier, codebase)
    if "expect" not in case:
        assert found == []
        return
    (hypothesis,) = found
    expected = case["expect"]
    assert list(hypothesis.columns) == expected["columns"]
    assert hypothesis.recheck is Recheck.COLUMNS
    assert (hypothesis.change is not None) == expected["carried"]
    if hypothesis.change is not None:
        texts = {edit.path: edit.after for edit in hypothesis.change.edits}
        assert expected["columns"][0] in texts[PATH]
        assert ("not_null" in texts["models/models.yml"]) == expected["not_null"]


@pytest.mark.parametrize("case", cases("source-table-missing"))
def test_source_table_missing(case: dict[str, Any], tmp_path: Path) -> None:
    schema = _schema("order_id")
    dossier = _dossier(
        scope=(SOURCE, UID),
        accepted={SOURCE: schema} if case["accepted"] else {},
        schemas={SOURCE: schema} if case["there"] else {},
    )
    found = _proposed("source-table-missing", dossier, _codebase({"after": "select 1"}, tmp_path))
    if "expect" not in case:
        assert found == []
        return
    (hypothesis,) = found
    table = hypothesis.evidence[0].result
    assert table is not None
    assert [row[0] for row in table.rows] == case["expect"]["affected"]
    assert hypothesis.data_cause
    assert hypothesis.change is None
    assert hypothesis.question is not None


def _proposed(pattern: str, dossier: Dossier, codebase: Codebase) -> list[Hypothesis]:
    found = list(bug_patterns().get(pattern).propose(dossier, codebase))
    assert all(h.confidence <= 0.79 and h.pattern == pattern for h in found)
    return found


def _codebase(case: dict[str, Any], root: Path) -> Codebase:
    """A repository whose model file was `before` and is `after`."""
    (root / "models").mkdir(parents=True)
    described = "models:\n  - name: fct\n    columns:\n      - name: order_id\n"
    (root / "models" / "models.yml").write_text(described)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    versions = [(case[key], days) for key, days in (("before", 400), ("after", 1)) if key in case]
    for number, (text, days) in enumerate(versions):
        (root / PATH).write_text(text)
        newest = number == len(versions) - 1
        if not (newest and case.get("uncommitted")):
            age = case.get("days_ago", days) if newest else days
            commit_all(root, f"Version {number}", author=ANNA, at=NOW - timedelta(days=age))
    return Codebase(
        root=root,
        manifest=_manifest(case.get("compiled", case["after"])),
        dialect="duckdb",
        repository=GitRepository.discover(root),
    )


def _dossier(**more: Any) -> Dossier:
    symptom = Symptom(kind=SymptomKind.RUN_FAILED, headline="h", observed_at=NOW, asset=UID)
    incident = Incident(
        id="I-1",
        fingerprint="f",
        title="t",
        asset=UID,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )
    return Dossier(
        **{
            "incident": incident,
            "focus": UID,
            "scope": (UID, SOURCE),
            "collected_at": NOW,
            **more,
        }
    )


def _schema(*columns: str) -> TableSchema:
    return TableSchema(
        relation=Relation(database="case", schema="main", name="orders"),
        columns=tuple(
            ColumnSchema(name=name, type="VARCHAR", position=n) for n, name in enumerate(columns, 1)
        ),
    )


def _manifest(sql: str) -> Manifest:
    model = {
        "unique_id": UID,
        "name": "fct",
        "resource_type": "model",
        "original_file_path": PATH,
        "patch_path": "case://models/models.yml",
        "relation_name": '"case"."main"."fct"',
        "depends_on": {"nodes": [SOURCE]},
        "raw_code": sql,
        "compiled_code": sql,
    }
    source = {
        "unique_id": SOURCE,
        "name": "orders",
        "resource_type": "source",
        "source_name": "raw",
        "relation_name": '"case"."main"."orders"',
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "case",
        "adapter_type": "duckdb",
    }
    content = {"metadata": metadata, "nodes": {UID: model}, "sources": {SOURCE: source}}
    return Manifest.from_bytes(json.dumps(content).encode())
