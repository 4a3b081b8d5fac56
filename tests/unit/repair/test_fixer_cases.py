"""Fixers against their case files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "fixer"
LOADED = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
    for file in [CASES / "left-join.yaml"]
    for case in read_cases(file)["cases"]
]


@pytest.mark.parametrize(("fixer", "case"), LOADED)
def test_case(fixer: str, case: dict[str, Any]) -> None:
    proposed = (
        fixers()
        .get(fixer)
        .propose(
            Fault(
                asset="model.case.m",
                path="models/m.sql",
                text=case["text"],
                compiled_code=case["compiled"],
                dialect="duckdb",
                join_ordinal=case["join"],
            )
        )
    )
    if "reason" in case:
        assert isinstance(proposed, NoEdit)
        assert case["reason"] in proposed.reason
        return
    assert isinstance(proposed, ProposedChange)
    (edit,) = proposed.edits
    before, after = case["text"].splitlines(), edit.after.splitlines()
    assert [
        n for n, pair in enumerate(zip(before, after, strict=True), 1) if pair[0] != pair[1]
    ] == [case["line"]]
    assert after[case["line"] - 1] == case["after"]
