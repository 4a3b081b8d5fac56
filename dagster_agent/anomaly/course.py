"""`Course`: the state of following many series through time."""

from __future__ import annotations

import numpy as np

from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.ordinary import Ordinary, blocks_of
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.precedent import Precedents
from dagster_agent.anomaly.robust import (
    Floats,
    Ints,
    Limits,
    Spread,
    choose,
    spreads,
    visible_spreads,
)
from dagster_agent.anomaly.scale import scaled
from dagster_agent.anomaly.seasonality import learn_season
from dagster_agent.anomaly.shape import (
    change_of,
    days_of,
    floors_of,
    season_sum_of,
    tail_of,
    trend_of,
)

_VISIBLE_FLOORS = 20.0
"""Enough points are also those that show a change by so many of the smallest spreads that mean
anything: a share of nothing cannot change by half of it."""
MOST = 999.0
"""Scores are cut here; a change of a constant zero has no other."""
TINY = 1e-140
"""In place of a spread of nothing."""
LARGEST = 700.0
"""Largest exponent of a double."""


class Course:
    """What is known of a panel, and what was found of it so far."""

    def __init__(self, panel: Panel, config: AnomalyConfig) -> None:
        self.panel, self.config = panel, config
        self.terms = terms = scaled(panel)
        self.season = season = learn_season(terms.values, panel.moments)
        seconds = panel.moments.seconds
        rest = terms.values - season.effect
        trend, self.trend_error = trend_of(rest, seconds)
        self.trend = choose(terms.growing, 0.0, trend)
        self.moving = np.flatnonzero(self.trend)
        rest[self.moving] -= self.trend[self.moving, None] * (seconds - seconds[-1])
        self.rest = rest
        self.limits = Limits(
            most=config.training_points, threshold=config.threshold, share=config.false_alarm_share
        )
        rows, columns = rest.shape
        self.floor, self.floor_share = floors_of(panel, terms, config)
        inverse = np.minimum(1 / season.observations, 0.5)
        self.doubt = np.sqrt((1 + np.pi / 2 * inverse) / (1 - inverse))
        self.days, self.second_day = days_of(panel)
        self.quiet = panel.moments.among(config.calendar)
        self.tail = tail_of(rest)
        self.precedents = Precedents(panel, rest, season.effect)
        self.ordinary = Ordinary(rows, columns, config.training_points)
        self.reference, self.reference_at = np.full((2, rows), np.nan)
        self.reference_column = np.full(rows, -1, dtype=np.intp)
        self.growth = np.full((3, *rest.shape) if terms.growing.any() else (3, 0, 0), np.nan)
        self.season_sum = season_sum_of(season.effect, terms)
        self.blocks = blocks_of(columns)
        sizes = [each.stop - each.start for each in self.blocks]
        self.block_of = np.repeat(np.arange(len(sizes)), sizes)
        numbers = np.zeros((4, len(self.blocks), rows))
        self.center, self.spread, self.threshold, self.memory = numbers
        self.learned = np.zeros((len(self.blocks), rows), dtype=np.intp)
        self.trained = self.learned > 0
        self.score = np.zeros((rows, columns))
        flags = np.zeros((4, rows, columns), dtype=np.bool_)
        self.flagged, self.shifted, self.unseen, self.known = flags
        self.count = self.needed = self.shift_points = np.zeros(rows, dtype=np.intp)
        self.shift, self.probability = np.zeros(rows), np.ones(rows)

    def learn_level(self, numbers: slice, learned: Floats, starts: Ints) -> Spread:
        """Levels and limits of some blocks from the ordinary points before them, block within
        series by point."""
        many = len(starts)

        def each(one: Floats) -> Floats:
            return np.repeat(one, many) if many > 1 else one

        floor = each(self.floor)
        found = spreads(learned, self.config.threshold, floor, each(self.floor_share))
        spread = found.deviation * each(self.doubt)
        threshold = self.limits.threshold_of(found.count, found.steady) * each(self.tail)
        logarithmic = np.repeat(self.terms.logarithmic, many)
        wanted = change_of(self.config.visible_change_share, found.center, logarithmic)
        wanted = np.maximum(wanted, _VISIBLE_FLOORS * floor)
        self.needed = self.limits.needed(spread, wanted, found.count, found.steady)
        trained = (found.count >= self.needed).reshape(-1, many) & (
            self.second_day[:, None] < starts
        )
        shape = -1, many
        self.center[numbers] = found.center.reshape(shape).T
        self.spread[numbers] = spread.reshape(shape).T
        self.threshold[numbers] = threshold.reshape(shape).T
        self.learned[numbers] = found.count.reshape(shape).T
        self.trained[numbers] = trained.T
        return found

    def _bands(self) -> tuple[Floats, Floats, Floats]:
        """Level, low and high in the metrics' own terms, shares not cut yet."""
        logs, growing = self.terms.logarithmic, self.terms.growing
        seconds = self.panel.moments.seconds
        level = self.season.effect.copy()
        level[self.moving] += self.trend[self.moving, None] * (seconds - seconds[-1])
        low, high = np.empty_like(level), np.empty_like(level)
        width = self.threshold * self.spread
        for number, block in enumerate(self.blocks):
            level[:, block] += self.center[number, :, None]
            np.subtract(level[:, block], width[number, :, None], out=low[:, block])
            np.add(level[:, block], width[number, :, None], out=high[:, block])
        for place, each in enumerate((level, low, high)):
            if logs.any():
                each[logs] = np.exp(np.minimum(each[logs], LARGEST))
            if growing.any():
                each[growing] = self.growth[place, growing]
        return level, low, high

    def told(self) -> Bands:
        """The state in the metrics' own terms."""
        logs, growing = self.terms.logarithmic, self.terms.growing
        level, low, high = self._bands()
        bounded = self.panel.bounded
        if bounded.any():
            low[bounded] = np.clip(low[bounded], 0.0, 1.0)
            high[bounded] = np.clip(high[bounded], 0.0, 1.0)
        seen = visible_spreads(self.count, self.threshold[-1]) * self.spread[-1]
        usual = np.where(growing, np.exp(np.minimum(self.center[-1], LARGEST)), level[:, -1])
        seen = choose(logs, usual * -np.expm1(-seen), seen)
        score = np.clip(self.score, -MOST, MOST)
        score[np.isnan(score)] = 0.0
        return Bands(
            level=level,
            low=low,
            high=high,
            score=score,
            flagged=self.flagged,
            shifted=self.shifted,
            shift=self.shift,
            shift_points=self.shift_points,
            unseen=self.unseen,
            trained=np.repeat(self.trained.T, np.bincount(self.block_of), axis=1),
            count=self.count,
            days=self.days,
            needed=self.needed,
            visible=seen,
            probability=self.probability,
            season=self.season,
            trend=self.trend,
            scaled=self.terms,
        )
