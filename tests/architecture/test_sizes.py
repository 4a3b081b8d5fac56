"""Functions fit a screen and files a sitting, unless they say why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES = 300
FUNCTION_LINES = 60
SOURCES = sorted(
    path
    for folder in ("dagster_agent", "assets", "checks", "sensors", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "dbt_packages" not in path.parts
)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_short_or_says_why(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    lines = text.count("\n")
    docstring = ast.get_docstring(tree) or ""
    assert lines <= FILE_LINES or "This file is long because" in docstring, f"{lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_fits_a_screen(path: Path) -> None:
    long = [
        f"{node.name}: {(node.end_lineno or node.lineno) - node.lineno} lines"
        for node in _functions(ast.parse(path.read_text()))
        if (node.end_lineno or node.lineno) - node.lineno > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "no module docstring"
