"""Settings of the reconciliation engine, for the whole project and per asset.

What one pair may say is in `entry`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReconciliationConfig(BaseModel):
    """When rows that do not add up are a failure. Needs no setting to begin with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_lost_share: float = Field(default=0.001, ge=0, le=1)
    """Share of a query's rows that inner joins to lookups may drop. Not 0: a lookup that is loaded
    a little later than its facts lacks the newest keys for a while, which mends itself. Rows lost
    by mistake are more: a whole source, a format, a kind of key."""
    error_lost_share: float = Field(default=0.01, ge=0, le=1)
    """Share from which the loss is an error instead of a warning: figures built on it are visibly
    wrong."""
    max_added_share: float = Field(default=0, ge=0)
    """Share of rows that a join may multiply by accident. 0: each of them counts something twice,
    and unlike a late lookup it never mends itself."""
    max_stale_share: float | None = Field(default=None, ge=0)
    """Share of rows by which a stored table may differ from what its SQL yields now. Not judged by
    default: a table is as old as its last build, and freshness has checks of its own."""
    max_scopes: int = Field(default=50, ge=1)
    """SELECTs of one model whose rows are accounted for, those nearest to the output first."""
    bucket_rows: int = Field(default=64, ge=1, le=100_000)
    """Rows per checksum where both tables are in one store; buckets become smaller by themselves
    where the last run found many differences."""
    across: Literal["stream", "checksum"] | None = None
    """How tables in two stores are compared: by fetching rows, or by checksums first, which move
    hundreds of times less and take the stores longer. By default what is faster."""
    bytes_per_second: float | None = Field(default=None, gt=0)
    """Speed of the line between this process and the stores, for that decision; measured by
    default. Set it low where what leaves a store costs money."""
    sample_rows: int = Field(default=5, ge=0, le=50)
    """Examples shown of each kind of difference."""


class Tolerance(BaseModel):
    """How far two numbers may be apart; the larger of both limits counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    absolute: float = Field(default=0, ge=0)
    """In the unit of the number."""
    relative: float = Field(default=0, ge=0)
    """As a share of the other side's number."""
