"""`null-semantics` against its case file, on real tables in DuckDB.

The runner builds the model, counts, lets the pattern propose, sees the invariant violated, makes
the change, builds again, and sees it kept and the pattern silent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError
from dagster_agent.investigation.accounts.nulls import NullAccount, account_nulls, null_losses
from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Hypothesis, Incident, Recheck, Symptom, SymptomKind

CONTENT = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "bug_pattern" / "null-semantics.yaml").read_text()
)
UID = "model.case.fct"
PATH = "models/fct.sql"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Project:
    """Tables, and one model over them, in a folder."""

    folder: Path
    tables: Mapping[str, str]

    @property
    def file(self) -> Path:
        return self.folder / PATH

    @property
    def warehouse(self) -> DuckDBWarehouse:
        return DuckDBWarehouse(self.folder / "case.duckdb", snapshot_dir=self.folder / "snapshots")

    def write(self, sql: str, *, build: bool = True) -> None:
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(sql)
        if build:
            with duckdb.connect(str(self.folder / "case.duckdb")) as connection:
                connection.execute(f"create or replace table fct as {sql}")

    def manifest(self) -> Manifest:
        sql = self.file.read_text().strip()
        sources = {
            f"source.case.{name}": {
                "unique_id": f"source.case.{name}",
                "name": name.split(".")[1],
                "resource_type": "source",
                "relation_name": f'"case"."raw"."{name.split(".")[1]}"',
            }
            for name in self.tables
        }
        node = {
            "unique_id": UID,
            "name": "fct",
            "resource_type": "model",
            "original_file_path": PATH,
            "relation_name": '"case"."main"."fct"',
            "raw_code": sql,
            "compiled_code": sql,
            "depends_on": {"nodes": sorted(sources)},
        }
        metadata = {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "case",
            "adapter_type": "duckdb",
        }
        content = {"metadata": metadata, "nodes": {UID: node}, "sources": sources}
        return Manifest.from_bytes(json.dumps(content).encode())

    def account(self) -> NullAccount | None:
        manifest, warehouse = self.manifest(), self.warehouse
        relations = {uid: a.relation for uid, a in manifest.assets.items() if a.relation}
        found = warehouse.schemas(sorted(relations.values(), key=str))
        schemas = {uid: found[r] for uid, r in relations.items() if r in found}
        return account_nulls(UID, manifest, warehouse, schemas)

    def propose(self) -> list[Hypothesis]:
        return self.told(self.account())

    def told(self, account: NullAccount | None) -> list[Hypothesis]:
        symptom = Symptom(kind=SymptomKind.CHECK_FAILED, headline="odd", observed_at=NOW)
        incident = Incident(
            id="I-1",
            fingerprint="f",
            title="odd",
            asset=UID,
            symptoms=(symptom,),
            opened_at=NOW,
            updated_at=NOW,
        )
        dossier = Dossier(
            incident=incident,
            focus=UID,
            scope=(UID,),
            nulls=(account,) if account else (),
            collected_at=NOW,
        )
        codebase = Codebase(root=self.folder, manifest=self.manifest(), dialect="duckdb")
        return list(bug_patterns().get("null-semantics").propose(dossier, codebase))

    def violations(self, hypothesis: Hypothesis) -> int:
        assert hypothesis.recheck is Recheck.INVARIANT
        assert hypothesis.invariant is not None
        return int(str(self.warehouse.query(hypothesis.invariant.sql, purpose="test").scalar()))


def _create(file: Path, tables: Mapping[str, str]) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema raw")
        for name, query in tables.items():
            connection.execute(f"create table {name} as {query}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "case.duckdb"
    _create(file, CONTENT["tables"])
    return file


@pytest.fixture
def project(data: Path, tmp_path: Path) -> Project:
    shutil.copy(data, tmp_path)
    return Project(folder=tmp_path, tables=CONTENT["tables"])


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in CONTENT["cases"]])
def test_case(case: dict[str, Any], project: Project) -> None:
    project.write(case["sql"])
    account = project.account()
    expected = case.get("expect")
    if expected is None:
        assert account is None
        return
    assert account is not None
    (hypothesis,) = project.told(account)
    assert [loss.kind for loss in account.losses] == [expected["kind"]]
    assert null_losses(account) == expected["lost"]
    assert [row[-1] for row in hypothesis.evidence[0].result.rows] == [expected["lost"]]
    assert hypothesis.confidence == expected.get("confidence", hypothesis.confidence)
    for words in expected.get("says", ()):
        assert words in hypothesis.mechanism
    assert project.violations(hypothesis) == expected["red"]
    assert hypothesis.question is not None
    assert hypothesis.question.text == expected.get("asks", hypothesis.question.text)
    if "after" not in expected:
        assert hypothesis.change is None
        return
    assert hypothesis.line == expected.get("line", hypothesis.line)
    assert hypothesis.change is not None, hypothesis.mechanism
    assert expected["after"] in hypothesis.change.diff().splitlines()
    (edit,) = hypothesis.change.edits
    project.write(edit.after)
    assert project.violations(hypothesis) == 0
    assert project.account() is None


def test_the_evidence_can_be_run_again(project: Project) -> None:
    project.write("select order_id from raw.orders where status <> 'cancelled'")
    (hypothesis,) = project.propose()
    counted, output = hypothesis.evidence
    assert counted.result is not None
    assert counted.result.rows == ((200, 160, 20),)
    row = project.warehouse.query(counted.query or "", purpose="test").rows[0]
    assert row == (200, 160, 20)
    assert output.result is not None
    assert output.result.records().__next__() == {
        "rows now": 160.0,
        "rows with NULL let through": 180.0,
    }
    rows = project.warehouse.query(output.query or "", purpose="test").rows
    assert [(number, n) for number, n, _ in rows] == [(0, 160), (1, 180)]


def test_every_place_is_a_hypothesis_of_its_own(project: Project) -> None:
    project.write(
        "select o.order_id, amount + shipping as total from raw.orders o\n"
        "where status <> 'cancelled' and email not like 'c1%'\n"
        "and customer_id not in (select customer_id from raw.blocked where customer_id < 3)"
    )
    found = project.propose()
    assert [h.confidence for h in found] == [0.6, 0.55, 0.55]
    assert [h.line for h in found] == [1, 2, 2]
    lost = [h.evidence[0].result.rows[0][-1] for h in found if h.evidence[0].result]
    # a row without status and without email is lost to neither alone
    assert lost == [44, 7, 20]
    for hypothesis in found:
        assert project.violations(hypothesis) == lost[found.index(hypothesis)]


def test_one_that_cannot_be_counted_does_not_hide_the_others(project: Project) -> None:
    project.write(
        "with d as (select order_id, status, shipping, [1] as a, [null] as b from raw.orders)\n"
        "select order_id, a || b as list, cast(shipping as varchar) || channel as t\n"
        "from d cross join (select 'x' as channel) where status <> 'cancelled'"
    )
    found = project.propose()
    assert [h.line for h in found] == [2, 3]


def test_an_incremental_model_is_judged_as_if_built_anew(project: Project) -> None:
    project.write("select order_id, status from raw.orders where status <> 'cancelled'")
    project.write(
        "select order_id, status from raw.orders where status <> 'cancelled'\n"
        'and order_id > (select max(order_id) from "case"."main"."fct")',
        build=False,
    )
    (hypothesis,) = project.propose()
    assert hypothesis.evidence[0].result is not None
    assert hypothesis.evidence[0].result.rows == ((200, 160, 20),)
    assert project.violations(hypothesis) == 20


def test_a_model_that_was_never_built_is_read_all_the_same(project: Project) -> None:
    project.write("select order_id from raw.orders where status <> 'cancelled'", build=False)
    account = project.account()
    assert account is not None
    assert null_losses(account) == 20


def test_empty_tables_lose_nothing(tmp_path: Path) -> None:
    empty = {name: f"select * from ({sql}) where false" for name, sql in CONTENT["tables"].items()}
    _create(tmp_path / "case.duckdb", empty)
    project = Project(folder=tmp_path, tables=empty)
    project.write("select order_id, amount + shipping as t from raw.orders where status <> 'x'")
    assert project.account() is None


def test_a_table_that_is_gone_is_said(project: Project) -> None:
    project.write("select order_id from raw.gone where status <> 'x'", build=False)
    with pytest.raises(ConnectorError, match="gone"):
        project.account()


def test_odd_names(tmp_path: Path) -> None:
    rows = (
        'select i as "Bestell Nr", case when i > 2 then \'x\' end as "Größe" from range(1, 6) t(i)'
    )
    _create(tmp_path / "case.duckdb", {"raw.orders": rows})
    project = Project(folder=tmp_path, tables={"raw.orders": rows})
    project.write('select "Bestell Nr" from raw.orders where "Größe" <> \'y\'')
    (hypothesis,) = project.propose()
    assert hypothesis.change is not None
    assert 'where ("Größe" <> \'y\' or "Größe" is null)' in hypothesis.change.diff()
    assert project.violations(hypothesis) == 2


def test_a_comma_join_and_several_branches(project: Project) -> None:
    project.write(
        "select o.order_id from raw.orders o, raw.refunds r\n"
        "where o.order_id = r.order_id and o.email <> 'a'\n"
        "union all\n"
        "select order_id from raw.orders where channel <> 'y'"
    )
    (hypothesis,) = project.propose()
    assert hypothesis.evidence[0].result is not None
    assert hypothesis.evidence[0].result.rows == ((100, 80, 20),)
    assert project.violations(hypothesis) == 20


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.sampled_from([None, "x", "y"]), min_size=1, max_size=20))
def test_as_many_are_lost_as_are_null(project: Project, values: list[str | None]) -> None:
    listed = ", ".join("null" if value is None else f"'{value}'" for value in values)
    project.write(
        f"select status from (select unnest([{listed}]::varchar[]) as status) where status <> 'x'",
        build=False,
    )
    account = project.account()
    assert (null_losses(account) if account else 0) == values.count(None)
    for loss in account.losses if account else ():
        rows = project.warehouse.query(loss.difference.mended_code, purpose="test").rows
        assert sorted(map(str, rows)) == sorted(str((v,)) for v in values if v != "x")
