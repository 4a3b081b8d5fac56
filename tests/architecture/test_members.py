"""Members of catalogues are documented, have a case file, and never import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "dagster_agent"
CATALOGUES = {
    "bug_pattern": LIBRARY / "investigation" / "bug_patterns",
    "detector": LIBRARY / "anomaly" / "detectors",
    "drift_rule": LIBRARY / "schema_drift" / "rules",
    "failure_class": LIBRARY / "investigation" / "failure_classes",
    "fixer": LIBRARY / "repair" / "fixers",
    "invariant": LIBRARY / "quality" / "invariants",
    "quality_dimension": LIBRARY / "quality" / "dimensions",
    "tool": LIBRARY / "investigation" / "tools",
    "reconciliation_method": LIBRARY / "reconciliation" / "methods",
}
MEMBERS = [
    (kind, path)
    for kind, folder in CATALOGUES.items()
    for path in sorted(folder.glob("*.py"))
    if path.name != "__init__.py"
]


def test_every_catalogue_has_members() -> None:
    assert {kind for kind, _ in MEMBERS} == set(CATALOGUES)


@pytest.mark.parametrize(("kind", "path"), MEMBERS, ids=lambda v: getattr(v, "stem", v))
def test_a_member_has_docstring_and_case(kind: str, path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
    case = ROOT / "tests" / "cases" / kind / f"{path.stem.replace('_', '-')}.yaml"
    assert case.exists(), f"write {case.relative_to(ROOT)}: it is the member's specification"


@pytest.mark.parametrize(("kind", "path"), MEMBERS, ids=lambda v: getattr(v, "stem", v))
def test_members_never_import_each_other(kind: str, path: Path) -> None:
    package = ".".join(path.parent.relative_to(ROOT).parts)
    imported = [
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    assert not [module for module in imported if module.startswith(f"{package}.")]
