"""Settings of data freshness."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class FreshnessConfig(BaseModel):
    """How old data may be. Also allowed per asset, under `meta: dagster_agent: freshness:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    """Timestamp or date column, or SQL expression, that tells how recent a row is. None: dbt's
    `loaded_at_field`, else a column whose name says that it is about loading."""

    column_tells: Literal["loaded", "happened"] | None = None
    """Whether the column says when a row was loaded or when something happened. A cadence is
    learned from the table itself only of load times. None: by its name and its values."""

    target_hours: float | None = Field(default=None, gt=0)
    """Age of the newest row from which it is a warning. None: dbt's `warn_after`; 1 where freshness
    is declared with no number at all."""

    alert_hours: float | None = Field(default=None, gt=0)
    """Age of the newest row from which it is an error. None: dbt's `error_after`; 2 where freshness
    is declared with no number at all."""

    expected_every_hours: float | None = Field(default=None, gt=0)
    """How often new rows come; a quarter more is allowed. Takes the learned cadence's place."""

    deadline: str | None = Field(default=None, pattern=_CLOCK)
    """Time of day, `07:00`, by which the day's data must be there, in `timezone`."""

    deadline_window_hours: float = Field(default=18.0, gt=0, le=72)
    """How long before the deadline the newest row may lie. 18: what came last night, or what
    happened until yesterday evening, is in time; what came yesterday morning is not."""

    timezone: str = "UTC"
    """Name of the time zone of the deadline and of days, such as `Europe/Berlin`."""

    naive_timezone: str = "UTC"
    """Time zone that timestamps without one are taken to be in."""

    poll_minutes: float = Field(default=15.0, ge=0)
    """How often the sensor has freshness measured although nothing runs. 0: after runs only. For
    the whole project, not per asset."""

    learn: bool = True
    """Whether a cadence is learned besides what is declared."""

    max_bytes_unasked: int = Field(default=1_000_000_000, ge=0)
    """Bytes that a look at a table may read of whose age nothing was promised, by the warehouse's
    estimate. Where its catalogue says when the table changed last, nothing is read. 0: never."""

    unasked_every_minutes: float = Field(default=60.0, ge=0)
    """How often such a table is looked at, at most; between, the last verdict is repeated."""

    lookback_days: int = Field(default=63, ge=7, le=400)
    """Days before the newest row that are looked at; nine weeks show eight of each weekday."""

    min_gaps: int = Field(default=7, ge=3)
    """Pauses between batches from which a cadence is learned; below, it is untrained."""

    max_future_minutes: float = Field(default=15.0, ge=0)
    """How far ahead of the clock a timestamp may lie before it counts as wrong."""

    partitions: bool = True
    """Whether yesterday is compared with the days like it: missing, or much smaller."""

    min_partition_share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the smallest day like it below which yesterday counts as incomplete."""

    complete_at: str | None = Field(default=None, pattern=_CLOCK)
    """Time of day, in `timezone`, at which yesterday is usually complete. None: learned from
    earlier looks at the table."""

    @field_validator("timezone", "naive_timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(
                f"{name!r} is no time zone; write a name such as Europe/Berlin"
            ) from error
        return name

    @model_validator(mode="after")
    def _ordered(self) -> FreshnessConfig:
        if self.target_hours and self.alert_hours and self.target_hours > self.alert_hours:
            raise ValueError(
                f"target_hours {self.target_hours:g} lies above alert_hours {self.alert_hours:g}"
            )
        return self
