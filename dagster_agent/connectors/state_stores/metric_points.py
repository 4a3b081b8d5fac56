"""The history of metrics: one row per point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from dagster_agent.connectors.state_stores.statements import upsert
from dagster_agent.connectors.state_stores.tables import metrics
from dagster_agent.model import MetricPoint


def add(connection: Connection, points: Sequence[MetricPoint]) -> None:
    """Insert, or replace by asset, metric and moment. There must be one at least."""
    rows = [
        {
            "asset": point.asset,
            "metric": point.metric,
            "at": point.at,
            "value": None if math.isnan(point.value) else point.value,
        }
        for point in points
    ]
    connection.execute(upsert(metrics, connection), rows)


def history(
    connection: Connection, asset: str, metric: str, *, limit: int
) -> Sequence[MetricPoint]:
    """The newest points, oldest first."""
    query = (
        select(metrics.c.at, metrics.c.value)
        .where(metrics.c.asset == asset, metrics.c.metric == metric)
        .order_by(metrics.c.at.desc())
        .limit(limit)
    )
    rows = connection.execute(query).all()
    return [_point(asset, metric, at, value) for at, value in reversed(rows)]


def histories(
    connection: Connection, asset: str, *, limit: int
) -> Mapping[str, Sequence[MetricPoint]]:
    """The newest points of each metric, oldest first."""
    query = (
        select(metrics.c.metric, metrics.c.at, metrics.c.value)
        .where(metrics.c.asset == asset)
        .order_by(metrics.c.metric, metrics.c.at)
    )
    found: dict[str, list[MetricPoint]] = {}
    for metric, at, value in connection.execute(query):
        found.setdefault(metric, []).append(_point(asset, metric, at, value))
    return {metric: points[-limit:] if limit else [] for metric, points in found.items()}


def _point(asset: str, metric: str, at: datetime, value: float | None) -> MetricPoint:
    return MetricPoint(
        asset=asset, metric=metric, at=at, value=math.nan if value is None else value
    )
