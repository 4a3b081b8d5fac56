"""Settings of schema drift."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_agent.model import Severity


class SchemaDriftConfig(BaseModel):
    """What counts as drift. Also allowed per asset, under `meta: dagster_agent: schema_drift:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore_columns: tuple[str, ...] = ("_dlt_*", "_fivetran_*", "_airbyte_*", "_sdc_*")
    """Columns that are nobody's business, as shell patterns, letter case ignored."""
    ignore_tables: tuple[str, ...] = ("_dlt_*", "_airbyte_*", "_sdc_*", "*__dbt_*")
    """New tables beside a source that are not told, as shell patterns, letter case ignored."""
    severities: dict[str, Severity] = Field(default_factory=lambda: dict[str, Severity]())
    """Severity by rule id, in place of the rule's own. INFO passes; WARN and ERROR fail."""
    rename_confidence: float = Field(default=0.6, ge=0, le=1)
    """Confidence from which a gone and a new column are reported as one renamed column."""

    fingerprints: Literal["sources", "all", "off"] = "sources"
    """Of which tables the values are sketched, as evidence for renames: salted hashes, at most 100
    a column, which no value can be read back from. Views never are."""
    fingerprint_max_rows: int = Field(default=100_000, ge=1000)
    """Rows that one sketch reads at the most, all columns in one statement."""
    fingerprint_every_hours: float = Field(default=24, gt=0)
    """How old a sketch gets before a check that passes takes it anew."""

    json_keys: Literal["all", "sources", "off"] = "all"
    """In which tables' JSON columns the keys of the documents are watched too. Keys and their types
    leave the warehouse, values never do."""
    json_text_columns: tuple[str, ...] = ()
    """Text columns that hold JSON, besides the columns of a JSON type; set per asset."""
    json_ignore: tuple[str, ...] = ()
    """Columns and keys that are not looked into, as shell patterns: `payload`, `payload.debug*`,
    `payload.items[].sku`; letter case ignored."""
    json_max_rows: int = Field(default=5000, ge=100)
    """Rows whose documents one look opens at the most, the newest where a column tells which these
    are."""
    json_max_bytes: int = Field(default=1_000_000_000, gt=0)
    """Bytes that one look may read, by the warehouse's own estimate. Above it a part of the table
    is read, and of a view nothing; the check says so."""
    json_poll_minutes: float = Field(default=60, ge=0)
    """How often the drift sensor has the JSON columns of sources looked into although nothing runs,
    50 tables at a time. 0: in checks of runs only. For the whole project, not per asset."""

    poll_seconds: int = Field(default=60, ge=5)
    """How often the drift sensor reads the schemas of all sources, in one query per database: a
    change is known within one of these, whether anything runs or not."""
    poll_models: bool = False
    """The drift sensor looks at the tables of models, seeds and snapshots too, same query."""
    cancel_queued: bool = False
    """The drift sensor cancels queued runs that would build what a drift of severity ERROR
    reaches. Runs in progress are never touched; a tag of the run says why."""
