"""Is the value far from its usual level?

The level is the median of the ordinary points before it. The spread is their standard deviation
after those that lie far from the median, in units of the median absolute deviation, were left out;
it never falls below a floor. Series that vary by shares of their level are judged in logarithms,
others as they are: which, is chosen from the data. How far is too far depends on the number of
points: with few, the limit is that of Student's t for the allowed share of false alarms; with
many, the configured threshold, wider until the series has shown that its tails are light.

The judged value is never among the points that it is judged by. Points that were unusual when they
came teach nothing either, so that a broken table stays reported until its level returns, however
long it takes. Values that repeat within a day count once: running a check twice teaches nothing.

Not this detector: series with a season (`seasonal-level`), with a trend or growth (`trend`).

Source: median and MAD as in Leys et al. 2013, "Detecting outliers"; cleaning as in reweighted
scale estimation, Rousseeuw and Leroy 1987; choice of the scale after Box and Cox 1964.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study


@anomaly_detector(id="robust-level")
def robust_level(study: Study) -> Sequence[Told]:
    """Judge series without season and trend by the ordinary points before."""
    rows = range(len(study.series))
    return study.level_told(
        [r for r in rows if not study.is_seasonal(r) and not study.is_moving(r)]
    )
