"""Laws of the bands: what must not change a verdict does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dagster_agent.anomaly.config import AnomalyConfig, ExcludedWindow
from dagster_agent.anomaly.detector import Judgement, Series
from dagster_agent.anomaly.engine import judge_series
from dagster_agent.anomaly.feedback import Feedback, with_feedback
from dagster_agent.anomaly.walk import learn_bands
from dagster_agent.model import MetricPoint
from tests.unit.anomaly.series import START, panel_of_rows, series_of

CONFIG = AnomalyConfig()
FEW = settings(max_examples=12, deadline=None)


def _judge(series: Series, config: AnomalyConfig = CONFIG) -> Judgement:
    return judge_series([replace(series, floor=0.0)], config)[0]


def _noise(seed: int, count: int, share: float = 0.1) -> list[float]:
    return [float(v) for v in 1000 * (1 + share * np.random.default_rng(seed).normal(size=count))]


def _weekly(seed: int, count: int) -> list[float]:
    week = (1000, 990, 400, 300, 1010, 1005, 995)
    return [week[day % 7] / 1000 * v for day, v in enumerate(_noise(seed, count, 0.03))]


SEEDS = st.integers(0, 10_000)
LENGTHS = st.sampled_from([3, 9, 20, 45, 80])


@FEW
@given(SEEDS, LENGTHS, st.sampled_from([1e-3, 0.5, 8.0, 1e6]), st.sampled_from([0.0, 0.5, 2.0]))
@example(243, 80, 1e-3, 0.0)  # a distance that is 0 in one unit and rounding in the other
def test_scaling_changes_no_verdict(seed: int, count: int, factor: float, fault: float) -> None:
    *past, last = _weekly(seed, count + 1)
    last *= fault or 1
    one = _judge(series_of(past, last, "mean.x"))
    other = _judge(series_of([v * factor for v in past], last * factor, "mean.x"))
    assert (one.trained, one.points_needed, one.unusual) == (
        *(other.trained, other.points_needed),
        other.unusual,
    )
    assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-6)


@FEW
@given(SEEDS, st.sampled_from([500.0, 3000.0]), st.sampled_from([0.0, 500.0, 1500.0]))
def test_shifting_changes_no_verdict(seed: int, shift: float, fault: float) -> None:
    """As long as the floor, a share of the level, stays below the noise, and the noise is no share
    of the level: a constant that is added changes what is a share of what."""
    *past, last = _noise(seed, 61)
    last = fault or last
    one = _judge(series_of(past, last, "mean.x"))
    other = _judge(series_of([v + shift for v in past], last + shift, "mean.x"))
    assert one.unusual == other.unusual
    assume(one.set_aside == other.set_aside)
    assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-6)


@FEW
@given(SEEDS, LENGTHS, st.integers(1, 3))
def test_moving_by_whole_weeks_changes_nothing(seed: int, count: int, weeks: int) -> None:
    """Within one month's end and the next nothing but the weekday counts."""
    *past, last = _weekly(seed, min(count, 20) + 1)
    series = series_of(past, last)
    later = replace(
        series,
        at=series.at + timedelta(weeks=weeks),
        history=[replace(p, at=p.at + timedelta(weeks=weeks)) for p in series.history],
    )
    one, other = _judge(series), _judge(later)
    assert (one.score, one.low, one.high) == pytest.approx((other.score, other.low, other.high))
    assert (one.trained, one.unusual) == (other.trained, other.unusual)


@FEW
@given(st.floats(-1e9, 1e9), st.integers(0, 90))
def test_a_constant_never_alarms_on_its_own_value(value: float, count: int) -> None:
    assert not _judge(series_of([value] * count, value)).unusual


@FEW
@given(SEEDS, st.permutations(range(5)))
def test_the_order_of_metrics_changes_nothing(seed: int, order: Sequence[int]) -> None:
    series = [
        series_of(_weekly(seed + k, 40), 900.0 if k else 100.0, f"mean.c{k}") for k in range(5)
    ]
    plain = judge_series(series, CONFIG)
    assert judge_series([series[k] for k in order], CONFIG) == [plain[k] for k in order]
    assert [judge_series([each], CONFIG)[0].unusual for each in series] == [
        j.unusual for j in plain
    ]


@FEW
@given(SEEDS, st.integers(5, 30), st.integers(1, 10))
def test_an_excluded_window_is_as_if_it_were_not_there(seed: int, first: int, days: int) -> None:
    *past, last = _noise(seed, 46)
    broken = [0.0 if first <= day < first + days else v for day, v in enumerate(past)]
    series = series_of(broken, last)
    window = ExcludedWindow(
        since=START + timedelta(first), until=START + timedelta(first + days), reason="backfill"
    )
    absent = [p for p in series.history if not window.since <= p.at < window.until]
    config = AnomalyConfig(exclude_windows=(window,))
    assert _judge(series, config) == _judge(replace(series, history=absent))


@FEW
@given(SEEDS, st.sampled_from([0.0, 5000.0]))
def test_the_judged_value_and_later_ones_teach_nothing(seed: int, value: float) -> None:
    series = series_of(_noise(seed, 30), value)
    itself = MetricPoint(asset="a", metric="m", value=value, at=series.at)
    later = replace(itself, at=series.at + timedelta(1), value=0.0)
    assert _judge(replace(series, history=[*series.history, itself, later])) == _judge(series)


