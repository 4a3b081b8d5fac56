"""Follow many series through time.

A point is judged by the level and spread of the ordinary points before it, trend and season taken
off; what is unusual teaches nothing. So a broken table stays reported until its level returns,
however long it takes. A run of points that are each ordinary and together are not (a small shift,
a slow drift) teaches nothing either.
"""

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
    memory_of,
    season_sum_of,
    tail_of,
    trend_of,
)

SHIFTS = (3, 5, 12, 28)
"""Newest points whose mean is compared with the level, to see what each alone hides."""
SHIFT_LIMIT = 6.0
"""Standard errors from which a mean has shifted."""
_VISIBLE_FLOORS = 20.0
"""Enough points are also those that show a change by so many of the smallest spreads that mean
anything: a share of nothing cannot change by half of it."""
_MOST = 999.0
"""Scores are cut here; a change of a constant zero has no other."""
_SHIFT_FROM = 28
"""Ordinary points before a shift of the mean can be told from chance."""
_TINY = 1e-140
"""In place of a spread of nothing."""
_SMALLEST = 1e-6
"""Growth is never taken to be a smaller share of what was to be expected."""
_LARGEST = 700.0
"""Largest exponent of a double."""


def learn_bands(panel: Panel, config: AnomalyConfig) -> Bands:
    """Follow all series through time; see the module."""
    walk = _Walk(panel, config)
    walk.run()
    return walk.told()


