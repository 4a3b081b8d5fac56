"""`AnomalyDetector`: one way to tell whether numbers are unusual, given their past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import TYPE_CHECKING

from dagster_agent.model import MetricPoint

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study

_LEAST_CHANCE = 1e-300
"""Smaller ones are this one: the tail of the normal distribution ends in numbers here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric now and before."""

    metric: str
    """As named by `TableProfile.metrics`."""
    value: float
    """The value that is judged."""
    at: datetime
    """When it was seen, UTC."""
    history: Sequence[MetricPoint]
    """Earlier points, in any order; the judged one is not among them."""
    floor: float = 0.0
    """Smallest spread that means anything, in the metric's own unit."""
    bounded: bool = False
    """A share, 0 to 1."""
    expected: frozenset[datetime] = frozenset()
    """Moments of points that a person called expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a detector says about a value."""

    trained: bool
    """False when there is too little to say anything."""
    points: int
    """Ordinary points that it is judged by."""
    days: int
    """Different days they are from."""
    points_needed: int
    """Points from which it would be trained, as far as can be told now."""
    level: float
    """Usual value; 0 without any points."""
    low: float
    """Smallest ordinary value."""
    high: float
    """Largest ordinary value."""
    visible: float
    """Distance from the level at which a value would be called unusual four times in five."""
    score: float
    """Distance of the value in units of the usual spread, negative below, cut at 999; of what has
    no level, `deviate(probability)`."""
    probability: float
    """Chance of an ordinary value at least as far away."""
    set_aside: int
    """Earlier points that were unusual and therefore taught nothing."""
    ignored: int = 0
    """Earlier points that were left out because they are no finite number."""
    unusual_since: datetime | None = None
    """First of the unusual points up to and with this one; None when it is ordinary."""
    returned: bool = False
    """The value is ordinary and the point before was not."""
    basis: str = ""
    """By what it is judged, in a few words: `same weekday`, `trend`, `7-day trailing mean`."""
    reason: str = ""
    """The whole sentence of a detector that has more to say than the numbers."""

    @property
    def unusual(self) -> bool:
        """Whether the value is unusual, looked at by itself."""
        return self.unusual_since is not None


def deviate(chance: float) -> float:
    """Deviations from the mean at which a normal value has this chance to be as far on that side.

    So what has a chance and no distance, such as a label that is gone, takes its place among what
    has one.
    """
    return -NormalDist().inv_cdf(max(chance, _LEAST_CHANCE)) if chance < 0.5 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A judgement and what it is about."""

    metric: str
    """The series, or `distribution.<column>` and the like."""
    value: float
    """What was judged."""
    judgement: Judgement
    """What is said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyDetector:
    """A member of the catalogue in `detectors/`."""

    id: str
    """Public id, the file's name with dashes."""
    judge: Callable[[Study], Sequence[Told]]
    """A pure function of its argument; leaves out what it does not apply to."""


def anomaly_detector(
    *,
    id: str,  # noqa: A002 - the public word for it
) -> Callable[[Callable[[Study], Sequence[Told]]], AnomalyDetector]:
    """Make a detector of a function; registers nothing."""

    def decorate(judge: Callable[[Study], Sequence[Told]]) -> AnomalyDetector:
        return AnomalyDetector(id=id, judge=judge)

    return decorate
