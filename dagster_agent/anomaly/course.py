"""`Course`: the state of following many series through time."""

from __future__ import annotations

import numpy as np

from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.limits import Limits, visible_spreads
from dagster_agent.anomaly.ordinary import blocks_of
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.precedent import Precedents
from dagster_agent.anomaly.robust import Bools, Floats, Ints, Spread, choose, spreads
from dagster_agent.anomaly.scale import scaled
from dagster_agent.anomaly.seasonality import learn_season
from dagster_agent.anomaly.shape import (
    change_of,
    days_of,
    floors_of,
    rounded_of,
    season_sum_of,
    trend_of,
)
from dagster_agent.anomaly.tail import tails_of

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
        self.floor, self.floor_share = floors_of(panel, terms, config)
        self.rounded = rounded_of(panel, terms, config)
        chance = np.minimum(season.kept / season.weeks, 0.5)
        self.doubt = np.sqrt((1 + chance) / (1 - chance * (2 - season.kept)))
        self.days, self.second_day = days_of(panel)
        self.quiet = panel.moments.among(config.calendar)
        self.tail = tails_of(rest, config.false_alarm_share)
        self.precedents = Precedents(panel, rest, season.effect)
        self.season_sum = season_sum_of(season.effect, terms)
        self._begin_levels()
        self._begin_verdicts()

    def _begin_levels(self) -> None:
        """Nothing is known of any block of columns yet."""
        rows, columns = self.rest.shape
        self.blocks = blocks_of(columns)
        sizes = [each.stop - each.start for each in self.blocks]
        self.block_of = np.repeat(np.arange(len(sizes)), sizes)
        numbers = np.zeros((4, len(self.blocks), rows))
        self.center, self.spread, self.threshold, self.memory = numbers
        self.learned = np.zeros((len(self.blocks), rows), dtype=np.intp)
        self.trained = self.learned > 0

    def _begin_verdicts(self) -> None:
        """Nothing is said of any point yet."""
        rows, columns = self.rest.shape
        self.score = np.zeros((rows, columns))
        flags = np.zeros((4, rows, columns), dtype=np.bool_)
        self.flagged, self.shifted, self.unseen, self.known = flags
        self.count = self.needed = self.shift_points = np.zeros(rows, dtype=np.intp)
        self.shift, self.probability = np.zeros(rows), np.ones(rows)
        self.reference, self.reference_at = np.full((2, rows), np.nan)
        self.reference_column = np.full(rows, -1, dtype=np.intp)
        grown = self.rest.shape if self.terms.growing.any() else (0, 0)
        self.growth = np.full((3, *grown), np.nan)

    def learn_level(self, numbers: slice, learned: Floats, starts: Ints) -> Spread:
        """Levels and limits of some blocks from the ordinary points before them, block within
        series by point; `learned` is used up."""
        shape = -1, len(starts)
        floor = np.repeat(self.floor, len(starts))
        share = np.repeat(self.floor_share, len(starts))
        found = spreads(learned, self.config.threshold, floor, share)
        if self.rounded.any():  # equal by chance: neither a constant nor a floor that is known
            rounded = np.repeat(self.rounded, len(starts))
            found.steady[rounded] = False
            found.measured[rounded] = 1.0
        tail = np.repeat(self.tail, len(starts))
        threshold = self.limits.threshold_of(found, tail)
        self.center[numbers] = found.center.reshape(shape).T
        spread = found.deviation.reshape(shape) * self.doubt[:, None]
        half = found.count.reshape(shape)[self.moving] / 2 * self.panel.moments.step
        slope = self.trend_error[self.moving, None]
        spread[self.moving] = np.hypot(spread[self.moving], slope * half)
        self.spread[numbers] = spread.T
        self.threshold[numbers] = threshold.reshape(shape).T
        self.learned[numbers] = found.count.reshape(shape).T
        self.trained[numbers] = self._is_trained(numbers, found, starts)
        return found

    def _is_trained(self, numbers: slice, found: Spread, starts: Ints) -> Bools:
        """Whether there are points enough, block by series."""
        several_days = self.second_day < starts[:, None]
        last = numbers.stop == len(self.blocks)
        if not last and found.count.min(initial=self.limits.enough) >= self.limits.enough:
            return several_days
        shape = -1, len(starts)
        center, floor = found.center.reshape(shape), self.floor[:, None]
        logarithmic = self.terms.logarithmic[:, None]
        wanted = change_of(self.config.visible_change_share, center, logarithmic)
        wanted = np.maximum(wanted, _VISIBLE_FLOORS * floor).ravel()
        spread = self.spread[numbers].T.ravel()
        needed = self.limits.needed(spread, wanted, found.count, found.steady)
        if last:
            self.needed = needed
        return (found.count >= needed).reshape(shape).T & several_days

    def band(self, columns: slice) -> tuple[Floats, Floats, Floats]:
        """Level, low and high of some columns in the metrics' own terms."""
        logs, growing = self.terms.logarithmic, self.terms.growing
        seconds = self.panel.moments.seconds
        level = self.season.effect[:, columns].copy()
        level[self.moving] += self.trend[self.moving, None] * (seconds[columns] - seconds[-1])
        block = self.block_of[columns]
        level += self.center[block].T
        width = (self.threshold[block] * self.spread[block]).T
        low, high = level - width, level + width
        for place, each in enumerate((level, low, high)):
            if logs.any():
                each[logs] = np.exp(np.minimum(each[logs], LARGEST))
            if growing.any():
                each[growing] = self.growth[place, growing, columns]
        bounded = self.panel.bounded
        if bounded.any():
            low[bounded] = np.clip(low[bounded], 0.0, 1.0)
            high[bounded] = np.clip(high[bounded], 0.0, 1.0)
        return level, low, high

    def scores(self) -> Floats:
        """Distances in spreads, cut; 0 where there is no point."""
        score = np.clip(self.score, -MOST, MOST, out=self.score)
        score[np.isnan(score)] = 0.0
        return score

    def trained_at(self) -> Bools:
        """Which points can be judged, series by moment."""
        return np.repeat(self.trained.T, np.bincount(self.block_of), axis=1)

    def told(self, *, whole: bool) -> Bands:
        """The state in the metrics' own terms; the band of all moments, or of the newest."""
        logs, growing = self.terms.logarithmic, self.terms.growing
        level, low, high = self.band(slice(None) if whole else slice(-1, None))
        seen = visible_spreads(self.count, self.threshold[-1]) * self.spread[-1]
        usual = np.where(growing, np.exp(np.minimum(self.center[-1], LARGEST)), level[:, -1])
        seen = choose(logs, usual * -np.expm1(-seen), seen)
        return Bands(
            level=level,
            low=low,
            high=high,
            score=self.scores(),
            flagged=self.flagged,
            shifted=self.shifted,
            shift=self.shift,
            shift_points=self.shift_points,
            unseen=self.unseen,
            trained=self.trained_at(),
            count=self.count,
            days=self.days,
            needed=self.needed,
            visible=seen,
            probability=self.probability,
            season=self.season,
            trend=self.trend,
            scaled=self.terms,
        )
