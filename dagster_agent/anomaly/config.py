"""Settings of the anomaly engine."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class AnomalyConfig(BaseModel):
    """What counts as unusual. Also meant per asset, under `meta: dagster_agent: anomaly:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore_metrics: tuple[str, ...] = (
        *("sum.id", "sum.*_id", "sum.*_key", "sum.*_sk", "sum.*_code", "sum.*_number"),
        *("sum.year", "sum.month", "sum.day", "sum.*_year", "sum.*_month", "sum.*_day"),
        *("sum.lat", "sum.lon", "sum.latitude", "sum.longitude"),
    )
    """Metrics that are not judged, as shell patterns, letter case ignored. `row_count` is
    judged always."""
    threshold: float = Field(default=3.5, ge=3.5, le=7)
    """Distance from the usual level, in units of the usual spread, from which a value is unusual.
    While there are few points it is raised to keep `false_alarm_share`."""
    false_alarm_share: float = Field(default=0.005, gt=0, le=0.05)
    """Share of ordinary values of one metric that may be called unusual by chance."""
    false_discovery_share: float = Field(default=0.02, gt=0, le=0.5)
    """Share of a table's alarms that may be chance when many metrics are judged at once
    (Benjamini-Hochberg)."""
    floor_share: float = Field(default=0.01, gt=0, le=0.5)
    """The spread is never taken as smaller than this share of the level, so that a constant
    history alarms at a real change and not at the last digit."""
    visible_change_share: float = Field(default=0.5, gt=0)
    """Enough points are those with which a change by this share of the level would be seen four
    times in five; before that, a metric is untrained."""
    history_points: int = Field(default=120, ge=14, le=400)
    """Newest points looked at."""
    training_points: int = Field(default=60, ge=14, le=400)
    """Newest ordinary points that make up the usual level."""
    same_weekday: bool = False
    """Compare Mondays with Mondays only; for tables that hold one day's rows each."""
    since: AwareDatetime | None = None
    """Points before this moment are forgotten. To accept a new level, give the moment it began."""
