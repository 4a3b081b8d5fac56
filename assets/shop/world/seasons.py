"""Time in the shop: it is generated a season (365 days) at a time, so that it can grow for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS = 365
SECONDS_A_DAY = 86_400
ORDERS_A_DAY = 63.0
GROWTH_A_SEASON = 0.08
SEED = 20_130_101

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Monday to Sunday.
WEEKDAYS = np.array([0.94, 0.90, 0.92, 0.97, 1.05, 1.16, 1.06])
HOURS = np.array(
    [
        *(1.2, 0.7, 0.4, 0.3, 0.3, 0.6, 1.4, 2.6, 3.8, 4.6, 5.0, 5.4),
        *(6.0, 5.4, 4.8, 4.6, 4.8, 5.4, 6.6, 8.2, 9.4, 8.8, 6.4, 3.3),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """One generation block. What happens in it depends on nothing that comes later."""

    number: int
    """0 for the first."""
    opened: date
    """The day on which the shop opened."""

    @property
    def start(self) -> int:
        """First second, counted from the Unix epoch, UTC."""
        first_day = self.opened + timedelta(days=self.number * DAYS)
        return int(datetime.combine(first_day, time(), tzinfo=UTC).timestamp())

    def random(self, subject: str) -> np.random.Generator:
        """A stream of its own per subject: a change to one leaves the others as they were."""
        return np.random.default_rng([SEED, self.number, *subject.encode()])

    def moments_of_orders(self, random: np.random.Generator) -> Ints:
        """When orders are placed (epoch seconds, sorted): by weekday, time of year and hour."""
        days = np.arange(DAYS)
        first = self.opened + timedelta(days=self.number * DAYS)
        of_year = (days + first.timetuple().tm_yday - 1) % 365
        christmas = 0.55 * np.exp(-(((of_year - 340) / 14.0) ** 2))
        summer_dip = 0.12 * np.exp(-(((of_year - 210) / 30.0) ** 2))
        level = 1.0 + GROWTH_A_SEASON * (self.number + days / DAYS)
        rate = ORDERS_A_DAY * WEEKDAYS[(days + first.weekday()) % 7] * level
        counts = random.poisson(rate * (1.0 + christmas - summer_dip))
        day = np.repeat(days, counts)
        hour = random.choice(24, size=day.size, p=HOURS / HOURS.sum())
        second = random.integers(0, 3_600, size=day.size)
        return np.sort(self.start + day * SECONDS_A_DAY + hour * 3_600 + second)


def pick(weights: Floats, known: Ints, random: np.random.Generator) -> Ints:
    """Draw one position per entry of `known` among the first `known[i]` weighted candidates.

    `known` counts the candidates that exist at that moment, so candidates must be sorted by the
    moment they appear; every entry must be at least 1.
    """
    cumulative = np.cumsum(weights)
    drawn = random.random(known.size) * cumulative[known - 1]
    return np.minimum(np.searchsorted(cumulative, drawn, side="right"), known - 1)


def words(text: str) -> NDArray[np.str_]:
    """The words of a text, to draw from."""
    return np.array(text.split())


def seconds(moments: pd.Series) -> Ints:
    """Naive UTC timestamps as epoch seconds."""
    return moments.to_numpy("datetime64[s]").astype(np.int64)


def count_before(appeared: Ints, moments: Ints) -> Ints:
    """How many of the sorted `appeared` there are at each moment."""
    return np.searchsorted(appeared, moments, side="right").astype(np.int64)


def timestamps(epoch: Ints) -> NDArray[np.datetime64]:
    """Epoch seconds as naive UTC timestamps."""
    return epoch.astype("datetime64[s]")
