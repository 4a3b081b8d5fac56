"""The JSON of the command line has the shape that `docs/contracts.md` fixes."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import (
    BlastRadius,
    Cause,
    Evidence,
    FileEdit,
    Finding,
    ProposedChange,
    Report,
    ResultTable,
    TableDiff,
    Verdict,
    Verification,
    VerificationStep,
)
from dagster_agent.response.contract import findings_json

UID = "model.flights.fct_flights"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "contracts.md"


def test_the_shape_is_the_documented_one() -> None:
    fence = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[0]
    assert _shape(findings_json([_finding()], _manifest())) == _shape(json.loads(fence))


def test_values_are_plain_json() -> None:
    made = findings_json([_finding()], _manifest())
    assert json.loads(json.dumps(made)) == made
    (finding,) = made["findings"]
    assert finding["asset"] == "fct_flights"
    assert finding["unique_id"] == UID
    assert finding["verdict"] == "cause-found"
    assert finding["fix"]["verified"] is True
    assert finding["fix"]["diff"].startswith("--- a/models/fct_flights.sql\n")
    assert finding["evidence"][0]["result"]["rows"] == [["2026-11-21", "1.50", None]]


def test_a_healthy_finding_has_nulls_not_missing_keys() -> None:
    report = Report(
        incident_id="I-1",
        asset=None,
        verdict=Verdict.HEALTHY,
        confidence=0.8,
        headline="all is well",
        evidence=(),
        started_at=NOW,
        finished_at=NOW,
    )
    bare = Finding(id="F-1", report=report, created_at=NOW)
    (finding,) = findings_json([bare], _manifest())["findings"]
    (full,) = findings_json([_finding()], _manifest())["findings"]
    assert finding.keys() == full.keys()
    assert finding["cause"] is None
    assert finding["fix"] is None


def _shape(value: Any) -> Any:
    """Keys and nesting, without the values; of lists the first element."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items() if key != "rows"}
    if isinstance(value, list):
        return [_shape(value[0])] if value and isinstance(value[0], dict) else "list"
    return "scalar"


def _finding() -> Finding:
    table = ResultTable(
        columns=("day", "share", "gone"), rows=((date(2026, 11, 21), Decimal("1.50"), None),)
    )
    edit = FileEdit(path="models/fct_flights.sql", before="a\n", after="b\n")
    report = Report(
        incident_id="I-1",
        asset=UID,
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline="fct_flights lost rows",
        evidence=(Evidence(id="E1", kind="row-accounting", statement="1 row", result=table),),
        started_at=NOW,
        finished_at=NOW,
        cause=Cause(files=("models/fct_flights.sql",), mechanism="m", pattern="p"),
        ruled_out=("the load (E2)",),
        blast_radius=BlastRadius(models=(UID,)),
        change=ProposedChange(title="t", rationale="r", edits=(edit,), assets=(UID,)),
        verification=Verification(
            steps=(VerificationStep(name="recheck", passed=True, detail="d", seconds=1.0),),
            tests_passed=12,
            data_diff=(
                TableDiff(asset=UID, rows_before=1, rows_after=2, rows_added=1, rows_removed=0),
            ),
        ),
    )
    return Finding(id="F-1", report=report, created_at=NOW)


def _manifest() -> Manifest:
    node = {
        "unique_id": UID,
        "name": "fct_flights",
        "resource_type": "model",
        "relation_name": '"f"."main"."fct_flights"',
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "flights",
        "adapter_type": "duckdb",
    }
    content = {"metadata": metadata, "nodes": {UID: node}, "sources": {}}
    return Manifest.from_bytes(json.dumps(content).encode())
