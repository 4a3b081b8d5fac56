"""Extremes and quantiles, which sit on one value for days and then on the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.profiling.points import metric_points
from dagster_agent.model import ColumnProfile, DetectionStatus, MetricPoint, Relation, TableProfile

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
ASSET = "model.shop.fct_tickets"
USUAL = {"q05": 1.0, "q25": 3.0, "q50": 4.0, "q75": 6.0, "q95": 8.0}


def _profile(
    day: int, low: float, high: float, quantiles: dict[str, float], rows: int = 120
) -> TableProfile:
    column = ColumnProfile(
        name="tickets",
        type="INTEGER",
        null_count=0,
        minimum=low,
        maximum=high,
        quantiles=quantiles,
    )
    return TableProfile(
        relation=Relation(name="fct_tickets"),
        row_count=rows,
        columns=(column,),
        profiled_at=START + timedelta(day),
    )


def _red(past: Sequence[TableProfile], now: TableProfile) -> set[str]:
    points = [point for profile in past for point in metric_points(ASSET, profile)]

    def history(metric: str) -> Sequence[MetricPoint]:
        return [point for point in points if point.metric == metric]

    found = detect_anomalies(ASSET, now, history, AnomalyConfig(), now.profiled_at)
    return {
        each.detector.split("/", 2)[2]
        for each in found
        if each.status is DetectionStatus.FAILED and each.detector.count("/") == 2
    }


@pytest.mark.parametrize(
    ("low", "high", "changed", "red"),
    [
        (1.0, 10.0, {}, set[str]()),
        (1.0, 12.0, {}, set[str]()),
        (1.0, 90.0, {}, {"max.tickets"}),
        (-1.0, 12.0, {}, {"min.tickets"}),
        (0.0, 12.0, {}, {"min.tickets"}),
        (1.0, 10.0, {"q05": 1.65}, set[str]()),
        (1.0, 10.0, {"q50": 6.0}, {"q50.tickets"}),
    ],
)
def test_a_step_to_the_next_value_is_chance_and_what_is_far_is_not(
    low: float, high: float, changed: dict[str, float], red: set[str]
) -> None:
    past = [_profile(day, 1.0, 10.0, USUAL) for day in range(20)]
    assert _red(past, _profile(20, low, high, {**USUAL, **changed})) == red


def test_a_large_table_does_not_move_by_chance() -> None:
    past = [_profile(day, 1.0, 10.0, USUAL, rows=1_000_000) for day in range(20)]
    now = _profile(20, 1.0, 10.0, {**USUAL, "q50": 5.0}, rows=1_000_000)
    assert _red(past, now) == {"q50.tickets"}


def test_small_tables_of_whole_numbers_are_seldom_red() -> None:
    """Poisson numbers of 150 rows, anew every day: whatever moves, moves by chance."""
    generator = np.random.default_rng(20261121)
    red = 0
    for _ in range(100):
        days = generator.poisson(6.0, size=(15, 150)) + 1.0
        profiles = [
            _profile(day, values.min(), values.max(), _quantiles(values), rows=150)
            for day, values in enumerate(days)
        ]
        red += bool(_red(profiles[:14], profiles[14]))
    assert red == 0


def _quantiles(values: np.ndarray) -> dict[str, float]:
    found = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    return dict(zip(USUAL, found.tolist(), strict=True))
