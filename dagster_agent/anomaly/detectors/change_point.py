"""Have the newest points together left the level, although each alone is ordinary?

The mean of the newest 3, 5, 12 and 28 points is compared with the level that the ordinary points
before them made, in standard errors of that mean; neighbours that are alike widen the error, and
single points count no further than the limit of the band. A small lasting shift and a slow drift
show here first. Points that are off together teach the level nothing, so it stays reported until
the mean returns.

Not this detector: a single point (`robust-level`), and growth (`trend`).

Source: windowed variant of the CUSUM of Page 1954; variance of a mean of correlated values as in
any first-order autoregression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study


@anomaly_detector(id="change-point")
def change_point(study: Study) -> Sequence[Told]:
    """Tell the series whose newest points are off together."""
    return [_told(study, row) for row in range(len(study.series)) if study.bands.shifted[row, -1]]


def _told(study: Study, row: int) -> Told:
    from scipy.special import ndtr

    series, shift = study.series[row], float(study.bands.shift[row])
    points = int(study.bands.shift_points[row])
    judgement = replace(
        study.level_judgement(row),
        score=shift,
        probability=2 * float(ndtr(-abs(shift))),
        unusual_since=study.since(row),
        returned=False,
        basis=f"mean of the newest {points} points",
        reason=f"the newest {points} points together are {'above' if shift > 0 else 'below'} the "
        f"level by {abs(shift):.1f} standard errors, each alone is not",
    )
    return Told(metric=series.metric, value=series.value, judgement=judgement)
