"""`AnomalyDetector`: one way to tell whether a number is unusual, given its past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.model import MetricPoint


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
    """Earlier points, oldest first; the judged one is not among them."""
    floor: float = 0.0
    """Smallest spread that means anything, in the metric's own unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a detector says about the value."""

    trained: bool
    """False when there are too few points to say anything."""
    points: int
    """Ordinary points that make up the usual level."""
    days: int
    """Different days they are from."""
    points_needed: int
    """Points from which it would be trained, as far as can be told now."""
    level: float
    """Usual value; 0 without any points."""
    limit: float
    """Distance from the level up to which a value is ordinary."""
    visible: float
    """Distance from the level at which a value would be called unusual four times in five."""
    score: float
    """Distance of the value in units of the usual spread, negative below; cut at 999."""
    probability: float
    """Chance of an ordinary value at least as far away."""
    set_aside: int
    """Earlier points that were unusual and therefore taught nothing."""
    unusual_since: datetime | None = None
    """First of the unusual points up to and with this one; None when it is ordinary."""
    returned: bool = False
    """The value is ordinary and the point before was not."""

    @property
    def unusual(self) -> bool:
        """Whether the value is unusual, looked at by itself."""
        return self.unusual_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyDetector:
    """A member of the catalogue in `detectors/`."""

    id: str
    """Public id, the file's name with dashes."""
    judge: Callable[[Series, AnomalyConfig], Judgement]
    """A pure function of its arguments."""


def anomaly_detector(
    *,
    id: str,  # noqa: A002 - the public word for it
) -> Callable[[Callable[[Series, AnomalyConfig], Judgement]], AnomalyDetector]:
    """Make a detector of a function; registers nothing."""

    def decorate(judge: Callable[[Series, AnomalyConfig], Judgement]) -> AnomalyDetector:
        return AnomalyDetector(id=id, judge=judge)

    return decorate
