"""A change tried for real: dbt, DuckDB, sandbox; one warm sandbox for all questions.

This file is long because its tests share one warm sandbox.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import DetectionStatus, FileEdit, ProposedChange, Verification
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.verification import verify

STAGED = "model.flights.stg_flights"
PATH = "models/staging/stg_flights.sql"


@pytest.fixture(scope="module")
def fingerprint(built_project: Path) -> dict[str, str]:
    return files_of(built_project)


def files_of(root: Path) -> dict[str, str]:
    """Every file of the customer's project with a digest of its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def opened(
    built_project: Path, fingerprint: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("agent")
    project = DbtProject.open(built_project)
    warehouse = open_warehouse(
        project.output, base_dir=project.root, snapshot_dir=folder / "snapshots"
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WANTED", "from_outside")
        with Sandbox(project=project, warehouse=warehouse, directory=folder / "sandbox") as sandbox:
            yield sandbox
    assert not (folder / "sandbox").exists()
    assert files_of(built_project) == fingerprint


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    opened.revert()


def change(after: str, *, before: str | None = None, path: str = PATH) -> ProposedChange:
    return ProposedChange(
        title="Change it",
        rationale="To see.",
        edits=(FileEdit(path=path, before=before, after=after),),
        assets=(STAGED,),
    )


@pytest.fixture
def text(built_project: Path) -> str:
    return (built_project / PATH).read_text()


def names(verification: Verification) -> list[tuple[str, bool]]:
    return [(step.name, step.passed) for step in verification.steps]


def test_the_cure_is_proved(sandbox, text, recheck, said, built_project):
    fault = Fault(
        asset=STAGED,
        path=PATH,
        text=text,
        compiled_code=sandbox.manifest.compiled_code(STAGED) or "",
        dialect="duckdb",
        join_ordinal=0,
    )
    cure = fixers().get("left-join").propose(fault)
    assert isinstance(cure, ProposedChange)

    found = verify(sandbox, cure, recheck=recheck, narrator=said)

    assert names(found) == [
        ("reproduce", True),
        ("apply", True),
        ("rebuild", True),
        ("recheck", True),
        ("tests", True),
        ("data-diff", True),
    ]
    assert found.verified
    assert found.tests_passed == 3
    diffs = {d.asset.rsplit(".", 1)[-1]: d for d in found.data_diff}
    assert next(iter(diffs)) == "stg_flights"
    staged = diffs["stg_flights"]
    assert (staged.rows_before, staged.rows_after) == (80, 100)
    assert (staged.rows_added, staged.rows_removed) == (20, 0)
    assert (diffs["by_maker"].rows_before, diffs["by_maker"].rows_after) == (1, 2)
    assert (diffs["history"].rows_before, diffs["history"].rows_after) == (80, 100)
    assert diffs["makers"].identical
    assert set(diffs) == {"stg_flights", "by_maker", "history", "makers"}
    assert found.before is not None
    assert found.after is not None
    assert (found.before.rows, found.after.rows) == (((100, 80),), ((100, 100),))
    assert [what for what, _ in said.lines] == [f"sandbox: {n}" for n, _ in names(found)]
    assert "80 of 100 flights arrive" in said.lines[0][1]
    assert "incremental ones from nothing" in said.lines[2][1]
    assert all(step.seconds >= 0 for step in found.steps)


def test_a_change_that_does_not_help_stays_red(sandbox, text, recheck, said):
    found = verify(
        sandbox, change(text + "-- no cure\n", before=text), recheck=recheck, narrator=said
    )
    assert names(found)[-1] == ("recheck", False)
    assert "still not green" in found.steps[-1].detail
    assert not found.verified


def test_a_cure_that_breaks_a_test_is_not_verified(sandbox, text, recheck, said):
    worse = text.replace("inner join", "left join").replace("f.id,", "f.id % 7 as id,")
    found = verify(sandbox, change(worse, before=text), recheck=recheck, narrator=said)

    assert names(found)[-1] == ("tests", False)
    assert found.tests_failed == (
        next(u for u in sandbox.manifest.tests if "unique_stg_flights_id" in u),
    )
    assert found.tests_passed == 2
    assert not found.verified


def test_a_change_that_cannot_be_built_is_a_failed_step(sandbox, text, recheck, said):
    wrong = text.replace("f.tailnum, p.maker", "f.no_such_column, p.maker")
    found = verify(sandbox, change(wrong, before=text), recheck=recheck, narrator=said)
    assert names(found)[-1] == ("rebuild", False)
    assert "no_such_column" in found.steps[-1].detail


def test_a_change_that_does_not_compile_is_a_failed_step(sandbox, text, recheck, said):
    wrong = text + "{{ ref('nowhere') }}"
    found = verify(sandbox, change(wrong, before=text), recheck=recheck, narrator=said)
    assert names(found)[-1] == ("apply", False)
    assert "nowhere" in found.steps[-1].detail


def test_a_file_that_changed_meanwhile_is_a_failed_step(sandbox, text, recheck, said):
    found = verify(sandbox, change("x", before=text + "older"), recheck=recheck, narrator=said)
    assert names(found) == [("reproduce", True), ("apply", False)]
    assert "changed meanwhile" in found.steps[-1].detail


def test_trouble_that_does_not_show_is_not_reproduced(sandbox, text, recheck, said):
    def green(warehouse, manifest, outcome):
        return replace(recheck(warehouse, manifest, outcome), status=DetectionStatus.PASSED)

    found = verify(sandbox, change("x", before=text), recheck=green, narrator=said)
    assert names(found) == [("reproduce", False)]
    assert "not red without the change" in found.steps[0].detail


def test_a_check_that_cannot_run_says_nothing_about_the_change(sandbox, text, recheck, said):
    def broken(warehouse, manifest, outcome):
        raise ConnectorError("the warehouse is down", hint="wait")

    def could_not(warehouse, manifest, outcome):
        seen = recheck(warehouse, manifest, outcome)
        return replace(seen, status=DetectionStatus.COULD_NOT_RUN, headline="no key columns")

    for check, message in ((broken, "the warehouse is down"), (could_not, "no key columns")):
        found = verify(sandbox, change("x", before=text), recheck=check, narrator=said)
        assert names(found) == [("sandbox", False)]
        assert message in found.steps[0].detail


def test_an_unknown_asset_builds_nothing(sandbox, text, recheck, said):
    lost = replace(change("x", before=text), assets=("model.flights.gone",))
    found = verify(sandbox, lost, recheck=recheck, narrator=said)
    assert names(found) == [("sandbox", False)]
    assert "model.flights.gone" in found.steps[0].detail


def test_revert_brings_every_file_back(sandbox, text):
    new = FileEdit(path="models/new.sql", before=None, after="select 1 as x")
    both = replace(
        change("select 2 as id", before=text),
        edits=(FileEdit(path=PATH, before=text, after="select 2 as id, 'x' as maker"), new),
    )
    sandbox.apply(both)
    assert "model.flights.new" in sandbox.compile().assets

    sandbox.revert()

    assert (sandbox.root / PATH).read_text() == text
    assert "model.flights.new" not in sandbox.manifest.assets


def test_apply_is_all_or_nothing(sandbox, text):
    two = replace(
        change("x", before=text),
        edits=(
            FileEdit(path=PATH, before=text, after="x"),
            FileEdit(path="models/planes.sql", before="not so", after="y"),
        ),
    )
    with pytest.raises(ConnectorError, match=r"models/planes\.sql changed meanwhile"):
        sandbox.apply(two)
    assert (sandbox.root / PATH).read_text() == text


def test_compile_to_gives_a_manifest_of_the_customers_names(sandbox, tmp_path):
    path = sandbox.compile_to(tmp_path)

    manifest = Manifest.load(path)
    assert list(tmp_path.iterdir()) == [path]
    relation = manifest.asset(STAGED).relation
    assert relation is not None
    assert relation.database == "flüge"
    assert '"flüge"."raw"."flights"' in (manifest.compiled_code(STAGED) or "")


def test_a_project_that_does_not_parse_is_told(sandbox):
    path = sandbox.root / "models" / "bad.sql"
    path.write_text("{% if %}")
    try:
        with pytest.raises(ConfigError, match="dbt cannot compile the project 'flights'"):
            sandbox.compile()
    finally:
        path.unlink()


def test_models_that_write_elsewhere_are_never_built(sandbox, tmp_path):
    target = tmp_path / "export.csv"
    path = sandbox.root / "models" / "export.sql"
    path.write_text(
        f"{{{{ config(materialized='external', location='{target}') }}}} "
        "select id from {{ ref('stg_flights') }}"
    )
    try:
        sandbox.compile()
        outcome = sandbox.build(["stg_flights+"])
    finally:
        path.unlink()
    assert outcome.success
    assert "model.flights.export" not in {r.unique_id for r in outcome.results}
    assert not target.exists()


def test_a_failing_test_keeps_no_model_from_being_built(sandbox):
    path = sandbox.root / "tests" / "never.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text("select * from {{ ref('stg_flights') }}")
    try:
        outcome = sandbox.build(["stg_flights+"])
    finally:
        path.unlink()
    statuses = {r.unique_id.split(".")[2]: r.status for r in outcome.results}
    assert not outcome.success
    assert statuses["never"] == "fail"
    assert statuses["by_maker"] == "success"


def test_a_writer_may_hold_the_customers_file_meanwhile(sandbox, built_project):
    with duckdb.connect(str(built_project / "data" / "flüge.duckdb")) as connection:
        connection.execute("select 1")
        assert sandbox.build(["planes"]).success


def test_the_sandbox_is_removed_when_it_is_terminated(project, warehouse, tmp_path):
    class Terminated(BaseException):
        pass

    directory = tmp_path / "sandbox"
    sandbox = Sandbox(project=project, warehouse=warehouse, directory=directory)

    def work() -> None:
        with sandbox:
            assert (directory / "profile" / "profiles.yml").stat().st_mode & 0o077 == 0
            assert directory.stat().st_mode & 0o077 == 0
            raise Terminated

    with pytest.raises(Terminated):
        work()
    assert not directory.exists()
    with pytest.raises(ConnectorError, match="the sandbox is closed"):
        sandbox.compile()


def test_a_missing_warehouse_leaves_nothing_behind(project, tmp_path):
    gone = open_warehouse(
        {"type": "duckdb", "path": str(tmp_path / "gone.duckdb")},
        base_dir=tmp_path,
        snapshot_dir=tmp_path / "snapshots",
    )
    sandbox = Sandbox(project=project, warehouse=gone, directory=tmp_path / "sandbox")
    with pytest.raises(ConnectorError, match=r"gone\.duckdb"), sandbox:
        pass
    assert not (tmp_path / "sandbox").exists()


def test_variables_of_the_environment_reach_dbt(sandbox):
    path = sandbox.root / "models" / "env.sql"
    path.write_text("select '{{ env_var('WANTED') }}' as x")
    try:
        manifest = sandbox.compile()
    finally:
        path.unlink()
    assert manifest.compiled_code("model.flights.env") == "select 'from_outside' as x"
