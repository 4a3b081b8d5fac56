"""Is the value far from where its trend leads, or did it grow by an unusual amount?

A trend is a resistant line: both halves of the history must rise (or fall), and the flatter of
the two counts, so that neither a step nor a drift that began lately is taken for one. A series
that only ever grows, such as the row count of a table that is appended to, is judged by how much
it grew since its last ordinary value: a day that was not loaded is a thousandth of the table and
all of a day's growth. Lost rows stay reported until they are back or drown in the uncertainty of
many steps.

Not this detector: a trend that the calendar moves as well (`seasonal-level`, which takes the
trend off too).

Source: the resistant line of Tukey 1977, "Exploratory Data Analysis".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study


@anomaly_detector(id="trend")
def trend(study: Study) -> Sequence[Told]:
    """Judge series that move steadily and know no season."""
    rows = range(len(study.series))
    return study.level_told([r for r in rows if study.is_moving(r) and not study.is_seasonal(r)])
