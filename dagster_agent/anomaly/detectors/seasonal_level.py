"""Is the value far from what it usually is at such a time?

The calendar's part is taken off first: weekday, hour of the day, hour of the week, and days of the
month or its last day. Each is believed only if what the other weeks (or the other half of the
months) teach brings each week closer to its level, so noise is given no season; and only as far as
it is more than chance explains. What is left is judged as in `robust-level`, all phases by one
spread, with the uncertainty of the season added. Weeks are counted back from the newest point.

Not this detector: series of less than three weeks. Until then a value is compared with those of the
same weekday as well, and one at a time of the week that was never seen is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study


@anomaly_detector(id="seasonal-level")
def seasonal_level(study: Study) -> Sequence[Told]:
    """Judge series that the calendar moves."""
    return study.level_told([r for r in range(len(study.series)) if study.is_seasonal(r)])
