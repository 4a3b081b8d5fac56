"""Columns whose values are spread otherwise from one day on, and columns whose values are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.model import DetectionStatus, Relation, TableProfile
from dagster_agent.model.profile import Distribution

KINDS = ("category", "numeric")
START = datetime(2025, 1, 1, 6, tzinfo=UTC)
DAYS = 60
"""Days before the mix changes."""
ROWS = 5_000
"""Rows of a day."""


def counted(kind: str, count: int, seed: int) -> tuple[int, int, int, int]:
    """Changed mixes, those found on their first day, ordinary evaluations, alarms among them.

    Categories: shares of six labels that wander by some 3 % of themselves from day to day; the
    fault moves 10 to 25 % of all values from the largest to another label. Numbers: normal values
    in twenty bins of ordinary width; the fault moves their mean by 0.5 to 1 standard deviation or
    makes them 1.6 to 2 times as wide.
    """
    source = np.random.default_rng([seed, *kind.encode()])
    found = false = 0
    for _ in range(count):
        days = _shares(kind, source)
        past = [_seen(kind, day, shares, source) for day, shares in enumerate(days[:-1])]
        found += _alarm(past, _seen(kind, DAYS, _changed(kind, days[-1], source), source))
        false += _alarm(past, _seen(kind, DAYS, days[-1], source))
    return count, found, count, false


def _shares(kind: str, source: np.random.Generator) -> NDArray[np.float64]:
    if kind == "numeric":
        return np.array([_binned(0.02 * source.normal(), 1.0) for _ in range(DAYS + 1)])
    shares = np.sort(source.dirichlet(np.full(6, 3.0)))[::-1]
    wandering = shares * np.exp(0.03 * source.normal(size=(DAYS + 1, 6)))
    return wandering / wandering.sum(axis=1, keepdims=True)


def _binned(mean: float, width: float) -> NDArray[np.float64]:
    centers = np.linspace(-2.85, 2.85, 20)
    density = np.exp(-(((centers - mean) / width) ** 2) / 2)
    return density / density.sum()


def _changed(
    kind: str, shares: NDArray[np.float64], source: np.random.Generator
) -> NDArray[np.float64]:
    if kind == "numeric":
        if source.random() < 0.5:
            return _binned(source.choice([-1, 1]) * source.uniform(0.5, 1), 1.0)
        return _binned(0.0, source.uniform(1.6, 2.0))
    moved = min(source.uniform(0.1, 0.25), 0.9 * shares[0])
    changed = shares.copy()
    changed[0] -= moved
    changed[source.integers(1, 6)] += moved
    return changed


def _seen(
    kind: str, day: int, shares: NDArray[np.float64], source: np.random.Generator
) -> Distribution:
    counts = source.multinomial(ROWS, shares)
    return Distribution(
        column="c",
        at=START + timedelta(day),
        kind="category" if kind == "category" else "numeric",
        labels=tuple(f"label {number:02}" for number in range(len(counts))),
        counts=tuple(float(each) for each in counts),
    )


def _alarm(past: list[Distribution], now: Distribution) -> bool:
    profile = TableProfile(
        relation=Relation(name="t"),
        row_count=ROWS,
        columns=(),
        profiled_at=now.at,
        distributions=(now,),
    )
    found = detect_anomalies(
        "a", profile, lambda _: [], AnomalyConfig(), now.at, distributions=lambda _: past
    )
    return found[0].status is DetectionStatus.FAILED
