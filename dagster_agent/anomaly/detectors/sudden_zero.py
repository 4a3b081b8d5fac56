"""Is a table suddenly empty?

A row count, size or sum of 0 that was never 0 before is unusual from the third point on, long
before a spread is known; whatever the weekday.

Not this detector: series that were 0 before, however rarely; and tables of a few rows whose number
varies so much that a day without any is no wonder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Series, Told, anomaly_detector
from dagster_agent.anomaly.metric_kind import kind_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dagster_agent.anomaly.study import Study

_FEWEST = 2
"""Points before it, all of them above 0."""
_STEADY = 3.0
"""Spreads from the mean down to 0 of a table that does not vary at random."""


@anomaly_detector(id="sudden-zero")
def sudden_zero(study: Study) -> Sequence[Told]:
    """Tell row counts, sizes and sums that are 0 and were not."""
    import numpy as np

    found: list[Told] = []
    for row, series in enumerate(study.series):
        if series.value or kind_of(series.metric) not in ("row_count", "bytes", "sum"):
            continue
        past = study.panel.values[row, :-1]
        past = past[np.isfinite(past)]
        since = _since(past == 0)
        before = past[: len(past) - since]
        if len(before) < _FEWEST or (before == 0).any() or _no_wonder(study, series, before):
            continue
        judgement = replace(
            study.level_judgement(row),
            trained=True,
            points=len(before),
            level=float(np.median(before)),
            low=float(before.min()),
            high=float(before.max()),
            score=-999.0,
            probability=0.0,
            unusual_since=study.moment(row, since),
            returned=False,
            basis="never 0 before",
            reason=f"it was never 0 in {len(before)} points before",
        )
        found.append(Told(metric=series.metric, value=series.value, judgement=judgement))
    return found


def _no_wonder(study: Study, series: Series, before: NDArray[np.float64]) -> bool:
    """Whether rows that come at random (Poisson) may well all stay away."""
    if kind_of(series.metric) != "row_count":
        return False
    usual, spread = float(before.mean()), float(before.std())
    return math.exp(-usual) > study.config.false_alarm_share and usual < _STEADY * spread


def _since(zero: Sequence[bool]) -> int:
    """Points that are zero at the end."""
    run = 0
    for each in reversed(list(zero)):
        if not each:
            break
        run += 1
    return run
