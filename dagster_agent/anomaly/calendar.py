"""Where moments stand in the day, the week and the month. All in UTC: no day has 23 hours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from dagster_agent.anomaly.robust import Bools, Floats, Ints

DAY = 86_400.0
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The columns of a panel in the calendar."""

    seconds: Floats
    """Since 1970, growing."""
    day: Ints
    """Days since 1970."""
    weekday: Ints
    """0 is Monday."""
    hour: Ints
    """0 to 23."""
    month: Ints
    """Months since 1970."""
    month_day: Ints
    """1 to 31; 32 for the last day of a month, whichever it is."""
    step: float
    """Usual seconds between two moments."""

    @classmethod
    def of(cls, seconds: Floats) -> Moments:
        """Read them off the clock."""
        day = np.floor(seconds / DAY).astype(np.intp)
        dates = day.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        month_day = (dates - months.astype("datetime64[D]")).astype(np.intp) + 1
        ends = (dates + np.timedelta64(1, "D")).astype("datetime64[M]") != months
        return cls(
            seconds=seconds,
            day=day,
            weekday=(day + 3) % 7,
            hour=np.floor(seconds % DAY / 3600).astype(np.intp),
            month=months.astype(np.intp),
            month_day=np.where(ends, 32, month_day),
            step=float(np.median(np.diff(seconds))) if len(seconds) > 1 else DAY,
        )

    @property
    def week(self) -> Ints:
        """Weeks counted back from the newest moment, which is in the last one, week 0: counted
        from the first, a partial last week would make the newest point its own trend."""
        return np.floor((self.seconds[-1] - self.seconds) / WEEK).astype(np.intp)

    @property
    def span(self) -> float:
        """Seconds from the first moment to the last."""
        return float(self.seconds[-1] - self.seconds[0])

    def among(self, days: Collection[date]) -> Bools:
        """Which moments are on one of the days."""
        wanted: NDArray[np.intp] = np.array(
            [(each - date(1970, 1, 1)).days for each in sorted(days)], dtype=np.intp
        )
        return np.isin(self.day, wanted)
