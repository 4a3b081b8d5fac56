"""Has a number that always moved stopped moving?

If a share q of the steps of a series repeat the value before, a run of k repeats has the chance q
to the power of k; q is estimated with one repeat that was not seen (Laplace). A table that is
built again from the same stale source shows here, at a perfectly usual level.

Not this detector: shares and counts that often repeat, and values that repeat within a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Told, anomaly_detector, deviate
from dagster_agent.anomaly.metric_kind import is_share

if TYPE_CHECKING:
    from dagster_agent.anomaly.study import Study

_FEWEST = 14
"""Steps before the run."""
_CHANCE = 1e-4
"""Of such a run, below which it is unusual."""


@anomaly_detector(id="frozen-value")
def frozen_value(study: Study) -> Sequence[Told]:
    """Tell the series that end with a run of one value and are not like that."""
    import numpy as np

    found: list[Told] = []
    for row, series in enumerate(study.series):
        if is_share(series.metric):
            continue
        known = study.panel.values[row][np.isfinite(study.panel.values[row])]
        repeats = known[1:] == known[:-1]
        moved = np.flatnonzero(~repeats)
        run = len(repeats) - 1 - int(moved[-1]) if len(moved) else len(repeats)
        steps = len(repeats) - run
        if run < 2 or steps < _FEWEST:
            continue
        chance = float(((repeats[:steps].sum() + 1) / (steps + 2)) ** run)
        if chance >= _CHANCE:
            continue
        judgement = replace(
            study.level_judgement(row),
            trained=True,
            probability=chance,
            score=deviate(chance),
            unusual_since=study.moment(row, run - 1),
            returned=False,
            basis="how often it repeats",
            reason=f"{run + 1} points in a row have the same value; "
            f"before, {int(repeats[:steps].sum())} of {steps} steps repeated one",
        )
        found.append(Told(metric=series.metric, value=series.value, judgement=judgement))
    return found
