"""Every detector does what its case file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagster_agent.anomaly.arrival import Arrival
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Told
from dagster_agent.anomaly.engine import DETECTORS
from dagster_agent.anomaly.study import Study
from dagster_agent.model.profile import Distribution
from tests.case_files import read_cases
from tests.unit.anomaly.series import START, series_of

CASES = Path(__file__).parents[2] / "cases" / "detector"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in read_cases(path)
]


def _expanded(entry: Any) -> list[float]:
    match entry:
        case {"start": start, "by": by, "count": count}:
            return [start + by * index for index in range(count)]
        case [[*pattern], times]:
            return [float(value) for value in pattern] * times
        case [value, times]:
            return [float(value)] * times
        case _:
            return [float(entry)]


def _history(case: Mapping[str, Any]) -> list[float]:
    told = case.get("history", [[1000, 20]])
    entries = told if isinstance(told, list) else [told]
    values = np.array([value for entry in entries for value in _expanded(entry)])
    source = np.random.default_rng(1)
    draw = source.normal(size=len(values))
    draw[case.get("noise_until", len(values)) :] = 0
    values = values * (1 + case.get("noise", 0) * draw) + case.get("wobble", 0) * draw
    return [float(value) for value in values]


def _distributions(case: Mapping[str, Any]) -> dict[str, list[Distribution]]:
    if "counts" not in case:
        return {}
    source = np.random.default_rng(2)
    days = [counts for counts, times in case["counts"] for _ in range(times)]
    drawn = [
        *(source.multinomial(sum(counts), np.array(counts) / sum(counts)) for counts in days),
        case["now"],
    ]
    labels = [f"label {number}" for number in range(len(case["now"]))]
    return {
        "status": [
            Distribution(
                column="status",
                at=START + timedelta(day),
                kind=case.get("kind", "category"),
                labels=tuple(labels),
                counts=tuple(float(count) for count in counts),
            )
            for day, counts in enumerate(drawn)
        ]
    }


def _arrivals(case: Mapping[str, Any]) -> list[Arrival]:
    source = np.random.default_rng(3)
    days = [(early, final) for early, final, times in case.get("rows", []) for _ in range(times)]
    found: list[Arrival] = []
    end = datetime(2026, 1, 2, tzinfo=UTC)
    for number, (early, final) in enumerate(days):
        day = date(2026, 1, 1) + timedelta(number)
        share = 1 + case["noise"] * float(source.normal())
        for hours, rows in ((2, early), (26, final)):
            at = end + timedelta(number, hours=hours)
            found.append(Arrival(day=day, at=at, rows=rows * share))
    if days:
        day = date(2026, 1, 1) + timedelta(len(days))
        at = end + timedelta(len(days), hours=2)
        found.append(Arrival(day=day, at=at, rows=case["now"]))
    return found


def _told(detector: str, case: Mapping[str, Any]) -> Sequence[Told]:
    series = series_of(_history(case), case.get("value", 1000), case.get("metric", "row_count"))
    study = Study.of(
        [series], AnomalyConfig(), distributions=_distributions(case), arrivals=_arrivals(case)
    )
    return DETECTORS.get(detector).judge(study)


@pytest.mark.parametrize(("detector", "case"), ALL)
def test_case(detector: str, case: Mapping[str, Any]) -> None:
    told = _told(detector, case)
    if not case.get("applies", True):
        assert not told
        return
    (only,) = told
    assert only.judgement.trained is case.get("trained", True)
    assert only.judgement.unusual is case.get("unusual", False)
    assert only.judgement.returned is case.get("returned", False)
