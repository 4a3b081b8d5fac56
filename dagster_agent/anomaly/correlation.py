"""Metrics that move together: one leads, the others follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_agent.anomaly.detector import Told
from dagster_agent.anomaly.metric_kind import kind_of

_ORDER = ("row_count", "bytes", "categories", "sum", "distinct", "null_share")
"""Which metric leads among those that moved alike; others come after."""
_ALIKE = 0.25
"""Relative changes that differ by at most this share of the larger are the same movement."""
_LEAST = 0.01
"""Relative changes smaller than this are compared with nothing."""
_FOLLOWERS = frozenset(("bytes", "sum", "distinct", "distinct_share", "duplicate_share"))
"""Metrics that a row count moves even where it moves them by another share."""
_BY_LABELS = frozenset(("distribution", "distinct", "distinct_share", "duplicate_share"))
"""Metrics of a column that move because a label came or went."""


def consequences(alarms: Sequence[Told]) -> Mapping[str, str]:
    """The leading metric of each metric that follows from another one; leaders are left out.

    A metric follows if it changed by the same share, or if the number of rows fell or rose and it
    counts or adds up rows and moved the same way, or if a label of its column is new or gone and it
    is about that column's labels.
    """
    ordered = sorted(alarms, key=_rank)
    leaders: list[Told] = []
    found: dict[str, str] = {}
    for each in ordered:
        leader = next((one for one in leaders if _follows(each, one)), None)
        if leader:
            found[each.metric] = leader.metric
        else:
            leaders.append(each)
    return found


def _rank(told: Told) -> tuple[int, float, str]:
    kind = kind_of(told.metric)
    place = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return place, -abs(told.judgement.score), told.metric


def _follows(told: Told, leader: Told) -> bool:
    kind, _, column = told.metric.partition(".")
    if kind in _BY_LABELS and leader.metric == f"categories.{column}":
        return True
    mine, its = _change(told), _change(leader)
    if mine is None or its is None or mine * its <= 0:
        return False
    if leader.metric == "row_count" and kind_of(told.metric) in _FOLLOWERS:
        return True
    return min(abs(mine), abs(its)) > _LEAST and abs(mine - its) <= _ALIKE * max(
        abs(mine), abs(its)
    )


def _change(told: Told) -> float | None:
    level = told.judgement.level
    return (told.value - level) / abs(level) if level else None
