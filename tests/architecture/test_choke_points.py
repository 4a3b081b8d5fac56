"""One door each: SQL reaches a driver through the guard, texts reach people through redaction.

What is checked is the shape of the code, so that a second door cannot be added unseen: who
imports drivers, who executes, what the executing functions are given, and who builds what leaves.
It cannot prove that a text was redacted with all secrets known; that is for the tests of the rooms.

This file is long because it lists every door of the product in one place, where a missing one
is seen.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.actions.quoting import Quoter
from dagster_agent.connectors.warehouses.postgres import (
    _tag as postgres_tag,  # pyright: ignore[reportPrivateUsage] # it is trusted below
)
from dagster_agent.definitions.narrator import RunNarrator
from dagster_agent.definitions.redacting import redacted_detection
from dagster_agent.model import Detection, DetectionStatus, Evidence
from tests.architecture.sent_statements import (
    CLEANING,
    QUOTING,
    UNMISTAKABLE,
    WRAPPING,
    Module,
    Package,
    called,
    calls,
    module_of,
)

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "dagster_agent"
DRIVERS = {
    *("duckdb", "sqlalchemy", "sqlite3", "psycopg", "psycopg2", "snowflake", "redshift_connector"),
    *("databricks", "pyodbc", "pymysql", "MySQLdb", "oracledb", "trino", "adbc_driver_manager"),
    *("adbc_driver_postgresql", "google", "pyathena", "pyspark", "clickhouse_connect", "ibis"),
}
ROOM = "dagster_agent.connectors.warehouses"
CANARY = "hunter2-canary"
SECRET = f"password={CANARY}"


MODULES = [module_of(path, LIBRARY) for path in sorted(LIBRARY.rglob("*.py"))]
WAREHOUSES = Package([m for m in MODULES if m.name.startswith("connectors/warehouses/")])
QUOTERS = [
    (m.name.rpartition("/")[2].removesuffix(".py"), f.name)
    for m in WAREHOUSES.modules
    for f in m.functions()
    if f.name in QUOTING
]
"""Module and name of each function that is trusted to quote."""
READING = {"query", "batches", "bytes_scanned"}
"""Methods of a warehouse that are given SQL."""
OTHER_SENDERS = {
    "connectors/record_sources/": "a private DuckDB file, made a moment ago and thrown away, into "
    "which a source is landed: constants, quoted names and the reader's options, which "
    "tests/unit/connectors/test_record_sources.py tries to inject SQL through",
    "connectors/state_stores/": "our own tables, by SQLAlchemy's expressions: no text of "
    "anybody's, and no table of the customer's",
}
"""Who else sends statements, and why that is right."""


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for call in calls(tree):
        if called(call) == "import_module" and call.args and isinstance(call.args[0], ast.Constant):
            found.add(str(call.args[0].value).split(".")[0])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


# SQL


def test_only_warehouses_and_the_named_others_send() -> None:
    """Who has no driver can only send by a cursor that was handed over, by an unmistakable name."""
    sending = {
        m.name
        for m in MODULES
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Attribute) and node.attr in UNMISTAKABLE
    }
    doors = ("connectors/warehouses/", *OTHER_SENDERS)
    assert {name for name in sending if not name.startswith(doors)} == set()
    assert all(any(name.startswith(door) for name in sending) for door in doors)


def test_only_those_import_drivers() -> None:
    doors = ("connectors/warehouses/", *OTHER_SENDERS)
    with_driver = {m.name for m in MODULES if _imported(m.tree) & DRIVERS}
    assert {name for name in with_driver if not name.startswith(doors)} == set()


def test_great_expectations_is_given_a_warehouse_in_one_place_and_guarded_queries() -> None:
    """It has an SQL engine of its own, in read-only sessions: see `test_quality_on_postgres.py`."""
    sources = {
        (m.name, called(call))
        for m in MODULES
        for call in calls(m.tree)
        if "data_sources" in ast.unparse(call.func)
    }
    runner = "quality/expectations/gx_runner.py"
    assert sources == {(runner, "add_pandas"), (runner, "add_postgres")}
    assert "read_only" in {called(call) for call in calls(_module(runner).tree)}


def test_a_warehouse_sends_what_the_guard_returned_and_nothing_else() -> None:
    methods = [
        (m, function)
        for m in WAREHOUSES.modules
        for function in m.functions()
        if function.name in READING
        and "sql" in {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    ]
    named = {(m.name.rpartition("/")[2], function.name) for m, function in methods}
    for place in ("duckdb_reader.py", "postgres.py", "snowflake.py", "dbt_adapter.py"):
        assert {(place, name) for name in READING} <= named
    for module, method in methods:
        guarded = {
            id(name)
            for call in calls(method)
            if called(call) == "read_only" or _is_checked_here(call, module)
            for argument in call.args
            for name in ast.walk(argument)
        }
        uses = [
            node
            for node in ast.walk(method)
            if isinstance(node, ast.Name) and node.id == "sql" and isinstance(node.ctx, ast.Load)
        ]
        assert uses, f"{module.name}: {method.name} does not call read_only(sql, ...)"
        assert {id(use) for use in uses} <= guarded, f"{module.name}: {method.name} uses raw text"


def _is_checked_here(call: ast.Call, module: Module) -> bool:
    """Whether it is `_Class(...).query(...)` of the same module, which this test looks at too."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    classes = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)}
    own = isinstance(owner, ast.Call) and called(owner) in classes
    through_name = isinstance(owner, ast.Name) and owner.id == "stream"
    return called(call) == "query" and (own or through_name)


