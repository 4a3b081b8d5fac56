"""Judging all columns at a glance tells what walking through them tells."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.panel import panel_of
from dagster_agent.anomaly.walk import glance, learn_bands, walk_through
from tests.unit.anomaly.series import series_of

CONFIG = AnomalyConfig()
FAULTS = ("none", "spike", "shift", "gap", "frozen")


def _series(rng: np.random.Generator, count: int) -> list[float]:
    week = 1 + rng.uniform(0, 0.5) * (np.arange(count) % 7 < 5)
    noise = rng.normal(size=count) if rng.integers(2) else rng.standard_t(4, size=count)
    values = 1000 * week * (1 + 0.05 * noise)
    fault, at = FAULTS[rng.integers(len(FAULTS))], int(rng.integers(count // 2, count - 1))
    if fault == "spike":
        values[at] *= 4
    elif fault == "shift":
        values[at:] *= 2
    elif fault == "gap":
        values[at] = np.nan
    elif fault == "frozen":
        values[at:] = values[at]
    return [float(value) for value in values]


def _assert_alike(one: Any, other: Any, name: str = "bands") -> None:
    if is_dataclass(one):
        for field in fields(one):
            inner = getattr(one, field.name), getattr(other, field.name)
            _assert_alike(*inner, f"{name}.{field.name}")
    elif hasattr(one, "dtype"):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6, err_msg=name)
    else:
        assert one == other, name


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([40, 90, 200]))
def test_a_glance_tells_what_the_walk_tells(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [_series(rng, count + 1) for _ in range(30)]
    panel = panel_of([series_of(row[:-1], row[-1]) for row in rows], CONFIG)
    told = learn_bands(panel, CONFIG, whole=True)
    _assert_alike(told, walk_through(panel, CONFIG).told(whole=True))


def test_calm_series_are_only_glanced_at() -> None:
    rng = np.random.default_rng(1)
    calm = [1000 * (1 + 0.05 * rng.normal(size=201)) for _ in range(20)]
    odd = [*calm[0][:150], 5000.0, *calm[0][151:]]
    rows = [*calm, odd]
    panel = panel_of([series_of(list(row[:-1]), float(row[-1])) for row in rows], CONFIG)
    glanced, doubtful = glance(panel, CONFIG)
    assert glanced is not None
    assert doubtful.tolist() == [20]


def test_ordinary_points_far_out_are_no_reason_to_walk() -> None:
    """Tails that are heavy all the time, and points that are cut when means are compared."""
    rng = np.random.default_rng(2)
    rows = [1000 * (1 + 0.03 * rng.standard_t(5, size=201)) for _ in range(200)]
    panel = panel_of([series_of(list(row[:-1]), float(row[-1])) for row in rows], CONFIG)
    _, doubtful = glance(panel, CONFIG)
    assert len(doubtful) < 0.3 * len(rows)
