"""What the name of a metric says about its numbers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fnmatch import fnmatchcase

from dagster_agent.anomaly.config import AnomalyConfig, Mute
from dagster_agent.model import MetricPoint, TableProfile

_SHARES = frozenset(
    (
        *("null_share", "zero_share", "empty_share", "distinct_share", "duplicate_share"),
        *("true_share", "match_share", "share"),
    )
)
_VALUES = frozenset(("sum", "mean", "min", "max", "stddev", "q05", "q25", "q50", "q75", "q95"))
_SHARE_FLOOR = 0.0025
"""Spread of a share below which nothing matters."""
_DISTINCT_FLOOR = {"hyperloglog": 0.02, "sample": 0.05}
"""Distinct values are estimates: a table built anew may differ by that without reason."""


def kind_of(metric: str) -> str:
    """The part before the column: `null_share` of `null_share.email{country=DE}`."""
    return metric.split("{", 1)[0].split(".", 1)[0]


def is_share(metric: str) -> bool:
    """Whether it lies between 0 and 1."""
    return kind_of(metric) in _SHARES


def is_judged(metric: str, config: AnomalyConfig) -> bool:
    """Whether the settings let it be judged."""
    if metric == "row_count":
        return True
    name = metric.casefold()
    if any(fnmatchcase(name, pattern.casefold()) for pattern in config.ignore_metrics):
        return False
    column = name.split("{", 1)[0].partition(".")[2]
    return kind_of(metric) not in _VALUES or not any(
        fnmatchcase(column, pattern.casefold()) for pattern in config.ignore_values_of
    )


def mute_of(metric: str, mutes: Sequence[Mute]) -> Mute | None:
    """The first mute that names it."""
    name = metric.casefold()
    return next((m for m in mutes if fnmatchcase(name, m.metric.casefold())), None)


def floor_of(metric: str, profile: TableProfile, history: Sequence[MetricPoint]) -> float:
    """Smallest spread that means anything, in the metric's own unit."""
    kind = kind_of(metric)
    estimate = _DISTINCT_FLOOR.get(profile.distinct_by, 0.05)
    if kind in ("row_count", "bytes"):
        return 1.0
    if is_share(metric):
        rows = profile.row_count if profile.rows_read is None else profile.rows_read
        error = estimate if kind == "distinct_share" else 0.0
        return max(_SHARE_FLOOR, 1 / max(rows, 1), error)
    if kind == "distinct" and history:
        usual = statistics.median(abs(point.value) for point in history)
        return estimate * usual
    return 0.0


def told(metric: str, value: float) -> str:
    """The number as a person reads it."""
    kind = kind_of(metric)
    if is_share(metric):
        return f"{value:.1%}"
    if kind in ("row_count", "distinct", "bytes"):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"
