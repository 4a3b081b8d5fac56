"""What the name of a metric says about its numbers."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from fnmatch import fnmatchcase

from dagster_agent.anomaly.config import AnomalyConfig, Mute
from dagster_agent.model import ColumnProfile, MetricPoint, TableProfile

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

_SAMPLED = {"q05": 2.113, "q25": 1.363, "q50": 1.253, "q75": 1.363, "q95": 2.113}
"""Standard error of a quantile of normal values, in standard deviations over the root of their
number: root of p (1 - p), over the density there."""
_NORMAL_QUARTILES = 1.349
"""Standard deviations between the quartiles of normal values."""


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


def floor_of(
    metric: str, value: float, profile: TableProfile, history: Sequence[MetricPoint]
) -> float:
    """Smallest spread that means anything, in the metric's own unit.

    Args:
        metric: Its name.
        value: Now. No chance makes a number zero or gives it another sign.
        profile: What it is taken from.
        history: Its earlier points, in any order.
    """
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
    if (kind in _SAMPLED or kind in ("min", "max")) and _sits(history, value):
        named = metric.partition(".")[2]
        column = next((c for c in profile.columns if c.name == named), None)
        return _chance_of(kind, column, profile) if column else 0.0
    return 0.0


def _sits(history: Sequence[MetricPoint], value: float) -> bool:
    """Whether most points repeat the one before, as a quantile of few different values does, and
    all are of the value's sign."""
    values = [point.value for point in sorted(history, key=lambda point: point.at)]
    same = sum(one == other for one, other in itertools.pairwise(values))
    often = 2 * same >= len(values) - 1 > 0
    return often and {_sign(each) for each in values} == {_sign(value)}


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _chance_of(kind: str, column: ColumnProfile, profile: TableProfile) -> float:
    """By how much an extreme or a quantile moves by chance. It sits on one value for days and then
    on the next one, so what it did before does not tell.

    Source: standard error of a quantile, Stuart and Ord, Kendall's Advanced Theory of Statistics,
    10.10; spread of extremes, Gumbel's law.
    """
    rows = profile.row_count if profile.rows_read is None else profile.rows_read
    count = max(rows - column.null_count, 2)
    known = column.quantiles.get("q25"), column.quantiles.get("q75")
    if known[0] is None or known[1] is None:
        return 0.0
    deviation = abs(known[1] - known[0]) / _NORMAL_QUARTILES
    if kind in _SAMPLED:
        return _SAMPLED[kind] * deviation / math.sqrt(count)
    return math.pi / math.sqrt(12 * math.log(count)) * deviation


def told(metric: str, value: float) -> str:
    """The number as a person reads it."""
    kind = kind_of(metric)
    if is_share(metric):
        return f"{value:.1%}"
    if kind in ("row_count", "distinct", "bytes"):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"
