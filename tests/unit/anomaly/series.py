"""Daily series for the tests of the anomaly room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Series
from dagster_agent.anomaly.metric_kind import is_share
from dagster_agent.anomaly.panel import Panel, panel_of
from dagster_agent.model import MetricPoint

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
"""A Thursday."""


def series_of(values: Sequence[float], value: float, metric: str = "row_count") -> Series:
    return Series(
        metric=metric,
        value=value,
        at=START + timedelta(len(values)),
        history=[
            MetricPoint(asset="a", metric=metric, value=v, at=START + timedelta(index))
            for index, v in enumerate(values)
        ],
        bounded=is_share(metric),
        floor=0.0025 if is_share(metric) else 1.0,
    )


def panel_of_rows(values: Sequence[Sequence[float]], config: AnomalyConfig) -> Panel:
    """Daily series of one length, the next day of which is judged; nothing is a floor."""
    rows = [
        replace(series_of(list(row), float("nan"), f"mean.c{number}"), floor=0.0)
        for number, row in enumerate(values)
    ]
    return panel_of(rows, config)
