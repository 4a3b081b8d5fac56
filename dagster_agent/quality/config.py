"""Settings of quality dimensions and invariants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ShareTargets(BaseModel):
    """What share is aimed at, and below which share people are called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: float = Field(default=0.99, gt=0, le=1)
    """Share, 0 to 1, that is promised; between it and `alert` the check warns."""
    alert: float = Field(default=0.95, ge=0, le=1)
    """Share, 0 to 1, below which the check fails; never above `target`."""

    @model_validator(mode="before")
    @classmethod
    def _lower_with_target(cls, values: Any) -> Any:
        """A target below the default alert, given alone, takes the alert down with it."""
        if not isinstance(values, Mapping):
            return values
        given = dict(cast("Mapping[str, Any]", values))
        target, default = given.get("target"), cls.model_fields["alert"].default
        if isinstance(target, int | float) and "alert" not in given and target < default:
            given["alert"] = target
        return given

    @model_validator(mode="after")
    def _in_order(self) -> ShareTargets:
        if self.alert > self.target:
            raise ValueError(f"alert {self.alert:g} is above target {self.target:g}")
        return self


class CompletenessConfig(ShareTargets):
    """How full the columns are that must be filled."""

    columns: tuple[str, ...] = ()
    """Columns that must be filled, besides those that dbt tests and contracts name."""


class UniquenessConfig(ShareTargets):
    """How many rows do not repeat the key."""

    target: float = Field(default=1.0, gt=0, le=1)
    """Share, 0 to 1, of rows that do not repeat a key."""
    alert: float = Field(default=1.0, ge=0, le=1)
    """Share, 0 to 1, below which the check fails."""
    key: tuple[str, ...] = ()
    """Columns that identify a row together; empty: as dbt tests, contracts and `unique_key` say."""


class ValidityConfig(ShareTargets):
    """How many rows satisfy all declared rules."""


class AccuracyConfig(ShareTargets):
    """How far the asset agrees with its source of truth."""

    target: float = Field(default=1.0, gt=0, le=1)
    """Share, 0 to 1, of keys or rows that agree."""
    alert: float = Field(default=0.999, ge=0, le=1)
    """Share, 0 to 1, below which the check fails."""
    max_age_hours: float = Field(default=48.0, gt=0)
    """Reconciliation results older than this say nothing of the table as it is now."""


class QualityConfig(BaseModel):
    """Targets and alert thresholds. Also allowed per asset, under `meta: dagster_agent: quality:`.

    Those of the dimension freshness are `target_hours` and `alert_hours` of `freshness`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    completeness: CompletenessConfig = CompletenessConfig()
    """Share of rows with a value, in the worst of the columns that must be filled."""

    uniqueness: UniquenessConfig = UniquenessConfig()
    """Share of rows that do not repeat the key."""

    validity: ValidityConfig = ValidityConfig()
    """Share of rows that satisfy all declared rules."""

    accuracy: AccuracyConfig = AccuracyConfig()
    """Share of keys or rows that agree with a source of truth."""

    valid: Mapping[str, str] = Field(default_factory=lambda: dict[str, str]())
    """By column: what a value must be, as an SQL condition (`amount >= 0`) or as a regular
    expression between slashes (`/^[A-Z]{3}$/`)."""

    sample_rows: int = Field(default=5, ge=0, le=20)
    """Rows shown, masked, of those that violate an invariant."""

    gx_max_rows: int = Field(default=100_000, ge=1)
    """Largest table that is fetched for a Great Expectations expectation which cannot be compiled
    to SQL; of a larger one such an expectation could not run, and says so."""
