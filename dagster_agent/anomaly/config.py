"""Settings of the anomaly engine."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class ExcludedWindow(BaseModel):
    """A stretch of time that is known to be odd, such as a backfill."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime
    """First moment."""
    until: AwareDatetime
    """Moment from which points count again."""
    reason: str = Field(min_length=1)
    """Why, in words that are shown."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until <= self.since:
            raise ValueError(f"until ({self.until}) must be later than since ({self.since})")
        return self


class Mute(BaseModel):
    """Metrics that raise no alarm for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(min_length=1)
    """Shell pattern of metric names, letter case ignored."""
    until: AwareDatetime
    """When the mute ends. There is none without an end."""
    reason: str = ""
    """Why, in words that are shown."""


class AnomalyConfig(BaseModel):
    """What counts as unusual. Also meant per asset, under `meta: dagster_agent: anomaly:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore_metrics: tuple[str, ...] = ()
    """Metrics that are not judged, as shell patterns, letter case ignored. `row_count` is
    judged always."""
    ignore_values_of: tuple[str, ...] = (
        *("id", "*_id", "*_key", "*_sk", "*_code", "*_number"),
        *("year", "month", "day", "*_year", "*_month", "*_day"),
        *("lat", "lon", "latitude", "longitude"),
    )
    """Columns whose numbers are names, as shell patterns: their sums, means, extremes and
    quantiles are not judged; their NULLs and distinct values are."""
    threshold: float = Field(default=4.5, ge=3.5, le=10)
    """Distance from the usual level, in units of the usual spread, from which a value is unusual.
    While there are few points it is raised to keep `false_alarm_share`."""
    false_alarm_share: float = Field(default=0.0005, gt=0, le=0.05)
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
    trailing_mean_share: float = Field(default=0.3, gt=0, le=1)
    """While the row count is untrained, it is compared with the mean of its last seven days, and
    this much more or less is unusual."""
    history_points: int = Field(default=400, ge=14, le=1000)
    """Newest points looked at: what the calendar does is learned from all of them."""
    training_points: int = Field(default=60, ge=14, le=400)
    """Newest ordinary points that make up the usual level and spread."""
    since: AwareDatetime | None = None
    """Points before this moment are forgotten. To accept a new level, give the moment it began."""
    calendar: tuple[date, ...] = ()
    """Holidays and other days (UTC) that may differ: they raise no alarm and teach nothing."""
    exclude_windows: tuple[ExcludedWindow, ...] = ()
    """Backfills and the like: points within are as if they were not there."""
    mutes: tuple[Mute, ...] = ()
    """Metrics that raise no alarm until a date."""
