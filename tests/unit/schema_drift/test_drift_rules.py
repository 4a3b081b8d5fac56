"""Every rule does what its case file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.schema_drift.diff import diff_schemas
from dagster_agent.schema_drift.engine import RULES

CASES = Path(__file__).parents[2] / "cases" / "drift_rule"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]


def _schema(columns: Mapping[str, str], kind: str) -> TableSchema:
    return TableSchema(
        relation=Relation(database="shop", schema="main", name="orders"),
        kind=kind,
        columns=tuple(
            ColumnSchema(
                name=name,
                type=type_.removesuffix(" NOT NULL"),
                nullable=not type_.endswith(" NOT NULL"),
                position=position,
            )
            for position, (name, type_) in enumerate(columns.items(), start=1)
        ),
    )


@pytest.mark.parametrize(("rule_id", "case"), ALL)
def test_case(rule_id: str, case: Mapping[str, Any]) -> None:
    kinds = case.get("kinds", ["table", "table"])
    diff = diff_schemas(
        _schema(case["before"], kinds[0]),
        None if case["after"] is None else _schema(case["after"], kinds[1]),
        dialect="duckdb",
        rename_confidence=0.6,
        readers=case.get("readers"),
    )
    rule = RULES.get(rule_id)
    found = list(rule.find(diff))
    assert [drift.statement for drift in found] == case["statements"]
    assert {(drift.severity or rule.severity).value for drift in found} <= {case.get("severity")}
    for drift in found:
        assert list(drift.readers) == case.get("readers", {}).get(drift.column, [])


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    fires = {(p.values[0], bool(p.values[1]["statements"])) for p in ALL}  # type: ignore[index]
    assert fires == {(rule.id, fired) for rule in RULES for fired in (True, False)}
