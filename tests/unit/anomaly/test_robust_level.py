"""The detector does what its case file says, and keeps its laws."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Judgement, Series
from dagster_agent.anomaly.engine import DETECTORS
from dagster_agent.model import MetricPoint

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
CONFIG = AnomalyConfig()
CASES = Path(__file__).parents[2] / "cases" / "detector"
ALL = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]


def _series(values: Sequence[float], value: float, *, step: timedelta = timedelta(1)) -> Series:
    return Series(
        metric="row_count",
        value=value,
        at=START + step * len(values),
        history=[
            MetricPoint(asset="a", metric="row_count", value=v, at=START + step * index)
            for index, v in enumerate(values)
        ],
    )


def _judge(series: Series, config: AnomalyConfig = CONFIG) -> Judgement:
    return DETECTORS.get("robust-level").judge(series, config)


def _noise(seed: int, count: int, share: float = 0.1) -> list[float]:
    source = random.Random(seed)  # noqa: S311 - noise
    return [source.gauss(1000, 1000 * share) for _ in range(count)]


@pytest.mark.parametrize(("detector", "case"), ALL)
def test_case(detector: str, case: Mapping[str, Any]) -> None:
    values: list[float] = []
    for entry in case["history"]:
        values += [entry[0]] * entry[1] if isinstance(entry, list) else [entry]
    found = DETECTORS.get(detector).judge(_series(values, case["value"]), CONFIG)
    assert found.trained is case.get("trained", True)
    assert found.unusual is case.get("unusual", False)
    assert found.returned is case.get("returned", False)
    if "needed" in case:
        assert found.points_needed == case["needed"]


def test_half_the_level_in_ten_percent_noise_is_found() -> None:
    found = 0
    for seed in range(400):
        *past, last = _noise(seed, 31)
        found += _judge(_series(past, last - 500)).unusual
    assert found / 400 > 0.9


@pytest.mark.parametrize("count", [4, 8, 15, 30])
def test_pure_noise_raises_no_alarm(count: int) -> None:
    alarms = 0
    for seed in range(1000):
        *past, last = _noise(seed, count + 1)
        alarms += _judge(_series(past, last)).unusual
    assert alarms / 1000 < 0.01


def test_the_power_it_states_is_the_power_it_has() -> None:
    seen = 0
    for seed in range(300):
        *past, last = _noise(seed, 31)
        series = _series(past, last)
        seen += _judge(replace(series, value=last - _judge(series).visible)).unusual
    assert 0.7 < seen / 300 < 0.9


VALUES = st.lists(st.integers(1, 10**6).map(float), min_size=2, max_size=40)


@given(VALUES, st.integers(0, 10**6).map(float), st.sampled_from([0.001, 0.5, 8.0, 1000.0]))
def test_scaling_changes_no_verdict(values: list[float], value: float, factor: float) -> None:
    one = _judge(_series(values, value))
    other = _judge(_series([v * factor for v in values], value * factor))
    assume(abs(abs(value - one.level) - one.limit) > 1e-6 * one.level)  # not on the very edge
    assert (one.trained, one.points_needed) == (other.trained, other.points_needed)
    assert one.unusual == other.unusual
    assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from([-300.0, 250.0, 1000.0]))
def test_shifting_noise_changes_no_verdict(seed: int, shift: float) -> None:
    """As long as the floor, a share of the level, stays below the noise, and the same points count
    as ordinary: how early a point can be called unusual depends on its share of the level."""
    *past, last = _noise(seed, 20)
    one = _judge(_series(past, last))
    other = _judge(_series([v + shift for v in past], last + shift))
    assume(one.set_aside == other.set_aside)
    assert one.unusual == other.unusual
    assert one.score == pytest.approx(other.score)


@given(VALUES, st.integers(0, 10**6).map(float))
def test_the_judged_value_teaches_nothing(values: list[float], value: float) -> None:
    series = _series(values, value)
    itself = MetricPoint(asset="a", metric="row_count", value=value, at=series.at)
    later = replace(itself, at=series.at + timedelta(1), value=0.0)
    known = replace(series, history=[*series.history, itself, later])
    assert _judge(known) == _judge(series)


def test_it_stays_open_since_the_first_bad_point() -> None:
    good = _noise(1, 20, share=0.02)
    for days in (0, 1, 5, 100):
        found = _judge(_series([*good, *[0.0] * days], 0.0))
        assert found.unusual_since == START + timedelta(20)
        assert found.set_aside == days


def test_many_points_of_one_day_teach_nothing() -> None:
    found = _judge(_series([1000.0] * 50, 500.0, step=timedelta(minutes=5)))
    assert (found.trained, found.points, found.days) == (False, 1, 1)
    noisy = _judge(_series(_noise(3, 50, share=0.001), 500.0, step=timedelta(minutes=5)))
    assert (noisy.trained, noisy.points, noisy.days) == (False, 50, 1)


def test_luck_in_the_first_points_is_corrected() -> None:
    """Two equal days look like a constant; later points show that it is none."""
    found = _judge(_series([1000.0, 1000.0, *_noise(5, 30)], 1100.0))
    assert found.trained
    assert found.points > 25
    assert not found.unusual


def test_a_new_level_is_accepted_by_its_moment() -> None:
    values = [*_noise(1, 20, share=0.02), *_noise(2, 20, share=0.02)]
    shifted = [v * (3 if index >= 20 else 1) for index, v in enumerate(values)]
    assert _judge(_series(shifted, 3000.0)).unusual
    since = AnomalyConfig(since=START + timedelta(20))
    assert not _judge(_series(shifted, 3000.0), since).unusual
    assert _judge(_series(shifted, 1000.0), since).unusual


def test_mondays_with_mondays() -> None:
    week = [1000.0, 1005.0, 995.0, 1002.0, 998.0, 0.0, 0.0]
    weekly = AnomalyConfig(same_weekday=True)
    history = [value + number for number in range(9) for value in week]
    assert not _judge(_series([*history, *week[:5]], 9.0), weekly).unusual
    assert _judge(_series([*history, *week[:4]], 9.0), weekly).unusual


def test_a_higher_threshold_needs_fewer_points_and_sees_less() -> None:
    series = _series(_noise(1, 30), 1000.0)
    low, high = _judge(series), _judge(series, AnomalyConfig(threshold=7))
    assert (low.points_needed, high.points_needed) == (15, 5)
    assert high.limit > low.limit
