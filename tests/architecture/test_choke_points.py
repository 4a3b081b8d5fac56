"""One door each: SQL reaches a driver through the guard, texts reach people through redaction.

What is checked is the shape of the code, so that a second door cannot be added unseen: who
imports drivers, who executes, what the executing functions are given, and who builds what leaves.
It cannot prove that a text was redacted with all secrets known; that is for the tests of the rooms.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_agent.actions.quoting import Quoter
from dagster_agent.definitions.narrator import RunNarrator
from dagster_agent.definitions.redacting import redacted_detection
from dagster_agent.model import Detection, DetectionStatus, Evidence

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "dagster_agent"
DRIVERS = {
    *("duckdb", "sqlalchemy", "sqlite3", "psycopg", "psycopg2", "snowflake", "redshift_connector"),
    *("databricks", "pyodbc", "pymysql", "MySQLdb", "oracledb", "trino", "adbc_driver_manager"),
}
EXECUTES = {"execute", "executemany", "executescript", "exec_driver_sql", "raw_sql", "read_sql"}
QUOTING = {"_quoted", "_literal"}
CANARY = "hunter2-canary"
SECRET = f"password={CANARY}"


@dataclass(frozen=True)
class Module:
    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(LIBRARY).as_posix()

    def functions(self) -> Iterator[ast.FunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield node


MODULES = [Module(path, ast.parse(path.read_text())) for path in sorted(LIBRARY.rglob("*.py"))]
WAREHOUSES = [m for m in MODULES if m.name.startswith("connectors/warehouses/")]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (child for child in ast.walk(node) if isinstance(child, ast.Call))


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


# SQL


def test_only_connectors_import_drivers() -> None:
    others = [m.name for m in MODULES if not m.name.startswith("connectors/")]
    importing = [m.name for m in MODULES if m.name in others and _imported(m.tree) & DRIVERS]
    assert importing == []


def test_only_connectors_execute() -> None:
    found = [
        f"{m.name}:{call.lineno}"
        for m in MODULES
        if not m.name.startswith("connectors/")
        for call in _calls(m.tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in EXECUTES
    ]
    assert found == []


def test_a_warehouse_sends_what_the_guard_returned_and_nothing_else() -> None:
    methods = [
        (m, function)
        for m in WAREHOUSES
        for function in m.functions()
        if function.name == "query" and "sql" in {a.arg for a in function.args.args}
    ]
    assert methods, "no warehouse has a method query(sql)"
    for module, method in methods:
        guarded = [
            name
            for call in _calls(method)
            if _called(call) == "read_only"
            for argument in call.args
            for name in ast.walk(argument)
            if isinstance(name, ast.Name) and name.id == "sql"
        ]
        uses = [
            node
            for node in ast.walk(method)
            if isinstance(node, ast.Name) and node.id == "sql" and isinstance(node.ctx, ast.Load)
        ]
        assert guarded, f"{module.name}: query does not call read_only(sql, ...)"
        assert len(uses) == len(guarded), f"{module.name}: query uses the unguarded text"


@pytest.mark.parametrize("module", WAREHOUSES, ids=lambda m: m.name)
def test_what_a_warehouse_executes_is_its_own_text_or_came_from_query(module: Module) -> None:
    """Fixed SQL, names and literals in quotes, or the argument of a function that only `query`
    calls with what the guard returned."""
    constants = {
        target.id
        for node in module.tree.body
        if isinstance(node, ast.Assign) and _is_text(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for function in module.functions():
        quoted = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _called(node.value) in QUOTING
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in _calls(function):
            if isinstance(call.func, ast.Attribute) and call.func.attr in EXECUTES:
                own = _is_own(call.args[0], constants, quoted)
                assert own or _is_fed_by_query(module, function), f"{module.name}:{call.lineno}"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_own(node: ast.expr, constants: set[str], quoted: set[str]) -> bool:
    if isinstance(node, ast.JoinedStr):
        return all(
            _is_text(part)
            or (isinstance(part, ast.FormattedValue) and _is_quoted(part.value, quoted))
            for part in node.values
        )
    return _is_text(node) or (isinstance(node, ast.Name) and node.id in constants)


def _is_quoted(node: ast.expr, quoted: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return _called(node) in QUOTING
    return isinstance(node, ast.Name) and node.id in quoted


def _is_fed_by_query(module: Module, function: ast.FunctionDef) -> bool:
    """Whether every call of the function stands in `query` and is given the guarded statement."""
    callers = [
        (caller, call)
        for caller in module.functions()
        for call in _calls(caller)
        if _called(call) == function.name
    ]
    for caller, call in callers:
        guarded = {
            target.id
            for node in ast.walk(caller)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _called(node.value) == "read_only"
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        given = {argument.id for argument in call.args if isinstance(argument, ast.Name)}
        if caller.name != "query" or not given & guarded:
            return False
    return bool(callers)


# texts


def _modules_calling(name: str, *, within: str = "") -> set[str]:
    return {
        m.name
        for m in MODULES
        if m.name.startswith(within) and any(_called(call) == name for call in _calls(m.tree))
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
    drafts = [call for call in _calls(module.tree) if _called(call) == "PullRequestDraft"]
    assert len(drafts) == 1
    assert "Quoter" in {_called(call) for call in _calls(module.tree)}
    methods = {f.name: f for f in _module("actions/quoting.py").functions()}
    for name in ("_line", "fenced"):
        assert "redact" in {_called(call) for call in _calls(methods[name])}


def test_the_audit_log_redacts_what_callers_wrote() -> None:
    assert "redact" in {_called(c) for c in _calls(_module("autonomy/guard.py").tree)}


@pytest.mark.parametrize("place", ["definitions/narrator.py", "cli/terminal.py"])
def test_a_narrator_says_only_redacted_texts(place: str) -> None:
    (step,) = [f for f in _module(place).functions() if f.name == "step"]
    said = [call for call in _calls(step) if _called(call) in {"_log", "print"}]
    assert said
    for call in said:
        for argument in call.args:
            assert _texts_are_redacted(argument), ast.unparse(call)


def _texts_are_redacted(node: ast.expr) -> bool:
    """Whether every name inside stands in a call of `redact` or `redacted`."""
    if isinstance(node, ast.Call):
        if _called(node) in {"redact", "redacted"}:
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
    return {_called(call) for call in _calls(found)}


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