@FEW
@given(SEEDS, st.permutations(range(40)))
def test_order_and_what_is_no_number_do_not_matter(seed: int, order: Sequence[int]) -> None:
    series = series_of(_noise(seed, 40), 1000.0)
    history = [series.history[place] for place in order]
    odd = [
        MetricPoint(asset="a", metric="m", value=value, at=START + timedelta(hours=12, days=day))
        for day, value in enumerate([float("nan"), float("inf"), float("-inf")])
    ]
    found = _judge(replace(series, history=[*odd, *history, history[0]]))
    assert found.ignored == 3
    assert replace(found, ignored=0) == _judge(series)


def test_pure_noise_raises_no_alarm() -> None:
    values = [_noise(seed, 90) for seed in range(400)]
    found = learn_bands(panel_of_rows(values, CONFIG), CONFIG)
    assert (found.flagged | found.shifted).sum() / found.trained[:, :-1].sum() < 0.0005


def test_the_power_it_states_is_the_power_it_has() -> None:
    series = [series_of(_noise(seed, 60), 1000.0, f"mean.c{seed}") for seed in range(200)]
    stated = [j.visible for j in judge_series(series, CONFIG)]
    lower = [
        replace(s, value=v - far)
        for s, far, v in zip(series, stated, _noise(9_999, 200), strict=True)
    ]
    seen = sum(j.unusual for j in judge_series(lower, CONFIG))
    assert 0.7 < seen / 200 < 0.9


def test_it_stays_open_since_the_first_bad_point() -> None:
    good = _noise(1, 20, share=0.02)
    for days in (0, 1, 5, 100):
        found = _judge(series_of([*good, *[0.0] * days], 0.0))
        assert found.unusual_since == START + timedelta(20)
        assert found.set_aside == days


def test_many_points_of_one_day_teach_nothing() -> None:
    def within_a_day(values: Sequence[float]) -> Series:
        series = series_of(values, 500.0, "mean.x")
        step = timedelta(minutes=5)
        return replace(
            series,
            at=START + step * len(values),
            history=[replace(p, at=START + step * k) for k, p in enumerate(series.history)],
        )

    found = _judge(within_a_day([1000.0] * 50))
    assert (found.trained, found.points, found.days) == (False, 1, 1)
    assert not _judge(within_a_day(_noise(3, 50, share=0.001))).trained


def test_a_new_level_is_accepted_by_its_moment() -> None:
    values = [*_noise(1, 20, share=0.02), *(3 * v for v in _noise(2, 20, share=0.02))]
    assert _judge(series_of(values, 3000.0)).unusual
    since = AnomalyConfig(since=START + timedelta(20))
    assert not _judge(series_of(values, 3000.0), since).unusual
    assert _judge(series_of(values, 1000.0), since).unusual


def test_expected_points_make_their_level_ordinary_beside_the_usual_one() -> None:
    series = series_of([*_noise(1, 40, share=0.02), 3000.0, 3010.0], 3005.0)
    assert _judge(series).unusual
    word = Feedback(metric="ROW_*", at=START + timedelta(40, hours=1))
    told = with_feedback(series, [word])
    assert told.expected == {START + timedelta(40)}
    assert not _judge(told).unusual
    assert not _judge(replace(told, value=1000.0)).unusual
    assert _judge(replace(told, value=2000.0)).unusual


def test_holidays_are_quiet_and_teach_nothing() -> None:
    series = series_of([*_noise(1, 40, share=0.02), 100.0], 100.0)
    holidays = AnomalyConfig(calendar=tuple((START + timedelta(d)).date() for d in (40, 41)))
    assert _judge(series).unusual
    assert not _judge(series, holidays).unusual
    assert _judge(series, holidays).set_aside == 0


def test_month_ends_are_learned() -> None:
    def rows(day: int) -> float:
        moment, noise = START + timedelta(day), _noise(day, 1, share=0.03)[0]
        return noise * (2.5 if (moment + timedelta(1)).day == 1 else 1)

    for days, usual in ((58, 2500.0), (180, 2500.0), (181, 1000.0)):  # 28 February, 30 June, 1 July
        series = series_of([rows(day) for day in range(days)], usual)
        assert not _judge(series).unusual
        assert _judge(replace(series, value=6000.0)).unusual


def test_hours_of_the_day_are_learned() -> None:
    hourly = [
        (1000 if 8 <= hour % 24 < 20 else 100) * noise / 1000
        for hour, noise in enumerate(_noise(4, 24 * 40, share=0.03))
    ]
    series = series_of(hourly, 1000.0, "mean.x")
    start = START.replace(hour=0)
    series = replace(
        series,
        at=start + timedelta(hours=len(hourly)),
        history=[replace(p, at=start + timedelta(hours=k)) for k, p in enumerate(series.history)],
    )
    found = _judge(series)
    assert found.basis.startswith("same hour of")
    assert found.unusual
    assert not _judge(replace(series, value=101.0)).unusual


def test_a_metric_is_judged_beside_others_as_it_is_alone() -> None:
    past = [_weekly(seed, 77) for seed in range(30)]
    series = [
        replace(series_of(row, 1000.0 if k % 3 else 450.0, f"mean.c{k}"), floor=0.0)
        for k, row in enumerate(past)
    ]
    together = judge_series(series, CONFIG)
    alone = [judge_series([each], CONFIG)[0] for each in series]
    assert [j.unusual for j in together] == [j.unusual for j in alone]
    assert sum(j.unusual for j in together) == 10
    for name in ("level", "low", "high", "score", "visible", "probability"):
        told = [getattr(judgement, name) for judgement in alone]
        assert [getattr(judgement, name) for judgement in together] == pytest.approx(told)
