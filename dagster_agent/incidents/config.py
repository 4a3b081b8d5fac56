"""How symptoms become incidents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IncidentsConfig(BaseModel):
    """How symptoms are grouped, and how many incidents are looked into at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grouping_window_minutes: int = Field(default=360, ge=1)
    """A symptom counts as the consequence of one upstream (or on the same asset) only when both
    were seen within so many minutes. Six hours: one nightly build and the checks after it."""

    max_investigations_per_tick: int = Field(default=5, ge=1)
    """Investigations that one tick of the sensor may launch; the other incidents stay open and are
    launched by the next ticks, worst first."""

    max_symptoms_per_fingerprint: int = Field(default=20, ge=2)
    """Occurrences of one symptom that an incident keeps: the first one and the newest. A check that
    fails every hour for a month does not make its incident unreadable."""

    max_retries: int = Field(default=3, ge=0)
    """How often a run that failed for a reason that passes by itself (a lost connection, a lock, a
    vendor's outage) is tried again before it is investigated. 0: never."""

    retry_backoff_seconds: float = Field(default=60.0, ge=0)
    """Waiting time before the first retry; it doubles with each further one."""

    retry_lookback_runs: int = Field(default=3, ge=0)
    """Runs of the same job before the failed one in which the very same failure must not have
    occurred: what keeps failing is no accident and is investigated at once."""
