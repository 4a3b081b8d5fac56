"""Which metric leads among those that move together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dagster_agent.anomaly.correlation import consequences
from dagster_agent.anomaly.detector import Judgement, Told, deviate

NOW = datetime(2026, 11, 21, tzinfo=UTC)
UNUSUAL = Judgement(
    trained=True,
    points=30,
    days=30,
    points_needed=14,
    level=100.0,
    low=90.0,
    high=110.0,
    visible=12.0,
    score=-9.0,
    probability=1e-9,
    set_aside=0,
    unusual_since=NOW,
)


def told(metric: str, value: float = 50.0, **changed: float) -> Told:
    return Told(metric=metric, value=value, judgement=replace(UNUSUAL, **changed))


def test_what_is_about_the_labels_of_a_column_follows_the_label_that_is_gone() -> None:
    gone = told("categories.country", 1.0, level=0.0, score=deviate(1e-40))
    share = told("distribution.country", 0.4, level=0.01, score=400.0)
    fewer = told("distinct.country", 4.0, level=5.0)
    other = told("distribution.status", 0.3, level=0.01, score=300.0)
    for alarms in ([gone, share, fewer, other], [other, fewer, share, gone]):
        assert consequences(alarms) == {
            "distribution.country": "categories.country",
            "distinct.country": "categories.country",
        }


def test_a_mix_that_moves_with_the_same_labels_leads_itself() -> None:
    assert consequences([told("distribution.country", 0.4, level=0.01)]) == {}


@pytest.mark.parametrize(("chance", "expected"), [(0.5, 0.0), (0.9, 0.0), (0.0228, 2.0)])
def test_a_chance_has_its_place_among_distances(chance: float, expected: float) -> None:
    assert deviate(chance) == pytest.approx(expected, abs=0.01)


def test_no_chance_is_too_small_to_be_placed() -> None:
    assert deviate(0.0) == deviate(1e-320) == pytest.approx(37.0, abs=0.1)
    assert deviate(1e-12) < deviate(1e-40)
