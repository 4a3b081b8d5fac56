"""The fixers that keep one row per key, and the one that takes converted amounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import ProposedChange, Relation
from dagster_agent.repair.conversion_edits import Conversion
from dagster_agent.repair.deduplication_edits import OneRowPerKey
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "fixer"
FIXERS = ("convert-currency", "deduplicate-join", "deduplicate-source")
LOADED = [
    pytest.param(fixer, case, id=f"{fixer}: {case['name']}")
    for fixer in FIXERS
    for case in read_cases(CASES / f"{fixer}.yaml")["cases"]
]
NEWEST = {"deduplicate-join": "updated_at", "deduplicate-source": "synced_at"}
KNOWN = {
    Relation(database="d", schema="raw", name="payments"): ("id", "amount", "synced_at"),
    Relation(database="d", schema="main", name="customers"): ("id", "name", "updated_at"),
    Relation(database="d", schema="main", name="orders"): (
        *("order_id", "customer_id", "friend_id"),
    ),
}


def fault(fixer: str, case: dict[str, Any]) -> Fault:
    conversion = case.get("conversion")
    rule = OneRowPerKey(
        key=tuple(case.get("key", ["id"])), newest_by=case.get("newest_by", NEWEST.get(fixer))
    )
    return Fault(
        asset="model.case.m",
        path=case.get("path", "models/m.sql"),
        text=case["text"],
        compiled_code=case.get("compiled", ""),
        dialect=case.get("dialect", "duckdb"),
        join_ordinal=0 if fixer == "deduplicate-join" else None,
        known=KNOWN,
        one_row_per_key=None if conversion else rule,
        conversion=Conversion(**conversion) if conversion else None,
    )


@pytest.mark.parametrize(("fixer", "case"), LOADED)
def test_case(fixer: str, case: dict[str, Any]) -> None:
    proposed = fixers().get(fixer).propose(fault(fixer, case))
    if "reason" in case:
        assert isinstance(proposed, NoEdit)
        assert case["reason"] in proposed.reason
        return
    assert isinstance(proposed, ProposedChange), proposed
    assert proposed.assets == ("model.case.m",)
    assert "models/m.sql" in proposed.rationale
    diff = proposed.diff().splitlines()[2:]
    assert [line[1:] for line in diff if line.startswith("-")] == _removed(case)
    assert [line[1:] for line in diff if line.startswith("+")] == _added(case)


def _removed(case: dict[str, Any]) -> list[str]:
    return case.get("removed", _last_line_without_end(case))


def _added(case: dict[str, Any]) -> list[str]:
    return [*_last_line_without_end(case), *case["added"]]


def _last_line_without_end(case: dict[str, Any]) -> list[str]:
    """A last line that had no newline, and gets one, shows in a diff."""
    text = case["text"]
    return [] if text.endswith("\n") else [text.splitlines()[-1]]


@pytest.mark.parametrize("fixer", FIXERS)
def test_what_belongs_to_a_package_is_left_alone(fixer: str) -> None:
    case = {"text": "select 1", "path": "dbt_packages/p/models/m.sql"}
    refused = fixers().get(fixer).propose(fault(fixer, case))
    assert isinstance(refused, NoEdit)
    assert "installed package" in refused.reason


@pytest.mark.parametrize("fixer", FIXERS)
def test_what_is_not_known_is_not_mended(fixer: str) -> None:
    unknown = Fault(
        asset="model.case.m",
        path="models/m.sql",
        text="select 1",
        compiled_code="select 1",
        dialect="duckdb",
    )
    refused = fixers().get(fixer).propose(unknown)
    assert isinstance(refused, NoEdit)
    assert "known" in refused.reason
