"""While nothing better is known: is the row count far from the mean of its last seven days?

The simple rule that people expect: 30 % more or less than the mean. It knows no spread, weekday or
trend, states no chance, and says that it is the fallback. It steps back as soon as the learned
band is trained.

Not this detector: anything but the row count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study

_WINDOW = 7 * 86_400.0
"""Seconds that the mean is about."""
_DAYS = 2
"""Different days that the mean needs."""


@anomaly_detector(id="trailing-mean")
def trailing_mean(study: Study) -> Sequence[Told]:
    """Compare row counts whose band is untrained with their last seven days."""
    import numpy as np

    seconds = study.panel.moments.seconds
    recent = seconds[:-1] >= seconds[-1] - _WINDOW
    found: list[Told] = []
    for row, series in enumerate(study.series):
        if series.metric != "row_count" or study.level_judgement(row).trained:
            continue
        values = np.where(recent, study.panel.values[row, :-1], np.nan)
        known = np.isfinite(values)
        days = len(set(study.panel.moments.day[:-1][known].tolist()))
        if days < _DAYS:
            continue
        mean = float(values[known].mean())
        room = study.config.trailing_mean_share * abs(mean)
        off = abs(series.value - mean) > room
        judgement = replace(
            study.level_judgement(row),
            trained=True,
            points=int(known.sum()),
            days=days,
            level=mean,
            low=mean - room,
            high=mean + room,
            visible=room,
            score=float(np.clip((series.value - mean) / room, -999, 999)) if room else 0.0,
            probability=0.0 if off else 1.0,
            unusual_since=series.at if off else None,
            returned=False,
            basis="7-day trailing mean, the fallback while the learned band is untrained",
            reason="",
        )
        found.append(Told(metric=series.metric, value=series.value, judgement=judgement))
    return found