@pytest.mark.parametrize("module", WAREHOUSES.modules, ids=lambda m: m.name)
def test_what_a_warehouse_sends_is_its_own_text_or_the_guards(module: Module) -> None:
    """Fixed SQL, names and literals in quotes, or what the guard returned, however it travels."""
    assert WAREHOUSES.unsafe(module) == []


HEAD = "from x import read_only\nA = 'select 1'\n"
SENT = {
    "def f(c): c.execute(A)": True,
    "def f(c, s): c.sql(read_only(s, 'd'))": True,
    "def f(c, s):\n t = read_only(s, 'd')\n c.execute(f'EXPLAIN {t}')": True,
    "def f(c, n): c.execute(f'select * from {_quoted(n)}')": True,
    "def query(c, s):\n t = read_only(s, 'd')\n g(c, t)\ndef g(c, t): c.add_query(t)": True,
    "def f(c, n: int): c.execute(f'select {n + 1}')": True,
    "def f(c, s): c.execute(s)": False,
    "def f(c, s): c.sql(s)": False,
    "def f(c, s): c.query(s)": False,
    "def f(c, s): c.add_query(s)": False,
    "def f(c, s): c.execute_async(command=s)": False,
    "def f(c, s): c.plain.execute_string(s)": False,
    "def f(c, s): c.adbc_execute_schema(s)": False,
    "def f(c, s): c.execute(f'select * from {s}')": False,
    "def f(c, s): c.execute(A + s)": False,
    "def f(c, s): c.execute(''.join(s))": False,
    "def f(c, s):\n t = read_only(s, 'd')\n t = s\n c.execute(t)": False,
    "def f(c, s):\n t = read_only(s, 'd')\n t += s\n c.execute(t)": False,
    "def f(c, ss):\n for t in ss: c.execute(t)": False,
    "def f(c, ss): [c.execute(t) for t in ss]": False,
    "def query(c, s):\n read_only(s, 'd')\n g(c, s)\ndef g(c, t): c.add_query(t)": False,
    "def query(c, s):\n g(c, read_only(s, 'd'))\n g(c, s)\ndef g(c, t): c.execute(t)": False,
    "def f(c, s):\n run = c.execute\n run(s)": False,
    "def f(c, s): getattr(c, 'execute')(s)": False,
    "def f(c, s): map(c.execute, s)": False,
    "def f(c, s):\n def g(A): c.execute(A)\n g(s)": False,
    "def f(c, s): c.execute(arrow_sql(s, [], []))": False,
}
"""Small connectors, and whether the check above lets them pass."""


@pytest.mark.parametrize(("code", "safe"), SENT.items(), ids=range(len(SENT)))
def test_the_check_sees_what_is_sent(code: str, safe: bool) -> None:
    module = Module("m.py", ast.parse(HEAD + code))
    assert (not Package([module]).unsafe(module)) is safe


def test_no_function_is_trusted_unseen() -> None:
    defined = {
        (m.name.rpartition("/")[2].removesuffix(".py"), f.name)
        for m in WAREHOUSES.modules
        for f in m.functions()
        if f.name in CLEANING | WRAPPING
    }
    assert defined == {
        ("postgres", "_tag"),
        ("duckdb_results", "cell_sql"),
        ("duckdb_results", "arrow_sql"),
        ("postgres_results", "arrow_sql"),
    }


@pytest.mark.parametrize(("module", "name"), QUOTERS)
@given(text=st.text(alphabet=st.sampled_from("a'\"\\; -")))
def test_what_stands_in_quotes_stays_there(module: str, name: str, text: str) -> None:
    quoting = getattr(importlib.import_module(f"{ROOM}.{module}"), name)
    quoted = quoting([text] if (module, name) == ("snowflake_catalog", "_literal") else text)
    sign = '"' if name == "_quoted" else "'"
    body = quoted.removeprefix("E")
    if name == "_literal" and not module.startswith(
        ("duckdb", "landing")
    ):  # a backslash escapes there
        body = body.replace("\\\\", "")
        assert "\\" not in body
    assert body[0] == body[-1] == sign
    assert sign not in body[1:-1].replace(sign * 2, "")


