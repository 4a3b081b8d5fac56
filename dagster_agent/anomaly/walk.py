"""Follow many series through time.

A point is judged by the level and spread of the ordinary points before it, trend and season taken
off; what is unusual teaches nothing. So a broken table stays reported until its level returns,
however long it takes. A run of points that are each ordinary and together are not (a small shift,
a slow drift) teaches nothing either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.calm import may_have_shifted, windows_of
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.course import LARGEST, MOST, TINY, Course
from dagster_agent.anomaly.ordinary import Ordinary
from dagster_agent.anomaly.panel import Panel
from dagster_agent.anomaly.robust import Bools, Floats, Ints, choose
from dagster_agent.anomaly.shape import memory_of

SHIFTS = (3, 5, 12, 28)
"""Newest points whose mean is compared with the level, to see what each alone hides."""
SHIFT_LIMIT = 6.0
"""Standard errors from which a mean has shifted."""
_SHIFT_FROM = 28
"""Ordinary points before a shift of the mean can be told from chance."""
_SMALLEST = 1e-6
"""Growth is never taken to be a smaller share of what was to be expected."""


def learn_bands(panel: Panel, config: AnomalyConfig, *, whole: bool = False) -> Bands:
    """Follow all series through time; see the module. `whole`: tell the band of each moment, not
    only that of the newest."""
    walk, doubtful = glance(panel, config)
    if walk is None:
        return walk_through(panel, config).told(whole=whole)
    bands = walk.told(whole=whole)
    if len(doubtful):
        bands.replace(doubtful, walk_through(panel.of(doubtful), config).told(whole=whole))
    return bands


def glance(panel: Panel, config: AnomalyConfig) -> tuple[Course | None, Ints]:
    """Judge all columns as if all before the newest were ordinary; see `calm`.

    Returns:
        What was found, None if nothing of it would hold; and the rows that may not hold: those
        series have to be walked through.
    """
    whole = np.asarray(np.isfinite(panel.values[:, :-1]).all(axis=1), dtype=np.bool_)
    young = panel.values.shape[1] <= _SHIFT_FROM
    known = panel.expected.any() or panel.moments.among(config.calendar).any()
    if young or known or 2 * whole.sum() < len(whole):
        return None, np.arange(len(whole))
    walk = _Walk(panel, config)
    calm = walk.glance() & whole
    return (walk if calm.any() else None), np.flatnonzero(~calm)


def walk_through(panel: Panel, config: AnomalyConfig) -> Course:
    """Judge block after block of columns by what was ordinary before it."""
    walk = _Walk(panel, config)
    walk.run()
    return walk


class _Walk(Course):
    """Goes through a panel, or glances at it."""

    def run(self) -> None:
        rows, columns = self.rest.shape
        ordinary = Ordinary(rows, columns, self.config.training_points)
        for number, block in enumerate(self.blocks):
            self._judge(number, block, ordinary.newest(block.start))
            values = self.rest[:, block]
            odd = self.flagged[:, block] | self.shifted[:, block] | self.known[:, block]
            ordinary.keep(values, np.isfinite(values) & ~odd & ~self.quiet[block])

    def glance(self) -> Bools:
        """Judge all columns as if all before the newest were ordinary: of which series they are."""
        *blocks, newest = self.blocks
        known = self.rest[:, : newest.start]
        for numbers, learned, starts in windows_of(known, blocks, self.config.training_points):
            self.learn_level(numbers, learned, starts)
        calm = ~self.terms.growing & ~self._may_shift(known, blocks)
        limit = choose(self.trained[:-1], self.threshold[:-1], np.inf)
        for number, block in enumerate(blocks):
            self._score(number, block)
        sizes = [block.stop - block.start for block in blocks]
        within = np.abs(self.score[:, : newest.start]) <= np.repeat(limit.T.copy(), sizes, axis=1)
        calm &= within.all(axis=1)
        for number in {int(self.block_of[newest.stop - size]) for size in SHIFTS}:
            learned = self._all_before(self.blocks[number])
            self.memory[number] = memory_of(learned - self.center[number, :, None])
        self._judge(len(blocks), newest, self._all_before(newest))
        return calm

    def _all_before(self, block: slice) -> Floats:
        return self.rest[:, max(block.start - self.config.training_points, 0) : block.start]

    def _score(self, number: int, block: slice) -> None:
        score = self.score[:, block]
        np.subtract(self.rest[:, block], self.center[number, :, None], out=score)
        score /= np.fmax(self.spread[number], TINY)[:, None]

    def _may_shift(self, known: Floats, blocks: Sequence[slice]) -> Bools:
        """Which series have a stretch, up to the end of a block, whose mean may be far off."""
        stretches = [
            (block.stop - size, block.stop)
            for block in blocks
            for size in SHIFTS
            if block.stop - size >= _SHIFT_FROM
        ]
        if not stretches:
            return np.zeros(len(known), dtype=np.bool_)
        before, stop = np.array(stretches, dtype=np.intp).T
        numbers = self.block_of[before]
        found = may_have_shifted(
            *(known, before, stop),
            center=self.center[numbers].T,
            spread=self.spread[numbers].T,
            limit=SHIFT_LIMIT,
            reach=self.config.threshold,
        )
        return np.asarray((found & self.trained[numbers].T).any(axis=1), dtype=np.bool_)

    def _judge(self, number: int, block: slice, learned: Floats) -> None:
        """Judge some columns by the ordinary points before them."""
        start = np.array([block.start])
        found = self.learn_level(slice(number, number + 1), learned.copy(), start)
        threshold, trained = self.threshold[number], self.trained[number]
        if block.start >= _SHIFT_FROM:
            self.memory[number] = memory_of(learned - found.center[:, None])
        self._score(number, block)
        over = np.abs(self.score[:, block]) > threshold[:, None]
        self.flagged[:, block] = over & trained[:, None] & ~self.quiet[block]
        self.count = found.count
        growing = np.flatnonzero(self.terms.growing)
        odd = len(growing) or self.flagged[:, block].any()
        for column in range(block.start, block.stop) if odd else ():
            if len(growing):
                self._judge_growth(growing, number, column)
            self._look_for_precedents(number, column)
            if len(growing):
                self._step(growing, column)
        self._look_for_shift(block)
        if block.stop == self.rest.shape[1]:
            score = np.clip(self.score[:, -1], -MOST, MOST)
            self.probability = self.limits.probability(score, found, self.tail)

    def _judge_growth(self, rows: Ints, number: int, column: int) -> None:
        """Judge growing series from their last ordinary value on, so that rows which were lost
        stay lost until they are back."""
        logs = self.terms.logarithmic[rows]
        center, spread = self.center[number, rows], self.spread[number, rows]
        limit = self.threshold[number, rows]
        since = self.panel.moments.seconds[column] - self.reference_at[rows]
        steps = np.fmax(since / self.panel.moments.step, 1.0)
        doubt = np.pi / 2 / np.maximum(self.learned[number, rows], 1)
        spread = spread * np.sqrt((1 + doubt * steps) / (1 + doubt))  # the level errs at every step
        expected = self._growth_until(rows, column, steps, center)
        grown = self.panel.values[rows, column] - self.reference[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            away = choose(
                logs,
                np.log(np.fmax(grown / expected, _SMALLEST)) * np.sqrt(steps),
                (grown - expected) / np.sqrt(steps),
            )
            score = np.clip(away / np.fmax(spread, TINY), -MOST, MOST)
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
        share = np.exp(np.clip(center, -LARGEST, LARGEST)) * season
        each = choose(self.terms.logarithmic[rows], share, center + season)
        return steps * each

    def _tell_growth(
        self, rows: Ints, column: int, expected: Floats, width: Floats, steps: Floats
    ) -> None:
        logs, root = self.terms.logarithmic[rows], np.sqrt(steps)
        with np.errstate(over="ignore", invalid="ignore"):
            factor = np.exp(np.minimum(width / root, LARGEST))
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
