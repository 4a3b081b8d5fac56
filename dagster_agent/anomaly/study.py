"""`Study`: all that detectors look at, and the judgement that comes straight from the bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from dagster_agent.anomaly.arrival import Arrival
from dagster_agent.anomaly.bands import Bands
from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Judgement, Series, Told
from dagster_agent.anomaly.panel import Panel, panel_of
from dagster_agent.anomaly.robust import Bools
from dagster_agent.anomaly.seasonality import NAMES
from dagster_agent.anomaly.walk import learn_bands
from dagster_agent.model.profile import Distribution

_BASES = ("", "same weekday", "same hour of the day", "same hour of the week")
assert len(_BASES) == len(NAMES)  # noqa: S101 - the two tables belong together


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The series of one table, laid side by side, with what was to be expected of them."""

    series: Sequence[Series]
    """The metrics, judged at the same moment."""
    panel: Panel
    """Their values; rows in the order of `series`."""
    bands: Bands
    """What was to be expected."""
    config: AnomalyConfig
    """The asset's settings."""
    distributions: Mapping[str, Sequence[Distribution]] = field(
        default_factory=lambda: dict[str, Sequence[Distribution]]()
    )
    """By column, oldest first; the last one is judged."""
    expected: Mapping[str, frozenset[datetime]] = field(
        default_factory=lambda: dict[str, frozenset[datetime]]()
    )
    """Moments of distributions that a person called expected, by metric."""
    arrivals: Sequence[Arrival] = ()
    """How many rows of a day had come, seen at which moment."""

    @classmethod
    def of(
        cls,
        series: Sequence[Series],
        config: AnomalyConfig,
        *,
        distributions: Mapping[str, Sequence[Distribution]] | None = None,
        expected: Mapping[str, frozenset[datetime]] | None = None,
        arrivals: Sequence[Arrival] = (),
        whole: bool = False,
    ) -> Study:
        """Lay out the series and learn from their past; `whole` as of `learn_bands`."""
        panel = panel_of(series, config)
        return cls(
            series=series,
            panel=panel,
            bands=learn_bands(panel, config, whole=whole),
            config=config,
            distributions=distributions or {},
            expected=expected or {},
            arrivals=arrivals,
        )

    def odd(self, row: int) -> Bools:
        """Whether each known point of a series is unusual, alone or together, oldest first."""
        known = np.isfinite(self.panel.values[row])
        return (self.bands.flagged[row] | self.bands.shifted[row])[known]

    def since(self, row: int) -> datetime:
        """First of the unusual points that the series ends with; the newest itself is one."""
        known = np.flatnonzero(np.isfinite(self.panel.values[row]))
        odd = (self.bands.flagged[row] | self.bands.shifted[row])[known]
        ordinary = np.flatnonzero(~odd[:-1])
        first = int(ordinary[-1]) + 1 if len(ordinary) else 0
        return self._at(int(known[first]))

    def moment(self, row: int, back: int) -> datetime:
        """When the known point that many before the newest was seen."""
        known = np.flatnonzero(np.isfinite(self.panel.values[row]))
        return self._at(int(known[-1 - back]))

    def _at(self, column: int) -> datetime:
        return datetime.fromtimestamp(float(self.panel.moments.seconds[column]), tz=UTC)

    def basis(self, row: int) -> str:
        """By what the series is judged, in a few words."""
        bands = self.bands
        words: list[str] = [_BASES[bands.season.cycle[row]]]
        words += ["day of the month"] * bool(bands.season.monthly[row])
        words += ["growth"] * bool(bands.scaled.growing[row])
        words += ["trend"] * bool(bands.trend[row])
        return ", ".join(word for word in words if word)

    def level_judgement(self, row: int) -> Judgement:
        """What the band says of the newest point."""
        bands, value = self.bands, self.series[row].value
        odd = self.odd(row)
        unseen = bool(bands.unseen[row, -1])
        flagged = bool(bands.flagged[row, -1])
        trained = bool(bands.trained[row, -1]) and not unseen
        low, high = float(bands.low[row, -1]), float(bands.high[row, -1])
        return Judgement(
            trained=trained,
            points=int(bands.count[row]),
            days=int(bands.days[row]),
            points_needed=int(bands.needed[row]),
            level=float(bands.level[row, -1]),
            low=low,
            high=high,
            visible=float(bands.visible[row]),
            score=float(bands.score[row, -1]),
            probability=float(bands.probability[row]),
            set_aside=int(np.count_nonzero(odd[:-1])),
            ignored=int(self.panel.ignored[row]),
            unusual_since=self.since(row) if flagged else None,
            returned=len(odd) > 1 and bool(odd[-2]) and not odd[-1] and trained,
            basis=self.basis(row),
            reason=_reason(unseen, trained and not flagged and not low <= value <= high),
        )

    def level_told(self, rows: Sequence[int]) -> list[Told]:
        """Judgements of some series by their bands."""
        return [
            Told(
                metric=self.series[row].metric,
                value=self.series[row].value,
                judgement=self.level_judgement(row),
            )
            for row in rows
        ]

    def is_seasonal(self, row: int) -> bool:
        """Whether the calendar moves the series."""
        return bool(self.bands.season.cycle[row] or self.bands.season.monthly[row])

    def is_moving(self, row: int) -> bool:
        """Whether the series grows or has a trend."""
        return bool(self.bands.scaled.growing[row] or self.bands.trend[row])


def _reason(unseen: bool, excused: bool) -> str:
    if unseen:
        return "it has no earlier point of this weekday or end of a month to compare with"
    if excused:
        return "far from its level, but like an earlier point that was expected or at such a date"
    return ""
