"""Settings of profiling."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ProfilingConfig(BaseModel):
    """What is measured of a table, and what it may cost. Also meant per asset, under
    `meta: dagster_agent: profiling:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes_per_profile: int = Field(default=50_000_000_000, ge=0)
    """Bytes that one profile may read, by the warehouse's own estimate. Above it a sample is read,
    and of views nothing; the result says so. 0: read no table, ask the catalogue only."""
    max_seconds: float = Field(default=120.0, gt=0)
    """When reading a table whole took longer, a sample is read from then on, and what is left to
    measure of this one is left out; both are told."""
    max_columns: int = Field(default=100, ge=0)
    """Columns that are measured in full, in table order; of the others only NULLs are counted."""
    sample_rows: int = Field(default=50_000, ge=1_000)
    """Rows from which quantiles and histograms are estimated; smaller tables are read whole."""
    max_categories: int = Field(default=30, ge=0, le=1_000)
    """Columns with at most so many distinct values are counted by value; 0: none."""
    check_keys: bool = True
    """Count duplicates of the key that dbt knows (`unique_key`, primary key or `unique` test)."""
    timestamp: str | None = None
    """Column that says when a row happened; None: as dbt's `event_time` or `partition_by`
    says, else guessed by name and type."""
    daily: bool = True
    """Whether to measure closed days apart, by the timestamp: so the history starts in the past."""
    daily_columns: int = Field(default=40, ge=0)
    """Columns that are measured per day, in table order."""
    backfill_days: int = Field(default=60, ge=7, le=400)
    """Closed days read at first sight."""
    late_days: int = Field(default=3, ge=1, le=60)
    """Newest closed days that are read again each time, for rows that arrive late."""
    closed_after_hours: float = Field(default=0.0, ge=0)
    """Hours after midnight UTC from which the day before counts as closed."""
    incremental_rows: int = Field(default=100_000_000, ge=0)
    """Tables with more rows and a timestamp are measured by closed days only."""
    segments: tuple[str, ...] = ()
    """Columns by whose values rows, NULLs and means are measured apart."""
    max_segments: int = Field(default=20, ge=1, le=200)
    """Commonest values of a segment column that are measured apart."""
    patterns: Mapping[str, str] = Field(default_factory=lambda: dict[str, str]())
    """By column: regular expression that whole values should match; measured as `match_share`."""
    custom_metrics: Mapping[str, str] = Field(default_factory=lambda: dict[str, str]())
    """By name: a SELECT that yields one number, or an SQL expression over the asset's own rows such
    as `sum(amount) / count(*)`; measured as `custom.<name>`."""

    @field_validator("patterns")
    @classmethod
    def _patterns_compile(cls, patterns: Mapping[str, str]) -> Mapping[str, str]:
        for column, pattern in patterns.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern of {column!r} is no expression: {error}") from None
        return patterns
