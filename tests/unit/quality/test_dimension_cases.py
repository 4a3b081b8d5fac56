"""Every quality dimension does what its case file says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.quality.engine import DIMENSIONS
from tests.case_files import read_cases

from .conftest import NOW, Promises

CASES = Path(__file__).parents[2] / "cases" / "quality_dimension"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in read_cases(path)
]


@pytest.mark.parametrize(("dimension", "case"), ALL)
def test_case(dimension: str, case: Mapping[str, Any], promises: Promises) -> None:
    if before := case.get("before"):
        promises.execute(before)
    for name in case.get("models", ()):
        promises.model(name)
    promises.execute(f"create table orders as {case['table']}")
    meta = {key: case[key] for key in ("quality", "freshness") if key in case}
    uid = promises.model("orders", meta=meta, **case.get("node", {}))
    for test in case.get("tests", ()):
        promises.test(
            uid,
            test["kind"],
            test.get("column"),
            where=test.get("where"),
            **test.get("kwargs", {}),
        )
    truths = [
        Detection(
            detector=truth["detector"],
            asset=uid,
            status=DetectionStatus(truth["status"]),
            headline=truth.get("headline", ""),
            observed_at=NOW - timedelta(hours=truth.get("hours_ago", 0)),
            metrics=truth.get("metrics", {}),
            pair=truth.get("pair", ""),
        )
        for truth in case.get("truths", ())
    ]
    found = promises.judge(uid, truths=truths)[dimension]
    assert found.status.value == case["status"], found
    assert found.value == pytest.approx(case["value"]) if "value" in case else found.value is None
    if "severity" in case:
        assert found.severity.value == case["severity"]
    for key in {"headline", "hint"} & set(case):
        assert getattr(found, key) == case[key]


def test_every_dimension_passes_fails_and_is_untrained_in_its_cases() -> None:
    told = {(p.values[0], p.values[1]["status"]) for p in ALL}  # type: ignore[index]
    wanted = ("passed", "failed", "untrained")
    assert told >= {(dimension.id, status) for dimension in DIMENSIONS for status in wanted}
