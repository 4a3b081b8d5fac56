"""Bands are as narrow as honest statistics allow, and alarms of ordinary series are rare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.engine import judge_series
from dagster_agent.anomaly.walk import learn_bands
from tests.unit.anomaly.series import panel_of_rows, series_of

CONFIG = AnomalyConfig()
SERIES = 200
WEEK = np.array([1.1, 1.0, 0.95, 1.0, 1.15, 0.75, 0.6])


def _of(kind: str, day: int) -> Any:
    """What a day may bring, a distribution of scipy; every kind has about 66 rows a day."""
    level = 66 * WEEK[day % 7] if kind.startswith("weekly") else 66.0
    match kind.removeprefix("weekly "):
        case "normal":
            return stats.norm(level, 10)
        case "counted":
            return stats.poisson(level)
        case "skewed":
            return stats.lognorm(0.3, scale=level)
        case _:
            return stats.norm(level + 0.5 * day, 10)


def _learned(kind: str, days: int) -> tuple[Bands, Any]:
    """Bands of some series, and what the next day may bring."""
    source = np.random.default_rng([days, *kind.encode()])
    drawn = [_of(kind, day).rvs(size=SERIES, random_state=source) for day in range(days)]
    panel = panel_of_rows(np.column_stack(drawn), CONFIG)
    return learn_bands(replace(panel, floors=np.ones(SERIES)), CONFIG), _of(kind, days)


def _half(kind: str, days: int) -> float:
    """Mean half-width of the newest band in standard deviations."""
    bands, coming = _learned(kind, days)
    return float((bands.high[:, -1] - bands.low[:, -1]).mean() / 2 / coming.std())


KINDS = ["normal", "counted", "skewed", "trend"]
WEEKLY = ["weekly normal", "weekly counted", "weekly skewed"]
"""Before the weekday is known, values are compared with the same weekday, not by the band alone."""


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        *((kind, days) for kind in KINDS for days in (18, 21, 28, 60)),
        *((kind, days) for kind in WEEKLY for days in (21, 28, 60)),
    ],
)
def test_at_most_one_false_alarm_in_a_thousand(kind: str, days: int) -> None:
    """Not by counting alarms: by the chance that each band leaves for one."""
    bands, coming = _learned(kind, days)
    beyond = coming.cdf(np.ceil(bands.low[:, -1]) - 1) if "counted" in kind else 0
    beyond = beyond if "counted" in kind else coming.cdf(bands.low[:, -1])
    chance = np.where(bands.trained[:, -1], beyond + coming.sf(bands.high[:, -1]), 0)
    assert 1000 * chance.mean() < 1


WIDEST = {18: 7.5, 21: 7.3, 28: 6.7, 42: 6.2, 60: 5.8, 90: 5.5}
"""Half of a band in standard deviations. A normal series that is known to be one would need 4.1
with 18 points and 3.4 with 90; the rest is the price of not calling heavy tails anomalies."""


@pytest.mark.parametrize(("days", "widest"), WIDEST.items())
@pytest.mark.parametrize("kind", ["normal", "counted"])
def test_how_wide_a_band_is(kind: str, days: int, widest: float) -> None:
    assert _half(kind, days) < widest


@pytest.mark.parametrize(("days", "widest"), [(21, 12.0), (28, 8.8), (42, 7.2), (60, 6.5)])
@pytest.mark.parametrize("kind", ["weekly normal", "weekly counted"])
def test_how_wide_it_is_where_the_weekday_counts(kind: str, days: int, widest: float) -> None:
    assert _half(kind, days) < widest


@pytest.mark.parametrize("days", [21, 28, 60])
def test_noise_has_neither_season_nor_trend(days: int) -> None:
    bands, _ = _learned("normal", days)
    assert (bands.season.cycle > 0).mean() < 0.04
    assert (bands.trend != 0).mean() < 0.01


@pytest.mark.parametrize("days", [21, 60])
def test_what_is_there_is_found(days: int) -> None:
    bands, _ = _learned("weekly normal", days)
    assert (bands.season.cycle == 1).mean() > 0.6
    bands, _ = _learned("trend", max(days, 60))
    assert (bands.trend > 0).mean() > 0.7


@pytest.mark.parametrize("days", [28, 60])
@pytest.mark.parametrize("kind", ["normal", "weekly normal"])
def test_the_power_it_states_is_the_power_it_has(kind: str, days: int) -> None:
    source = np.random.default_rng([7, days])
    drawn = [_of(kind, day).rvs(size=120, random_state=source) for day in range(days + 1)]
    rows = np.column_stack(drawn)
    series = [series_of(list(row[:-1]), row[-1], f"mean.c{k}") for k, row in enumerate(rows)]
    lower = [
        replace(each, value=each.value - judged.visible)
        for each, judged in zip(series, judge_series(series, CONFIG), strict=True)
    ]
    assert 0.65 < np.mean([judged.unusual for judged in judge_series(lower, CONFIG)]) < 0.9


def test_two_equal_points_do_not_lock_a_count_out() -> None:
    """The first points of a small count are often the same; that makes it no constant."""
    counts = np.random.default_rng(3).poisson(10, size=(400, 43)).astype(float)
    counts[:, 1] = counts[:, 0]
    series = [series_of(list(row[:-1]), row[-1], f"max.c{k}") for k, row in enumerate(counts)]
    judged = judge_series([replace(each, floor=0.0) for each in series], CONFIG)
    assert sum(each.set_aside > 5 for each in judged) <= 4
    assert sum(each.unusual for each in judged) <= 2


def test_days_without_rows_are_no_alarm_where_rows_are_few() -> None:
    counts = np.random.default_rng(4).poisson(3, size=(400, 43)).astype(float)
    series = [
        series_of(list(row[:-1]), row[-1], f"row_count{{c={k}}}") for k, row in enumerate(counts)
    ]
    assert sum(each.unusual for each in judge_series(series, CONFIG)) <= 2
