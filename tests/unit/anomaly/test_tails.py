"""Heavy tails are no anomalies, whatever the length of the history; faults among them are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.tail import tails_of
from dagster_agent.anomaly.walk import learn_bands
from tests.unit.anomaly.series import panel_of_rows

LENGTHS = (10, 20, 28, 40, 60, 75, 130, 200)
SERIES = 400
CONFIG = AnomalyConfig()
SHARE = CONFIG.false_alarm_share
TAILS: dict[str, Any] = {
    "normal": stats.norm(),
    "Student's t, 5 degrees": stats.t(5, scale=(3 / 5) ** 0.5),
    "Laplace": stats.laplace(scale=0.5**0.5),
}


def _limits(tails: Any, known: int, seed: int) -> tuple[Any, Any]:
    """What is ordinary of the next value, in standard deviations; untrained: everything."""
    noise = tails.rvs(size=(SERIES, known), random_state=np.random.default_rng(seed))
    told = learn_bands(panel_of_rows(1000 + 40 * noise, CONFIG), CONFIG)
    low, high = (np.asarray((each[:, -1] - 1000) / 40) for each in (told.low, told.high))
    trained = told.trained[:, -1]
    return np.where(trained, low, -np.inf), np.where(trained, high, np.inf)


@pytest.mark.parametrize("known", LENGTHS)
@pytest.mark.parametrize("name", TAILS)
def test_at_most_one_false_alarm_in_a_thousand(name: str, known: int) -> None:
    """Not by counting alarms: by the chance that each band leaves for one."""
    low, high = _limits(TAILS[name], known, seed=known)
    chance = TAILS[name].cdf(low) + TAILS[name].sf(high)
    assert 1000 * chance.mean() < (0.1 if name == "normal" else 0.8)


@pytest.mark.parametrize(("known", "recall"), [(28, 0.92), (60, 0.96), (130, 0.96)])
def test_spikes_are_seen_among_them(known: int, recall: float) -> None:
    """Of 8 to 15 standard deviations."""
    for name in ("normal", "Student's t, 5 degrees"):
        low, high = _limits(TAILS[name], known, seed=known)
        sizes = np.linspace(8, 15, 15)
        missed = [TAILS[name].cdf(high - s) - TAILS[name].cdf(low - s) for s in sizes]

        assert 1 - np.mean(missed) > recall


def test_the_tail_is_learned() -> None:
    source = np.random.default_rng(1)

    def tail(known: int, tails: Any) -> float:
        drawn = tails.rvs(size=(200, known + 1), random_state=source)
        return float(tails_of(drawn, SHARE).mean())

    normal, heavy = TAILS["normal"], TAILS["Student's t, 5 degrees"]
    assert tail(5, normal) == tail(5, heavy)
    for known in (60, 130, 365):
        assert tail(known, normal) < tail(known, heavy)
    assert tail(365, normal) < tail(130, normal) < tail(28, normal)


def test_gaps_and_a_few_faults_move_it_little() -> None:
    values = np.random.default_rng(2).normal(size=(50, 201))
    whole = tails_of(values, SHARE)
    gaps = values.copy()
    gaps[:, 5:200:40] = np.nan
    faults = values.copy()
    faults[:, [30, 90, 150]] = 50.0
    assert tails_of(gaps, SHARE).mean() == pytest.approx(whole.mean(), rel=0.02)
    assert tails_of(faults, SHARE).mean() == pytest.approx(whole.mean(), rel=0.08)
    assert tails_of(faults, SHARE).max() < 1.15 * whole.max()


def test_a_constant_has_none() -> None:
    """Its limits stay those that need no knowledge of tails."""
    told = learn_bands(panel_of_rows([[1000.0] * 4], CONFIG), CONFIG)
    assert told.high[0, -1] < 1100
