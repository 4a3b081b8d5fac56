"""Settings of the warehouse connection."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WarehouseConfig(BaseModel):
    """How the customer's warehouse is read; where it is comes from the dbt profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wait_seconds: float = Field(default=60.0, ge=0)
    """How long a read waits while another process, such as a dbt run, holds the data."""
    statement_seconds: float = Field(default=300.0, gt=0)
    """A statement that runs longer is interrupted."""
    snapshot_max_bytes: int = Field(default=4 * 1024**3, ge=0)
    """DuckDB files up to this size are read from a private copy; larger ones are opened themselves,
    read-only, for the length of one statement or one comparison (a dbt run that starts then has to
    wait or fails)."""
    allow_external: bool = False
    """Whether views may read files outside the database (`read_parquet` and the like)."""
