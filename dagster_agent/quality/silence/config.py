"""Settings of what is noticed although nothing failed."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dagster_agent.errors import ConfigError
from dagster_agent.quality.silence.deadlines import Deadline


class SilenceConfig(BaseModel):
    """When silence is a symptom: runs that hang or do nothing, schedules that stopped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    """Whether the sensor looks at all."""

    interval_seconds: int = Field(default=120, ge=30)
    """Polling interval: silence is known within one of these."""

    deadlines: Mapping[str, str] = Field(default_factory=lambda: dict[str, str]())
    """By job or asset key: the time of day by which it must be complete, its time zone and, where
    not every day counts, the days: `{nightly: "07:00 Europe/Berlin Mon-Fri"}`."""

    deadline_window_hours: float = Field(default=18.0, gt=0, le=72)
    """How long before its deadline a run may have begun to count for it."""

    history_runs: int = Field(default=50, ge=5)
    """Earlier good runs of a job that its waiting and running times are learned from."""

    min_runs: int = Field(default=5, ge=3)
    """Earlier good runs below which a job's times are untrained."""

    min_stuck_minutes: float = Field(default=10.0, ge=0)
    """No run is called stuck before so many minutes of waiting or running."""

    untrained_queue_minutes: float = Field(default=60.0, gt=0)
    """Waiting time from which a run is called stuck while its job is untrained."""

    untrained_run_hours: float = Field(default=24.0, gt=0)
    """Running time from which a run is called stuck while its job is untrained."""

    stopped_lookback_days: float = Field(default=14.0, gt=0)
    """A schedule or sensor that was stopped counts as a symptom if it ticked within so many days
    before; one that has been off for longer is meant to be."""

    failed_ticks: int = Field(default=3, ge=1)
    """Ticks in a row that end in an error from which a schedule or sensor counts as broken."""

    max_checksums: int = Field(default=20, ge=0)
    """Tables per tick whose content is compared with the build before; each costs one scan."""

    checksum_max_rows: int = Field(default=1_000_000, ge=0)
    """Tables with more rows are compared by their row counts only."""

    ignore: tuple[str, ...] = ()
    """Names of jobs, schedules, sensors, and asset keys that are left alone; `*` stands for any
    text."""

    @field_validator("deadlines")
    @classmethod
    def _readable(cls, deadlines: Mapping[str, str]) -> Mapping[str, str]:
        for name, text in deadlines.items():
            try:
                Deadline.parse(name, text)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return deadlines