class _Walk:
    """The state of following a panel through time."""

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

    def run(self) -> None:
        for number, block in enumerate(self.blocks):
            self._judge(number, block)
            self._learn(block)

    def _judge(self, number: int, block: slice) -> None:
        """Judge some columns by what was learned before them."""
        learned = self.ordinary.newest(block.start)
        found = spreads(learned, self.config.threshold, self.floor, self.floor_share)
        spread = found.deviation * self.doubt
        threshold = self.limits.threshold_of(found.count, found.steady) * self.tail
        wanted = change_of(self.config.visible_change_share, found.center, self.terms.logarithmic)
        wanted = np.maximum(wanted, _VISIBLE_FLOORS * self.floor)
        needed = self.limits.needed(spread, wanted, found.count, found.steady)
        trained = (found.count >= needed) & (self.second_day < block.start)
        self.center[number], self.spread[number] = found.center, spread
        self.threshold[number], self.trained[number] = threshold, trained
        self.learned[number] = found.count
        if block.start >= _SHIFT_FROM:
            self.memory[number] = memory_of(learned - found.center[:, None])
        score = self.rest[:, block] - found.center[:, None]
        score /= np.fmax(spread, _TINY)[:, None]
        self.score[:, block] = score
        over = np.abs(score) > threshold[:, None]
        self.flagged[:, block] = over & trained[:, None] & ~self.quiet[block]
        self.count, self.needed = found.count, needed
        growing = np.flatnonzero(self.terms.growing)
        for column in range(block.start, block.stop):
            if len(growing):
                self._judge_growth(growing, number, column)
            self._look_for_precedents(number, column)
            if len(growing):
                self._step(growing, column)
        self._look_for_shift(block)
        if block.stop == self.rest.shape[1]:
            score = np.clip(self.score[:, -1], -_MOST, _MOST)
            self.probability = self.limits.probability(score, found.count, found.steady)

    def _judge_growth(self, rows: Ints, number: int, column: int) -> None:
        """Judge growing series from their last ordinary value on, so that rows which were lost
        stay lost until they are back."""
        logs = self.terms.logarithmic[rows]
        center, spread = self.center[number, rows], self.spread[number, rows]
        limit = self.threshold[number, rows]
        since = self.panel.moments.seconds[column] - self.reference_at[rows]
        steps = np.fmax(since / self.panel.moments.step, 1.0)
        expected = self._growth_until(rows, column, steps, center)
        grown = self.panel.values[rows, column] - self.reference[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            away = choose(
                logs,
                np.log(np.fmax(grown / expected, _SMALLEST)) * np.sqrt(steps),
                (grown - expected) / np.sqrt(steps),
            )
            score = np.clip(away / np.fmax(spread, _TINY), -_MOST, _MOST)
        self.score[rows, column] = score
        usual = self.rest[rows, column], center + away / np.sqrt(steps)
        self.rest[rows, column] = np.where(np.isfinite(away), usual[1], usual[0])
        self._tell_growth(rows, column, expected, limit * spread, steps)
        odd = (np.abs(score) > limit) & self.trained[number, rows]
        self.flagged[rows, column] = odd & ~self.quiet[column]

    def _step(self, rows: Ints, column: int) -> None:
        """Growth is counted from the newest value that is not unusual."""
        value = self.panel.values[rows, column]
        rows = rows[np.isfinite(value) & ~self.flagged[rows, column] & ~self.quiet[column]]
        self.reference[rows] = self.panel.values[rows, column]
        self.reference_at[rows] = self.panel.moments.seconds[column]
        self.reference_column[rows] = column

    def _growth_until(self, rows: Ints, column: int, steps: Floats, center: Floats) -> Floats:
        """Growth to be expected since the last ordinary value, by the season of each step."""
        since = self.reference_column[rows]
        season = self.season_sum[rows, column + 1] - self.season_sum[rows, since + 1]
        season /= np.maximum(column - since, 1)
        share = np.exp(np.clip(center, -_LARGEST, _LARGEST)) * season
        each = choose(self.terms.logarithmic[rows], share, center + season)
        return steps * each

    def _tell_growth(
        self, rows: Ints, column: int, expected: Floats, width: Floats, steps: Floats
    ) -> None:
        logs, root = self.terms.logarithmic[rows], np.sqrt(steps)
        with np.errstate(over="ignore", invalid="ignore"):
            factor = np.exp(np.minimum(width / root, _LARGEST))
            low = np.where(logs, expected / factor, expected - width * root)
            high = np.where(logs, expected * factor, expected + width * root)
        for place, growth in enumerate((expected, low, high)):
            self.growth[place, rows, column] = self.reference[rows] + growth

    def _look_for_precedents(self, number: int, column: int) -> None:
        """Take back what the calendar or a person has shown to be ordinary."""
        rows = np.flatnonzero(self.flagged[:, column])
        if not len(rows):
            return
        center = self.center[number, rows]
        width = self.threshold[number, rows] * self.spread[number, rows]
        found = self.precedents.of(rows, column, center, width, self.flagged)
        self.flagged[rows[found.excused], column] = False
        self.unseen[rows[found.unseen & ~found.expected], column] = True
        self.known[rows[found.expected], column] = True

    def _look_for_shift(self, block: slice) -> None:
        """Compare the mean of the newest points with the level that was known before them."""
        strongest, points = np.zeros((2, len(self.rest)))
        for size in (size for size in SHIFTS if block.stop - size >= _SHIFT_FROM):
            shift = self._shift_since(block.stop - size, block.stop)
            stronger = np.abs(shift) > np.abs(strongest)
            strongest = np.where(stronger, shift, strongest)
            points = np.where(stronger, size, points)
        self.shift, self.shift_points = strongest, points.astype(np.intp)
        rows = np.flatnonzero(np.abs(strongest) > SHIFT_LIMIT)
        if len(rows):
            same_side = np.sign(self.score[rows, block]) == np.sign(strongest[rows, None])
            self.shifted[rows, block] = same_side & ~self.flagged[rows, block]

    def _shift_since(self, before: int, stop: int) -> Floats:
        """Distance of the mean of some points, in standard errors; 0 where it says nothing."""
        number, size = self.block_of[before], stop - before
        spread, learned = self.spread[number], self.learned[number]
        newest = self.rest[:, before:stop] - self.center[number, :, None]
        unknown = ~np.isfinite(newest) | self.known[:, before:stop]
        newest[unknown] = 0.0
        limit = (self.config.threshold * spread)[:, None]
        np.clip(newest, -limit, limit, out=newest)
        count = size - unknown.sum(axis=1)
        mean = newest.sum(axis=1) / np.maximum(count, 1)
        error = 1 / np.maximum(count, 1) + np.pi / 2 / np.maximum(learned, 1)
        error = spread**2 * error * self.memory[number]
        apart = (size + np.minimum(learned, self.config.training_points)) / 2
        error = np.sqrt(error + (self.trend_error * apart * self.panel.moments.step) ** 2)
        usable = self.trained[number] & (learned >= _SHIFT_FROM) & (2 * count >= size)
        return np.divide(mean, error, out=np.zeros_like(mean), where=usable & (error > 0))

    def _learn(self, block: slice) -> None:
        """Keep what was ordinary."""
        values = self.rest[:, block]
        odd = self.flagged[:, block] | self.shifted[:, block] | self.known[:, block]
        self.ordinary.keep(values, np.isfinite(values) & ~odd & ~self.quiet[block])

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
                each[logs] = np.exp(np.minimum(each[logs], _LARGEST))
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
        usual = np.where(growing, np.exp(np.minimum(self.center[-1], _LARGEST)), level[:, -1])
        seen = choose(logs, usual * -np.expm1(-seen), seen)
        score = np.clip(self.score, -_MOST, _MOST)
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
