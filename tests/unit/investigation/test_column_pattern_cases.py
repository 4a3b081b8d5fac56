"""Bug patterns of columns against their case files: tables in DuckDB, changed under the models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.broken_reads import broken_reads
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    ColumnSchema,
    Failure,
    FailureFacts,
    Hypothesis,
    Incident,
    Relation,
    TableSchema,
)
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "bug_pattern"
KINDS = ("upstream-column-renamed", "upstream-column-dropped", "type-change-breaks-cast")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
LOADED = [
    pytest.param(
        kind,
        {
            **case,
            "sources": content["sources"],
            "models": {**content["models"], **case.get("models", {})},
        },
        id=f"{kind}: {case['name']}",
    )
    for kind in KINDS
    for content in [read_cases(CASES / f"{kind}.yaml")]
    for case in content["cases"]
]


@pytest.mark.parametrize(("kind", "case"), LOADED)
def test_case(kind: str, case: dict[str, Any], tmp_path: Path) -> None:
    hypotheses = propose(kind, case, tmp_path)
    expected = case.get("expect", [])
    assert [h.asset.rpartition(".")[2] for h in hypotheses] == [e["asset"] for e in expected], [
        h.mechanism for h in hypotheses
    ]
    for hypothesis, wanted in zip(hypotheses, expected, strict=True):
        assert wanted["says"] in hypothesis.mechanism
        assert wanted.get("evidence", "") in hypothesis.evidence[0].statement
        low, high = wanted.get("confidence", (0.3, 0.79))
        assert low <= hypothesis.confidence <= high
        assert hypothesis.recheck.value == wanted.get("recheck", hypothesis.recheck.value)
        if "invariant" in wanted:
            assert hypothesis.invariant is not None
            assert hypothesis.invariant.statement == wanted["invariant"]
        assert changed_lines(hypothesis) == wanted.get("lines")
        if hypothesis.change is not None:
            rebuilt = [f"model.case.{wanted['rebuilt']}"] if "rebuilt" in wanted else []
            assert hypothesis.change.assets == (*rebuilt, hypothesis.asset)


def changed_lines(hypothesis: Hypothesis) -> dict[str, list[str]] | None:
    if hypothesis.change is None:
        return None
    found = {}
    for edit in hypothesis.change.edits:
        before, after = (edit.before or "").splitlines(), edit.after.splitlines()
        pairs = zip(before, after, strict=True)
        found[edit.path] = [new for old, new in pairs if old != new]
        assert hypothesis.line is not None
    return found


def compiled(text: str) -> str:
    sql = re.sub(r"\{\{ source\('raw', '(\w+)'\) \}\}", r"raw.\1", text)
    return re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"main.\1", sql)


def propose(kind: str, case: dict[str, Any], folder: Path) -> list[Hypothesis]:
    code = {**case["models"], **case.get("code", {})}
    (folder / "models").mkdir()
    for name, text in code.items():
        (folder / "models" / f"{name}.sql").write_text(text)
    given = case.get("compiled", {})
    manifest = manifest_of(case["sources"], code, given)
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        for name, query in case["sources"].items():
            connection.execute(f"create table raw.{name} as {query}")
        for name, text in case["models"].items():
            connection.execute(f"create table main.{name} as {given.get(name) or compiled(text)}")
        accepted = schemas_of(connection, manifest) if case.get("accepted", True) else {}
        for statement in case.get("then", ()):
            connection.execute(statement)
        schemas = schemas_of(connection, manifest)
    sources = {uid: s for uid, s in accepted.items() if uid.startswith("source.")}
    dossier = Dossier(
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
        scope=tuple(manifest.assets),
        schemas=schemas,
        accepted=sources,
        broken_reads=broken_reads(tuple(manifest.assets), manifest, schemas, "duckdb"),
        failures=tuple(failure(f) for f in case.get("failures", ())),
        collected_at=NOW,
    )
    codebase = Codebase(root=folder, manifest=manifest, dialect="duckdb")
    return list(bug_patterns().get(kind).propose(dossier, codebase))


def failure(told: Mapping[str, Any]) -> Failure:
    facts = {k: v for k, v in told.items() if k != "class"}
    facts["candidates"] = tuple(facts.get("candidates", ()))
    return Failure(
        failure_class=told["class"],
        retryable=False,
        confidence=0.9,
        rule="x/y",
        excerpt="Binder Error",
        facts=FailureFacts(**facts),
    )


def schemas_of(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, TableSchema]:
    found = {}
    for uid, asset in manifest.assets.items():
        assert asset.relation is not None
        rows = connection.execute(
            "select column_name, data_type, ordinal_position from information_schema.columns "
            "where table_schema = ? and table_name = ? order by 3",
            [asset.relation.schema, asset.relation.name],
        ).fetchall()
        columns = tuple(ColumnSchema(name=n, type=t, position=p) for n, t, p in rows)
        if columns:
            found[uid] = TableSchema(relation=asset.relation, columns=columns)
    return found


def manifest_of(
    sources: Mapping[str, str], models: Mapping[str, str], given: Mapping[str, str]
) -> Manifest:
    tables = {
        f"source.case.raw.{name}": {
            "unique_id": f"source.case.raw.{name}",
            "name": name,
            "source_name": "raw",
            "resource_type": "source",
            "original_file_path": "models/sources.yml",
            "relation_name": str(Relation(schema="raw", name=name).sql()),
        }
        for name in sources
    }
    nodes = {}
    for name, text in models.items():
        uid = f"model.case.{name}"
        reads = [f"source.case.raw.{m}" for m in re.findall(r"source\('raw', '(\w+)'\)", text)]
        reads += [f"model.case.{m}" for m in re.findall(r"ref\('(\w+)'\)", text)]
        nodes[uid] = {
            "unique_id": uid,
            "name": name,
            "resource_type": "model",
            "original_file_path": f"models/{name}.sql",
            "relation_name": Relation(schema="main", name=name).sql(),
            "raw_code": text.strip(),
            "compiled_code": (given.get(name) or compiled(text)).strip(),
            "depends_on": {"nodes": reads},
        }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "case",
        "adapter_type": "duckdb",
    }
    content = {"metadata": metadata, "nodes": nodes, "sources": tables}
    return Manifest.from_bytes(json.dumps(content).encode())