@given(st.text())
def test_a_purpose_cannot_end_its_comment(purpose: str) -> None:
    tag = postgres_tag(f"{purpose}*/ drop table t; /*")
    assert tag.startswith("/* ")
    assert tag.index("*/") == len(tag) - 3
    assert "\n" not in tag


# texts


def _modules_calling(name: str, *, within: str = "") -> set[str]:
    return {
        m.name
        for m in MODULES
        if m.name.startswith(within) and any(called(call) == name for call in calls(m.tree))
    }


LEAVING = {
    "AssetCheckResult": {"definitions/finding_metadata.py", "definitions/metadata.py"},
    "AssetCheckEvaluation": {"definitions/metadata.py"},
    "AssetMaterialization": {"definitions/assets.py"},
    "AssetObservation": {"definitions/assets.py"},
    "PullRequestDraft": {"actions/pull_request.py"},
}
"""What leaves, and the only modules that build it."""


@pytest.mark.parametrize(("kind", "places"), LEAVING.items())
def test_what_leaves_is_built_in_few_places(kind: str, places: set[str]) -> None:
    assert _modules_calling(kind) == places


def test_detections_and_findings_are_redacted_before_they_are_shown() -> None:
    assert {"redacted_detection"} <= _names_called("definitions/judging.py", "measure")
    assert {"redacted_finding"} <= _names_called("definitions/assets.py", "finding_payload")
    shown = _names_called("definitions/assets.py", "finding_payload")
    assert {"finding_metadata", "render_story"} <= shown


def test_the_text_of_a_pull_request_goes_through_the_quoter() -> None:
    module = _module("actions/pull_request.py")
    drafts = [call for call in calls(module.tree) if called(call) == "PullRequestDraft"]
    assert len(drafts) == 1
    assert "Quoter" in {called(call) for call in calls(module.tree)}
    methods = {f.name: f for f in _module("actions/quoting.py").functions()}
    for name in ("_line", "fenced"):
        assert "redact" in {called(call) for call in calls(methods[name])}


def test_the_audit_log_redacts_what_callers_wrote() -> None:
    assert "redact" in {called(c) for c in calls(_module("autonomy/guard.py").tree)}


@pytest.mark.parametrize("place", ["definitions/narrator.py", "cli/terminal.py"])
def test_a_narrator_says_only_redacted_texts(place: str) -> None:
    (step,) = [f for f in _module(place).functions() if f.name == "step"]
    said = [call for call in calls(step) if called(call) in {"_log", "print"}]
    assert said
    for call in said:
        for argument in call.args:
            assert _texts_are_redacted(argument), ast.unparse(call)


def _texts_are_redacted(node: ast.expr) -> bool:
    """Whether every name inside stands in a call of `redact` or `redacted`."""
    if isinstance(node, ast.Call):
        if called(node) in {"redact", "redacted"}:
            return True
        return all(map(_texts_are_redacted, node.args))
    if isinstance(node, ast.JoinedStr):
        values = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
        return all(map(_texts_are_redacted, values))
    return isinstance(node, ast.Constant)


def _module(name: str) -> Module:
    return next(m for m in MODULES if m.name == name)


def _names_called(module: str, function: str) -> set[str]:
    found = next(f for f in _module(module).functions() if f.name == function)
    return {called(call) for call in calls(found)}


# the same doors, walked through


@pytest.mark.parametrize("method", ["plain", "prose", "cell", "code", "fenced"])
def test_a_secret_does_not_pass_the_quoter(method: str) -> None:
    assert CANARY not in getattr(Quoter(), method)(f"log: {SECRET}")
    assert CANARY not in getattr(Quoter([CANARY]), method)(f"saw {CANARY}")


def test_a_secret_does_not_pass_the_narrator() -> None:
    said: list[str] = []
    narrator = RunNarrator(said.append, [CANARY])
    narrator.step(f"ran {CANARY}", why=SECRET, result=f"token: {CANARY}")
    assert said
    assert CANARY not in "".join(said)


def test_a_secret_does_not_pass_with_a_detection() -> None:
    from datetime import UTC, datetime

    detection = Detection(
        detector="reconciliation/row-count",
        asset="model.shop.orders",
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"cannot connect: {SECRET}",
        observed_at=datetime(2026, 1, 1, tzinfo=UTC),
        hint=SECRET,
        evidence=(Evidence(kind="run", statement=SECRET, query=f"select '{CANARY}'"),),
    )
    shown = redacted_detection(detection, [CANARY])
    assert CANARY not in repr(shown)
