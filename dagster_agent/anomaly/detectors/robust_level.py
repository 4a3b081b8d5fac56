"""Is the value far from its usual level?

The level is the median of earlier points. The spread is their standard deviation after those that
lie far from the median, in units of the median absolute deviation, were left out; it never falls
below a floor. How far is too far depends on the number of points: with few, the limit is that of
Student's t for the allowed share of false alarms; with many, the configured threshold.

The judged value is never among the points that it is judged by. Points that were unusual when they
came teach nothing either, so that a broken table stays reported until its level returns, however
long it takes. Values that repeat within a day count once: running a check twice teaches nothing.

Not this detector: weekly patterns, unless `same_weekday` is set, and slow trends; both widen the
spread and so make it blind rather than noisy. How blind, it says.

Source: median and MAD as in Leys et al. 2013, "Detecting outliers"; cleaning as in reweighted
scale estimation, Rousseeuw and Leroy 1987.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import fsum, inf, pi, sqrt

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Judgement, Series, anomaly_detector
from dagster_agent.model import MetricPoint

_NORMAL = 1.4826
"""Standard deviations in one median absolute deviation of normal values."""
_POWER = 0.8416
"""Standard normal quantile of 0.8: seen four times in five."""
_CLEANED_FROM = 8
"""With fewer points, an outlier cannot be told from the rest."""
_FEWEST = 4
"""Fewest points that make a spread."""
_PRIOR = 4
"""Points that a constant history counts for in addition: its spread is not estimated."""
_ROUNDS = 10
"""Most rounds of judging the history anew; two or three settle it."""
_MOST = 999.0
"""Scores are cut here; a change of a constant zero has no other."""


@anomaly_detector(id="robust-level")
def robust_level(series: Series, config: AnomalyConfig) -> Judgement:
    """Judge the value by the ordinary points before it."""
    history = _thinned(series, config)
    ordinary, open_run = _split(history, series.floor, config)
    level = _Level.of(ordinary, series.floor, config)
    unusual = level.is_unusual(series.value)
    since = open_run[0].at if open_run else series.at
    return Judgement(
        trained=level.trained,
        points=level.points,
        days=level.days,
        points_needed=level.needed,
        level=level.center,
        limit=level.limit,
        visible=level.visible,
        score=level.score(series.value),
        probability=level.probability(series.value),
        set_aside=len(history) - len(ordinary),
        unusual_since=since if unusual else None,
        returned=bool(open_run) and not unusual,
    )


def _thinned(series: Series, config: AnomalyConfig) -> list[MetricPoint]:
    """The newest points before the judged one, values that repeat within a day counted once."""
    kept: list[MetricPoint] = []
    for point in series.history:
        if point.at >= series.at or (config.since and point.at < config.since):
            continue
        if config.same_weekday and point.at.weekday() != series.at.weekday():
            continue
        same_day = bool(kept) and kept[-1].at.date() == point.at.date()
        if same_day and kept[-1].value == point.value:
            continue
        kept.append(point)
    return kept[-config.history_points :]


def _split(
    history: Sequence[MetricPoint], floor: float, config: AnomalyConfig
) -> tuple[list[MetricPoint], list[MetricPoint]]:
    """The ordinary points, and the unusual ones that the history ends with.

    First each point is judged by the ordinary ones before it. What the first few points taught may
    be too narrow by chance, so then all are judged again by the level that came out, until nothing
    changes any more.
    """
    ordinary: list[MetricPoint] = []
    for point in history:
        if not _Level.of(ordinary, floor, config).is_unusual(point.value):
            ordinary.append(point)
    for _ in range(_ROUNDS):
        level = _Level.of(ordinary, floor, config)
        before, ordinary = ordinary, [p for p in history if not level.is_unusual(p.value)]
        if ordinary == before:
            break
    last = ordinary[-1].at if ordinary else None
    return ordinary, [point for point in history if last is None or point.at > last]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """Where a metric usually is, how much it varies, and what can be seen with that."""

    points: int
    days: int
    needed: int
    center: float
    spread: float
    steady: bool
    threshold: float

    @classmethod
    def of(cls, points: Sequence[MetricPoint], floor: float, config: AnomalyConfig) -> _Level:
        points = points[-config.training_points :]
        values = [point.value for point in points]
        center = statistics.median(values) if values else 0.0
        floor = max(floor, config.floor_share * abs(center))
        spread = _spread(values, center, floor, config.threshold)
        steady = min(values, default=0.0) == max(values, default=0.0)
        spread = max(spread, floor)
        count = len(values)
        return cls(
            points=count,
            days=len({point.at.date() for point in points}),
            needed=_needed(center, spread, steady, count, config),
            center=center,
            spread=spread,
            steady=steady,
            threshold=_threshold(max(count, 2), steady, config),
        )

    @property
    def trained(self) -> bool:
        return self.points >= self.needed and self.days > 1

    @property
    def limit(self) -> float:
        return self.threshold * self.spread

    @property
    def visible(self) -> float:
        return _visible(max(self.points, 2), self.threshold) * self.spread

    def is_unusual(self, value: float) -> bool:
        return self.trained and abs(value - self.center) > self.limit

    def score(self, value: float) -> float:
        distance = value - self.center
        if not distance:
            return 0.0
        score = distance / self.spread if self.spread else inf * (1 if distance > 0 else -1)
        return max(-_MOST, min(_MOST, score))

    def probability(self, value: float) -> float:
        if self.points < 2:
            return 1.0
        return _tail(abs(self.score(value)), self.points, self.steady)


def _spread(values: Sequence[float], center: float, floor: float, threshold: float) -> float:
    """Standard deviation without the points that stand far out."""
    if len(values) >= _CLEANED_FROM:
        deviation = _NORMAL * statistics.median(abs(value - center) for value in values)
        reach = threshold * max(deviation, floor) * (1 + 10 / len(values))
        values = [value for value in values if abs(value - center) <= reach]
    if len(values) < 2:
        return 0.0
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _needed(center: float, spread: float, steady: bool, count: int, config: AnomalyConfig) -> int:
    """Points with which a change by `visible_change_share` is seen even if the spread is larger
    than it looks, or with which the threshold cannot fall any more."""
    wanted = config.visible_change_share * abs(center)
    doubt = 1.0 if steady else _doubt(max(count, 2))
    for enough in itertools.count(2 if steady else _FEWEST):
        threshold = _threshold(enough, steady, config)
        if threshold <= config.threshold:
            return enough
        if _visible(enough, threshold) * spread * doubt <= wanted:
            return enough
    raise AssertionError("the threshold falls with the number of points")


@cache
def _doubt(count: int) -> float:
    """How many times larger the spread may be than it looks, with 99 % certainty."""
    from scipy.special import chdtri

    return sqrt((count - 1) / float(chdtri(count - 1, 0.99)))


def _visible(count: int, threshold: float) -> float:
    return threshold + _POWER * _further(count)


def _threshold(count: int, steady: bool, config: AnomalyConfig) -> float:
    return max(config.threshold, _quantile(count, steady, config.false_alarm_share))


def _further(count: int) -> float:
    """Standard deviations between a further value and the median of that many points, in those of
    one value: the median of n points varies by about pi / 2n."""
    return sqrt(1 + pi / 2 / count)


@cache
def _quantile(count: int, steady: bool, share: float) -> float:
    """Distance that a further ordinary value passes with the given probability, either way."""
    from scipy.special import stdtrit

    freedom = count - 1 + (_PRIOR if steady else 0)
    return float(stdtrit(freedom, 1 - share / 2)) * _further(count)


def _tail(score: float, count: int, steady: bool) -> float:
    from scipy.special import stdtr

    freedom = count - 1 + (_PRIOR if steady else 0)
    return 2 * float(stdtr(freedom, -score / _further(count)))
