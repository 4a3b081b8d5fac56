"""What is kept of a profile."""

from __future__ import annotations

from dagster_agent.model import MetricPoint, TableProfile


def metric_points(asset: str, profile: TableProfile) -> tuple[MetricPoint, ...]:
    """The profile's metrics as points to keep, by name."""
    return tuple(
        MetricPoint(asset=asset, metric=metric, value=value, at=profile.profiled_at)
        for metric, value in sorted(profile.metrics().items())
    )
