"""The moments of a series: which of its points count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dagster_agent.anomaly.calendar import DAY
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.robust import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points of one series that count."""

    seconds: Floats
    """Moments since 1970, growing."""
    values: Floats
    """As many, all finite."""
    ignored: int
    """Points left out because they are no finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The moments of one history."""

    moments: Sequence[datetime]
    """As they came."""
    order: Ints
    """Places of those that count, by time; of the same moment in the order of the list."""
    seconds: Floats
    """Their moments since 1970."""
    same_day: Bools
    """Whether each is of the day of the one before it, which the first is not."""
    repeated: bool
    """There are two of the same moment."""

    @classmethod
    def of(cls, moments: Sequence[datetime], before: datetime, config: AnomalyConfig) -> Axis:
        """Leave out what is not before a moment, before `since` or in an excluded window."""
        seconds = np.array([moment.timestamp() for moment in moments], dtype=np.float64)
        usable = seconds < before.timestamp()
        if config.since:
            usable &= seconds >= config.since.timestamp()
        for window in config.exclude_windows:
            first, end = window.since.timestamp(), window.until.timestamp()
            usable &= (seconds < first) | (seconds >= end)
        order = np.flatnonzero(usable)
        order = order[np.argsort(seconds[order], kind="stable")]
        seconds = seconds[order]
        return cls(
            moments=moments,
            order=order,
            seconds=seconds,
            same_day=_same_day(seconds),
            repeated=bool((np.diff(seconds) == 0).any()),
        )

    def points(self, values: Sequence[float]) -> Points:
        """Those that are finite and do not repeat within a day."""
        known = np.array(values, dtype=np.float64)[self.order]
        finite = np.isfinite(known)
        ignored = len(known) - int(np.count_nonzero(finite))
        seconds, same_day = self.seconds, self.same_day
        if ignored:
            known, seconds = known[finite], seconds[finite]
        if self.repeated:
            last = np.append(np.diff(seconds) > 0, True)[: len(seconds)]
            known, seconds = known[last], seconds[last]
        if ignored or self.repeated:
            same_day = _same_day(seconds)
        kept = np.append(True, known[1:] != known[:-1])[: len(known)] | ~same_day
        if not kept.all():
            known, seconds = known[kept], seconds[kept]
        return Points(seconds=seconds, values=known, ignored=ignored)


def _same_day(seconds: Floats) -> Bools:
    day = np.floor(seconds / DAY)
    return np.append(False, day[1:] == day[:-1])[: len(seconds)]
