"""Has a number fallen that only ever grew?

A table that is appended to loses no rows. In a series that never fell in thirty steps or more and
mostly grew, a fall is unusual even where it is small beside the level, as long as it is far from
the usual growth.

Not this detector: series that fell before, and single points far off (`trend`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector
from dagster_agent.anomaly.metric_kind import told

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study

_FEWEST = 30
"""Steps without a fall."""
_SPREADS = 3.0
"""Distance from the usual growth, in spreads."""


@anomaly_detector(id="monotone-fall")
def monotone_fall(study: Study) -> Sequence[Told]:
    """Tell the series that are below their largest value and never were."""
    import numpy as np

    found: list[Told] = []
    for row, series in enumerate(study.series):
        if not study.bands.scaled.growing[row] or study.bands.score[row, -1] > -_SPREADS:
            continue
        past = study.panel.values[row, :-1][~study.bands.flagged[row, :-1]]
        past = past[np.isfinite(past)]
        fell = bool((np.diff(past) < 0).any())
        if len(past) <= _FEWEST or fell or series.value >= past[-1]:
            continue
        judgement = study.level_judgement(row)
        judgement = replace(
            judgement,
            trained=True,
            probability=min(judgement.probability, 1 / (len(past) + 2) ** 2),
            unusual_since=judgement.unusual_since or series.at,
            returned=False,
            basis="never fell before",
            reason=f"it fell from {told(series.metric, float(past[-1]))} and never did in "
            f"{len(past) - 1} steps before",
        )
        found.append(Told(metric=series.metric, value=series.value, judgement=judgement))
    return found
