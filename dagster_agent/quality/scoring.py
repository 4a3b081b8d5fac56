"""A score per asset, and its roll-up per domain.

The score of an asset is that of its worst dimension: how much of its target it reaches, 1 at the
target and beyond. A share counts as share / target, an age as target / age. Beside it stands the
mean over the judged dimensions, which tells one bad promise from many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Asset, MetricPoint, ResultTable
from dagster_agent.ports import StateStore
from dagster_agent.quality.dimension import DimensionResult

_WEEK = timedelta(days=7)
_NO_DOMAIN = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far an asset keeps what it promises."""

    worst: float
    """Fulfilment of the worst dimension, 0 to 1."""
    mean: float
    """Mean fulfilment of the dimensions that were judged."""


def score(results: Sequence[DimensionResult]) -> Score | None:
    """The asset's score; None where no dimension was judged."""
    reached = [r.fulfilment for r in results if r.fulfilment is not None]
    return Score(worst=min(reached), mean=fmean(reached)) if reached else None


def quality_rollup(store: StateStore, manifest: Manifest, now: datetime) -> ResultTable:
    """Scores per domain, worst first; empty before anything was measured.

    Args:
        store: Holds the history.
        manifest: The project's assets.
        now: UTC; the change is told against seven days before.
    """
    scored: dict[str, list[tuple[str, float, float | None]]] = defaultdict(list)
    for uid, asset in manifest.assets.items():
        if asset.relation is None:
            continue
        points = store.metric_history(uid, "quality.score")
        if points:
            newest = points[-1].value
            scored[domain(asset, manifest)].append((asset.name, newest, _before(points, now)))
    rows = [_row(name, found) for name, found in scored.items()]
    return ResultTable(
        columns=("domain", "assets", "score", "week_before", "below_target", "worst_asset"),
        rows=tuple(sorted(rows, key=lambda row: (row[2], row[0]))),
    )


def domain(asset: Asset, manifest: Manifest) -> str:
    """The dbt group; else the first folder below the models', else the first tag.

    A source is in the domain of its folder too, which is where its yml lies.
    """
    if group := manifest.group(asset.unique_id):
        return group
    folders = asset.path.split("/")[1:-1]
    if folders:
        return folders[0]
    return asset.tags[0] if asset.tags else _NO_DOMAIN


def _before(points: Sequence[MetricPoint], now: datetime) -> float | None:
    """The newest score that is a week old or older."""
    return next((p.value for p in reversed(points) if p.at <= now - _WEEK), None)


def _row(
    name: str, found: Sequence[tuple[str, float, float | None]]
) -> tuple[str, int, float, float | None, int, str]:
    worst = min(found, key=lambda each: (each[1], each[0]))
    earlier = [before for _, _, before in found if before is not None]
    return (
        name,
        len(found),
        round(fmean(value for _, value, _ in found), 4),
        round(fmean(earlier), 4) if earlier else None,
        sum(value < 1 for _, value, _ in found),
        worst[0],
    )
