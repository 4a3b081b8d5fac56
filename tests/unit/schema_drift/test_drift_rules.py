"""Every rule does what its case file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.schema_drift.diff import SchemaDiff, diff_schemas
from dagster_agent.schema_drift.engine import RULES
from dagster_agent.schema_drift.fingerprints import Samples
from dagster_agent.schema_drift.impact import Impact, Touched
from dagster_agent.schema_drift.json_changes import KeyChange, key_changes
from dagster_agent.schema_drift.json_memory import first_known
from tests.case_files import read_cases
from tests.unit.schema_drift.json_sample import look_at, lots

CASES = Path(__file__).parents[2] / "cases" / "drift_rule"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in read_cases(path)
]


def _schema(columns: Mapping[str, Any], kind: str, comment: str) -> TableSchema:
    return TableSchema(
        relation=Relation(database="shop", schema="main", name="orders"),
        kind=kind,
        comment=comment,
        columns=tuple(
            _column(name, told if isinstance(told, dict) else {"type": told}, position)
            for position, (name, told) in enumerate(columns.items(), start=1)
        ),
    )


def _column(name: str, told: Mapping[str, Any], position: int) -> ColumnSchema:
    type_ = told["type"]
    return ColumnSchema(
        name=name,
        position=position,
        nullable=not type_.endswith(" NOT NULL"),
        **{**told, "type": type_.removesuffix(" NOT NULL")},
    )


def _diff(case: Mapping[str, Any]) -> SchemaDiff:
    kinds, comments = case.get("kinds", ["table"] * 2), case.get("comments", ["", ""])
    sketches = {name: tuple(range(*span)) for name, span in case.get("values", {}).items()}
    diff = diff_schemas(
        _schema(case["before"], kinds[0], comments[0]),
        None if case["after"] is None else _schema(case["after"], kinds[1], comments[1]),
        dialect=case.get("dialect", "duckdb"),
        rename_confidence=0.6,
        samples=Samples(
            before={n: s for n, s in sketches.items() if n in case["before"]},
            after={n: s for n, s in sketches.items() if n in (case["after"] or ())},
        ),
        contract=case.get("contract"),
        described=case.get("described", ()),
    )
    documents = case.get("documents")
    changes: tuple[KeyChange, ...] = ()
    if documents:
        known = first_known(look_at(lots(documents["before"])))
        changes = key_changes(known, look_at(lots(documents["after"])))
    impacts = {
        column: Impact(readers=tuple(Touched(kind="model", name=name) for name in names))
        for column, names in case.get("readers", {}).items()
    }
    news = tuple(case.get("new_tables", ()))
    return replace(diff, impacts=impacts, new_tables=news, keys=changes)


@pytest.mark.parametrize(("rule_id", "case"), ALL)
def test_case(rule_id: str, case: Mapping[str, Any]) -> None:
    diff = _diff(case)
    rule = RULES.get(rule_id)
    found = list(rule.find(diff))
    assert [drift.statement for drift in found] == case["statements"]
    severities = {(drift.severity or rule.severity).value for drift in found}
    assert severities == ({case["severity"]} if found else set())
    readers = case.get("readers", {})
    for drift in found:
        assert list(drift.readers) == case.get("expected_readers", readers.get(drift.column, []))


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    fires = {(p.values[0], bool(p.values[1]["statements"])) for p in ALL}  # type: ignore[index]
    assert fires == {(rule.id, fired) for rule in RULES for fired in (True, False)}
