"""Every form of an invariant does what its case file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.quality.claims import FORMS
from dagster_agent.quality.invariant_engine import plan_invariants
from tests.case_files import read_cases

from .conftest import Promises

CASES = Path(__file__).parents[2] / "cases" / "invariant"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in read_cases(path)
]


@pytest.mark.parametrize(("form", "case"), ALL)
def test_case(form: str, case: Mapping[str, Any], promises: Promises) -> None:
    first = True
    uids: list[str] = []
    for name, sql in case["tables"].items():
        promises.execute(f"create table {name} as {sql}")
        meta = {"invariants": [case["entry"]]} if first else {}
        uids.append(promises.model(name, meta=meta, **(case.get("node", {}) if first else {})))
        first = False
    (detection,) = promises.invariants(uids[0])
    assert detection.status.value == case["status"], detection
    assert detection.metrics.get("violations", 0) == case.get("violations", 0)
    assert (detection.sample is not None) == (case["status"] == "failed")
    for key in {"headline", "hint"} & set(case):
        assert getattr(detection, key) == case[key]
    (plan,) = plan_invariants(promises.subject(uids[0]))
    if plan.compiled is not None and plan.claim is not None:
        assert plan.claim.form == form
        invariant = plan.compiled.invariant()
        if case["status"] != "could-not-run":
            counted = promises.warehouse.query(invariant.sql, purpose="test").scalar()
            assert counted == case.get("violations", 0)
        if "expectation" in case:
            found = plan.compiled.expectation
            assert {key: found[key] for key in ("type", "kwargs")} == case["expectation"]


def test_every_form_holds_and_is_violated_in_its_cases() -> None:
    told = {(p.values[0], p.values[1]["status"]) for p in ALL}  # type: ignore[index]
    assert told >= {(form.id, status) for form in FORMS for status in ("passed", "failed")}


def test_every_example_is_understood() -> None:
    for form in FORMS:
        if form.sentences:
            assert any(p.fullmatch(form.example) for p in form.sentences), form.id
