"""How much of a pair was compared, said where a person reads that it agrees.

Counts and aggregates are equal, too, where changes cancel out: what rests on them says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.reconciliation.aggregates import PairAggregates
from dagster_agent.reconciliation.breakdown import differing_days
from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.report import ROWS_METHOD

HINT = (
    "to compare all rows name the `key` of the pair and leave out `stop_early`: changes that "
    "cancel out leave counts and aggregates as they are"
)
_AGREES = (DetectionStatus.PASSED, DetectionStatus.UNTRAINED)


def without_rows(
    found: Sequence[Detection], pair: TablePair, aggregates: PairAggregates
) -> list[Detection]:
    """The results of a pair of which no row was compared, with what was compared instead."""
    if pair.only_metric:
        return list(found)
    where = "on each day" if _by_day(aggregates) else "of the whole tables"
    told = f"compared by {_numbers(aggregates)} {where}, not row by row"
    differing = len(differing_days(pair, aggregates))
    if differing:
        told += f"; {differing:,} of {day_count(aggregates):,} days differ"
    return [_telling(d, told) if d.status in _AGREES else d for d in found]


def of_some_days(
    found: Sequence[Detection], aggregates: PairAggregates, days: int
) -> list[Detection]:
    """The results of a pair of which the rows of so many days were compared."""
    told = (
        f"rows were compared on {days:,} of {day_count(aggregates):,} days, on the others only "
        f"{_numbers(aggregates)}"
    )
    settled = DetectionStatus.COULD_NOT_RUN
    return [
        _telling(d, told) if d.detector == ROWS_METHOD and d.status is not settled else d
        for d in found
    ]


def day_count(aggregates: PairAggregates) -> int:
    """Days of either side; rows without a day are one more."""
    return len({*(aggregates.ours.by_day or {}), *(aggregates.theirs.by_day or {})})


def _numbers(aggregates: PairAggregates) -> str:
    return "counts and aggregates" if aggregates.ours.totals.values else "counts"


def _by_day(aggregates: PairAggregates) -> bool:
    return aggregates.ours.by_day is not None and aggregates.theirs.by_day is not None


def _telling(detection: Detection, told: str) -> Detection:
    return replace(detection, headline=f"{detection.headline}; {told}", hint=detection.hint or HINT)
