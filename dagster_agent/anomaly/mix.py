"""Distributions beside each other: how far apart, in which measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.robust import Floats
from dagster_agent.model.profile import Distribution

_SMALL = 1e-4
"""Shares are never taken as smaller than this where a logarithm is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixes:
    """One column's distributions on the same labels; the last one is judged."""

    labels: tuple[str, ...]
    """Of the columns."""
    counts: Floats
    """Moment by label."""
    at: tuple[datetime, ...]
    """The moments, ascending."""

    @property
    def shares(self) -> Floats:
        """Each moment's counts as shares of their sum."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)


def mixes(distributions: Sequence[Distribution], config: AnomalyConfig) -> Mixes | None:
    """Lay the distributions of one column on the same labels; None where the last one is empty.

    Empty ones, those before `since` or in an excluded window, and of numbers those with other bins
    are left out.
    """
    now = distributions[-1]
    usable = [d for d in distributions[:-1] if _usable(d, now, config)]
    if not sum(now.counts) > 0:
        return None
    usable.append(now)
    labels = now.labels
    if now.kind == "category":
        labels = tuple(sorted({label for d in usable for label in d.labels}))
    rows = [dict(zip(d.labels, d.counts, strict=True)) for d in usable]
    counts = np.array([[row.get(label, 0.0) for label in labels] for row in rows])
    return Mixes(labels=labels, counts=counts, at=tuple(d.at for d in usable))


def _usable(past: Distribution, now: Distribution, config: AnomalyConfig) -> bool:
    if not sum(past.counts) > 0 or (config.since and past.at < config.since):
        return False
    if any(w.since <= past.at < w.until for w in config.exclude_windows):
        return False
    return now.kind == "category" or past.labels == now.labels


def kolmogorov_smirnov(one: Floats, other: Floats) -> float:
    """Largest distance between the cumulated shares; of bins in their order."""
    return float(np.abs(np.cumsum(one) - np.cumsum(other)).max())


def population_stability(one: Floats, other: Floats) -> float:
    """Population stability index: the symmetric Kullback-Leibler divergence."""
    one, other = np.maximum(one, _SMALL), np.maximum(other, _SMALL)
    return float(((one - other) * np.log(one / other)).sum())


def jensen_shannon(one: Floats, other: Floats) -> float:
    """Jensen-Shannon distance, 0 to 1 (root of the divergence to the base of 2)."""
    middle = (one + other) / 2
    halves = 0.0
    for each in (one, other):
        present = each > 0
        halves += float((each[present] * np.log2(each[present] / middle[present])).sum()) / 2
    return max(halves, 0.0) ** 0.5


def chi_square(counts: Floats, reference: Floats) -> float:
    """Pearson's statistic per degree of freedom, against shares; grows with the rows."""
    total = counts.sum()
    expected = np.maximum(reference, 1 / max(total, 1.0)) * total
    return float(((counts - expected) ** 2 / expected).sum()) / max(len(counts) - 1, 1)
