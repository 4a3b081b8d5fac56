"""Settings of the reconciliation engine, for the whole project and per asset."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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
    fetch_rows: int = Field(default=200_000, ge=1_000)
    """Keys held in memory at a time when tables in different stores are compared."""
    bucket_rows: int = Field(default=2_000, ge=10)
    """Rows per checksum in that comparison; only buckets whose checksums differ are fetched."""
    sample_rows: int = Field(default=5, ge=0, le=50)
    """Examples shown of each kind of difference."""


class Tolerance(BaseModel):
    """How far two numbers may be apart; the larger of both limits counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    absolute: float = Field(default=0, ge=0)
    """In the unit of the number."""
    relative: float = Field(default=0, ge=0)
    """As a share of the other side's number."""


class Measure(Tolerance):
    """A numeric column whose sum, minimum, maximum and missing values must agree."""

    theirs: str | None = None
    """Their column or SQL expression; our column's name by default."""


class OtherTable(BaseModel):
    """A table in a store outside the project's warehouse."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    duckdb: str
    """Path of a DuckDB file, relative to the dbt project."""
    table: str
    """`schema.table` in it."""


def _names(value: Any) -> Any:
    """`name`, `[name, ...]` and `{ours: theirs}` all become a mapping."""
    if isinstance(value, str):
        value = [value]
    return {name: name for name in cast("list[Any]", value)} if isinstance(value, list) else value


def _measures(value: Any) -> Any:
    named = _names(value)
    if not isinstance(named, dict):
        return named
    found = cast("dict[Any, Any]", named)
    return {k: {"theirs": v} if isinstance(v, str) else v or {} for k, v in found.items()}


class ReconcileEntry(BaseModel):
    """One item of `meta: dagster_agent: reconcile:`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    with_: str | OtherTable = Field(alias="with")
    """What it must agree with: a dbt name, a table of the warehouse, or `{duckdb: <path>, table:
    <schema.table>}`."""
    name: str | None = None
    """What a person calls it; the table's name by default."""
    key: Annotated[dict[str, str], BeforeValidator(_names)] = Field(default_factory=dict)
    """Columns that identify a row: `id`, `[id, line]`, or `{ours: theirs}`. By default what dbt
    knows to be unique."""
    columns: Annotated[dict[str, str], BeforeValidator(_names)] = Field(default_factory=dict)
    """Further columns whose values must agree row by row: `[a, b]` or `{ours: their SQL}`."""
    measures: Annotated[dict[str, Measure], BeforeValidator(_measures)] = Field(
        default_factory=dict
    )
    """Numeric columns to sum: `[amount]`, `{ours: their SQL}`, or `{ours: {theirs: ..., absolute:
    ..., relative: ...}}`."""
    filter: str | None = None
    """SQL condition on our rows."""
    with_filter: str | None = None
    """SQL condition on their rows."""
    tolerance: Tolerance = Tolerance()
    """For the number of rows and of differing keys."""
