"""Settings of schema drift."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from dagster_agent.model import Severity


class SchemaDriftConfig(BaseModel):
    """What counts as drift. Also allowed per asset, under `meta: dagster_agent: schema_drift:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore_columns: tuple[str, ...] = ("_dlt_*", "_fivetran_*", "_airbyte_*", "_sdc_*")
    """Columns that are nobody's business, as shell patterns, letter case ignored."""
    severities: dict[str, Severity] = Field(default_factory=lambda: dict[str, Severity]())
    """Severity by rule id, in place of the rule's own. INFO passes; WARN and ERROR fail."""
    rename_confidence: float = Field(default=0.6, ge=0, le=1)
    """Confidence from which a gone and a new column are reported as one renamed column."""

    poll_seconds: int = Field(default=60, ge=5)
    """How often the drift sensor reads the schemas of all sources, in one query per database: a
    change is known within one of these, whether anything runs or not."""
