"""Runs the case files of the tools: what a call shows, or why it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_agent.investigation.specialists.tool import tools
from tests.case_files import read_cases

CASES = Path(__file__).parents[3] / "cases" / "tool"
LISTED = [
    pytest.param(path.stem, case, id=f"{path.stem}-{number}")
    for path in sorted(CASES.glob("*.yaml"))
    for number, case in enumerate(read_cases(path))
]


def test_every_tool_has_cases() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == {tool.id for tool in tools()}


@pytest.mark.parametrize(("tool", "case"), LISTED)
def test_case(use: Any, tool: str, case: dict[str, Any]) -> None:
    answer = use(tool.replace("-", "_"), **case["call"])
    if "refuses" in case:
        assert answer.failed
        assert case["refuses"] in answer.text
        return
    assert not answer.failed, answer.text
    for text in case["shows"]:
        assert text in answer.text
