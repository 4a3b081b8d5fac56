"""`null-share-from-source` against its case file: real days, judged by the real checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Incident, Recheck, Symptom, SymptomKind
from dagster_agent.response.monitoring import anomaly_detections
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings
from dagster_agent.testing.memory_store import MemoryStore
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

CONTENT = yaml.safe_load(
    (
        Path(__file__).parents[2] / "cases" / "bug_pattern" / "null-share-from-source.yaml"
    ).read_text()
)
NOW = datetime(2026, 11, 18, 6, tzinfo=UTC)
FCT, RAW = "model.case.fct", "source.case.raw.orders"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as opened:
        yield opened


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in CONTENT["cases"]])
def test_case(case: dict[str, Any], connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sql = case.get("model", CONTENT["model"])
    connection.execute("create schema raw")
    table = CONTENT["raw"].format(nulls=case["nulls"])
    connection.execute(f"create table raw.orders as {table}")
    connection.execute(f"create table fct as {sql}")
    connection.execute(case.get("broken", "select 1"))
    with _workspace(sql, connection, tmp_path) as workspace:
        dossier = _dossier(workspace, case.get("focus", FCT))
        codebase = Codebase(root=tmp_path, manifest=workspace.manifest, dialect="duckdb")
        found = list(bug_patterns().get("null-share-from-source").propose(dossier, codebase))
        if "expect" not in case:
            assert found == []
            return
        (hypothesis,) = found
        assert (hypothesis.asset, hypothesis.confidence) == (RAW, 0.75)
        assert case["expect"]["says"] in hypothesis.mechanism
        assert hypothesis.question is not None
        assert case["expect"].get("asks", "40.0%") in hypothesis.question.text
        assert hypothesis.change is None
        assert hypothesis.data_cause
        assert hypothesis.recheck is Recheck.INVARIANT
        assert hypothesis.invariant is not None
        violated = workspace.warehouse.query(hypothesis.invariant.sql, purpose="test").scalar()
        assert violated == case["expect"]["red"]
        connection.execute(
            f"create or replace table raw.orders as {CONTENT['raw']}".format(nulls="false")
        )
        connection.execute(f"create or replace table fct as {sql}")
        assert workspace.warehouse.query(hypothesis.invariant.sql, purpose="test").scalar() == 0


def _dossier(workspace: Workspace, focus: str) -> Dossier:
    scope = (FCT, RAW) if focus == FCT else (RAW,)
    detections = [
        detection
        for uid in scope
        for detection in anomaly_detections(workspace, workspace.manifest.asset(uid), NOW)
    ]
    symptom = Symptom(kind=SymptomKind.CHECK_FAILED, headline="odd", observed_at=NOW, asset=focus)
    incident = Incident(
        id="I-1",
        fingerprint="f",
        title="odd",
        asset=focus,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )
    relations = {uid: workspace.manifest.asset(uid).relation for uid in scope}
    schemas = {uid: s for uid, r in relations.items() if r and (s := workspace.schema(r))}
    return Dossier(
        incident=incident,
        focus=focus,
        scope=scope,
        detections=tuple(detections),
        schemas=schemas,
        collected_at=NOW,
    )


def _workspace(sql: str, connection: duckdb.DuckDBPyConnection, folder: Path) -> Workspace:
    (folder / "dbt_project.yml").write_text("name: case\nprofile: case\n")
    (folder / "profiles.yml").write_text(
        "case: {target: dev, outputs: {dev: {type: duckdb, path: case.duckdb}}}"
    )
    model = {
        "unique_id": FCT,
        "name": "fct",
        "resource_type": "model",
        "original_file_path": "models/fct.sql",
        "relation_name": '"memory"."main"."fct"',
        "compiled_code": sql,
        "depends_on": {"nodes": [RAW]},
    }
    source = {
        "unique_id": RAW,
        "name": "orders",
        "resource_type": "source",
        "original_file_path": "models/sources.yml",
        "relation_name": '"memory"."raw"."orders"',
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "case",
        "adapter_type": "duckdb",
    }
    content = {"metadata": metadata, "nodes": {FCT: model}, "sources": {RAW: source}}
    return Workspace(
        settings=Settings(),
        project=DbtProject.open(folder),
        warehouse=MemoryWarehouse(connection),
        store=MemoryStore(),
        repository=None,
        state_directory=folder,
        _manifest=Manifest.from_bytes(json.dumps(content).encode()),
    )
