"""Bug patterns that read counted evidence, against their case files, on real tables in DuckDB.

A case is a small project: tables, models as plain SQL, keys. The runner builds it, counts, lets the
pattern propose, checks that the invariant is violated, makes the change, builds again, and checks
that the invariant holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.currencies import account_currencies
from dagster_agent.investigation.accounts.keys import account_keys
from dagster_agent.investigation.accounts.loads import account_loads
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import Hypothesis, Incident, Recheck, Symptom, SymptomKind, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.lineage import tables_read
from dagster_agent.sql.row_accounting import account_rows
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "bug_pattern"
PATTERNS = (
    "aggregate-mixes-currencies",
    "duplicate-source-rows",
    "join-fans-out",
    "source-stale",
)
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
_REF = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")


def _cases() -> Iterator[Any]:
    for pattern in PATTERNS:
        content = read_cases(CASES / f"{pattern}.yaml")
        for case in content["cases"]:
            spec = {
                "tables": {**content.get("tables", {}), **case.get("tables", {})},
                "models": {**content.get("models", {}), **case.get("models", {})},
                "sources": {**content.get("sources", {}), **case.get("sources", {})},
                "seeds": case.get("seeds", {}),
            }
            yield pytest.param(pattern, spec, case, id=f"{pattern}: {case['name']}")


@pytest.mark.parametrize(("pattern", "spec", "case"), list(_cases()))
def test_case(pattern: str, spec: dict[str, Any], case: dict[str, Any], tmp_path: Path) -> None:
    project = Project(folder=tmp_path, spec=spec)
    project.build()
    hypotheses = project.propose(pattern)
    expected = case.get("expect")
    if expected is None:
        assert hypotheses == []
        return
    hypothesis = hypotheses[0]
    assert hypothesis.asset.endswith(f".{expected['asset']}")
    assert hypothesis.confidence == expected["confidence"]
    assert hypothesis.confidence <= 0.79
    for words in expected["says"]:
        assert words in hypothesis.mechanism
    if "red" in expected:
        assert hypothesis.invariant is not None
        assert project.violations(hypothesis) == expected["red"]
    if "after" not in expected:
        assert hypothesis.change is None
        assert hypothesis.data_cause is expected.get("data_cause", False)
        assert (hypothesis.question is not None) is expected.get("asks", False)
        return
    assert hypothesis.change is not None, hypothesis.mechanism
    assert expected["after"] in hypothesis.change.diff()
    project.apply(hypothesis)
    assert project.violations(hypothesis) == 0
    assert project.propose(pattern) == []


@dataclass(frozen=True, kw_only=True)
class Project:
    """Tables and models of one case in a folder."""

    folder: Path
    spec: Mapping[str, Mapping[str, Any]]

    def build(self) -> None:
        (self.folder / "models").mkdir(exist_ok=True)
        with duckdb.connect(str(self.folder / "case.duckdb")) as connection:
            connection.execute("create schema if not exists raw")
            for name, query in self.spec["tables"].items():
                connection.execute(f"create or replace table {name} as {query}")
        for name, model in self.spec["models"].items():
            if model:
                self.path(name).write_text(model["sql"])
        for name, text in self.spec["seeds"].items():
            (self.folder / "seeds").mkdir(exist_ok=True)
            (self.folder / "seeds" / f"{name}.csv").write_text(text)
        self._build_models()

    def apply(self, hypothesis: Hypothesis) -> None:
        assert hypothesis.change is not None
        for edit in hypothesis.change.edits:
            file = self.folder / edit.path
            assert file.read_text() == edit.before
            file.write_text(edit.after)
        self._build_models()

    def _build_models(self) -> None:
        with duckdb.connect(str(self.folder / "case.duckdb")) as connection:
            for name, model in self.spec["models"].items():
                if model:
                    connection.execute(f"create or replace table {name} as {self.compiled(name)}")

    def compiled(self, model: str) -> str:
        return _REF.sub(r"\1", self.path(model).read_text())

    def path(self, model: str) -> Path:
        return self.folder / "models" / f"{model}.sql"

    @property
    def warehouse(self) -> DuckDBWarehouse:
        return DuckDBWarehouse(self.folder / "case.duckdb")

    def violations(self, hypothesis: Hypothesis) -> int:
        assert hypothesis.recheck is Recheck.INVARIANT
        assert hypothesis.invariant is not None
        return int(str(self.warehouse.query(hypothesis.invariant.sql, purpose="test").scalar()))

    def manifest(self) -> Manifest:
        names = {name: f"model.case.{name}" for name, model in self.spec["models"].items() if model}
        tables = {n: f"source.case.{n}" if "." in n else f"seed.case.{n}" for n in self.tables()}
        known = {**tables, **names}
        nodes: dict[str, Any] = {}
        for name, uid in names.items():
            sql = self.compiled(name)
            read = {
                (f"{r.schema}." if r.schema else "") + r.name for r in tables_read(sql, "duckdb")
            }
            nodes[uid] = {
                "unique_id": uid,
                "name": name,
                "resource_type": "model",
                "original_file_path": f"models/{name}.sql",
                "relation_name": f'"case"."main"."{name}"',
                "raw_code": sql.strip(),
                "compiled_code": sql.strip(),
                "primary_key": self.spec["models"][name].get("key"),
                "depends_on": {"nodes": sorted(known[table] for table in read)},
            }
        for name, uid in tables.items():
            node = {
                "unique_id": uid,
                "name": name.split(".")[-1],
                "resource_type": uid.split(".")[0],
                "original_file_path": f"seeds/{name}.csv"
                if name in self.spec["seeds"]
                else "s.yml",
                "relation_name": f'"case"."{name.replace(".", chr(34) + "." + chr(34))}"'
                if "." in name
                else f'"case"."main"."{name}"',
                **self.spec["sources"].get(name, {}),
            }
            nodes[uid] = node
        sources = {uid: node for uid, node in nodes.items() if uid.startswith("source.")}
        content = {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                "project_name": "case",
                "adapter_type": "duckdb",
            },
            "nodes": {uid: node for uid, node in nodes.items() if uid not in sources},
            "sources": sources,
        }
        return Manifest.from_bytes(json.dumps(content).encode())

    def tables(self) -> list[str]:
        return list(self.spec["tables"])

    def propose(self, pattern: str) -> list[Hypothesis]:
        warehouse = self.warehouse
        with warehouse.together():  # one connection for all statements
            return self._proposed(pattern, warehouse)

    def _proposed(self, pattern: str, warehouse: Warehouse) -> list[Hypothesis]:
        manifest = self.manifest()
        schemas = _schemas(manifest, warehouse)
        scope = tuple(manifest.assets)
        models = [uid for uid in scope if uid.startswith("model.")]
        dossier = Dossier(
            incident=_incident(),
            focus=models[-1],
            scope=scope,
            accounts=tuple(
                AssetAccount(
                    asset=uid, scopes=account_rows(manifest.compiled_code(uid) or "", warehouse)
                )
                for uid in models
            ),
            schemas=schemas,
            keys=_present(account_keys(u, manifest, warehouse, schemas.get(u)) for u in scope),
            loads=_present(
                account_loads(u, manifest, warehouse, schemas.get(u), NOW) for u in scope
            ),
            currencies=_present(
                account_currencies(u, manifest, warehouse, schemas) for u in models
            ),
            collected_at=NOW,
        )
        codebase = Codebase(root=self.folder, manifest=manifest, dialect="duckdb")
        found = list(bug_patterns().get(pattern).propose(dossier, codebase))
        return sorted(found, key=lambda hypothesis: -hypothesis.confidence)


def _present(found: Iterator[Any]) -> tuple[Any, ...]:
    return tuple(each for each in found if each is not None)


def _schemas(manifest: Manifest, warehouse: Warehouse) -> dict[str, TableSchema]:
    relations = {uid: a.relation for uid, a in manifest.assets.items() if a.relation}
    found = warehouse.schemas(sorted(relations.values(), key=str))
    return {uid: found[relation] for uid, relation in relations.items() if relation in found}


def _incident() -> Incident:
    symptom = Symptom(kind=SymptomKind.CHECK_FAILED, headline="odd figures", observed_at=NOW)
    return Incident(
        id="I-1",
        fingerprint="f",
        title="odd figures",
        asset=None,
        symptoms=(symptom,),
        opened_at=NOW,
        updated_at=NOW,
    )
