"""Bug patterns against their case files, on real tables in DuckDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import Hypothesis, Incident, Symptom, SymptomKind
from dagster_agent.sql.row_accounting import account_rows
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "bug_pattern"
UID = "model.case.fct"
PATH = "models/fct.sql"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _cases() -> list[Any]:
    found = []
    for file in [CASES / "inner-join-drops-rows.yaml"]:
        content = read_cases(file)
        found += [
            pytest.param(file.stem, content["tables"], case, id=f"{file.stem}: {case['name']}")
            for case in content["cases"]
        ]
    return found


@pytest.mark.parametrize(("pattern", "tables", "case"), _cases())
def test_case(pattern: str, tables: dict[str, str], case: dict[str, Any], tmp_path: Path) -> None:
    hypotheses = _propose(pattern, tables, case["sql"], tmp_path)
    expected = case.get("expect")
    if expected is None:
        assert hypotheses == []
        return
    (hypothesis,) = hypotheses
    assert [_losses(hypothesis)] == [expected["lost"]]
    assert hypothesis.line == expected["line"]
    assert hypothesis.confidence <= 0.79
    assert hypothesis.change is not None
    (edit,) = hypothesis.change.edits
    changed = edit.after.splitlines()[expected["line"] - 1]
    assert expected["after"] in changed
    untouched = [n for n in range(len(case["sql"].splitlines())) if n != expected["line"] - 1]
    assert all(edit.after.splitlines()[n] == case["sql"].splitlines()[n] for n in untouched)


def _losses(hypothesis: Hypothesis) -> list[int]:
    accounting = hypothesis.evidence[0]
    assert accounting.kind == "row-accounting"
    assert accounting.result is not None
    lost = [(row["step"], row["lost"]) for row in accounting.result.records()]
    return [int(str(rows)) for step, rows in lost if rows and "join" in str(step)]


def _propose(pattern: str, tables: dict[str, str], sql: str, folder: Path) -> list[Hypothesis]:
    with duckdb.connect(str(folder / "case.duckdb")) as connection:
        for name, query in tables.items():
            connection.execute(f"create table {name} as {query}")
    (folder / "models").mkdir()
    (folder / PATH).write_text(sql)
    warehouse = DuckDBWarehouse(folder / "case.duckdb", snapshot_dir=folder / "snapshots")
    account = AssetAccount(asset=UID, scopes=account_rows(sql, warehouse))
    dossier = Dossier(
        incident=_incident(), focus=UID, scope=(UID,), accounts=(account,), collected_at=NOW
    )
    codebase = Codebase(root=folder, manifest=_manifest(sql), dialect="duckdb")
    return list(bug_patterns().get(pattern).propose(dossier, codebase))


def _incident() -> Incident:
    symptom = Symptom(kind=SymptomKind.CHECK_FAILED, headline="rows are missing", observed_at=NOW)
    return Incident(
        id="I-1",
        fingerprint="f",
        title="rows are missing",
        asset=UID,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )


def _manifest(sql: str) -> Manifest:
    node = {
        "unique_id": UID,
        "name": "fct",
        "resource_type": "model",
        "original_file_path": PATH,
        "relation_name": '"case"."main"."fct"',
        "raw_code": sql.strip(),
        "compiled_code": sql.strip(),
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "case",
        "adapter_type": "duckdb",
    }
    content = {"metadata": metadata, "nodes": {UID: node}, "sources": {}}
    return Manifest.from_bytes(json.dumps(content).encode())
