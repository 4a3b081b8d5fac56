"""`Bands`: what was to be expected of every point of many series."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from dagster_agent.anomaly.robust import Bools, Floats, Ints
from dagster_agent.anomaly.scale import Scaled
from dagster_agent.anomaly.seasonality import Season


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Everything about every point; arrays are series by moment unless they say otherwise. Level
    and limits may be those of the newest moment alone."""

    level: Floats
    """Expected value."""
    low: Floats
    """Smallest ordinary value."""
    high: Floats
    """Largest ordinary value."""
    score: Floats
    """Distance in spreads, cut at 999; 0 where there is no point."""
    flagged: Bools
    """Unusual by itself."""
    shifted: Bools
    """Unusual together with the points before it, and not by itself."""
    shift: Floats
    """By series: how far the newest points together are off, in standard errors."""
    shift_points: Ints
    """By series: how many points that is about."""
    unseen: Bools
    """Far off, at a time of the week that no earlier point is from: cannot be judged."""
    trained: Bools
    """There were points enough."""
    count: Ints
    """By series: ordinary points behind the newest column."""
    days: Ints
    """By series: different days with points."""
    needed: Ints
    """By series: points needed."""
    visible: Floats
    """By series: distance from the level seen four times in five, in the metric's unit."""
    probability: Floats
    """By series: chance of an ordinary value as far away as the newest."""
    season: Season
    """Chosen seasons."""
    trend: Floats
    """By series: change per second, on its scale; 0 without trend."""
    scaled: Scaled
    """Chosen scales."""

    def replace(self, rows: Ints, other: Bands) -> None:
        """Say of some series what was found of them alone."""
        for field in fields(self):
            mine, its = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, np.ndarray):  # scales and seasons do not depend on the others
                mine[rows] = its
