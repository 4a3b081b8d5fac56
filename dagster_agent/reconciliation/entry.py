"""`ReconcileEntry`: one pair as the team writes it under `meta: dagster_agent: reconcile:`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from dagster_agent.reconciliation.config import Tolerance
from dagster_agent.reconciliation.truths import OtherSide

Which = Literal["ours", "theirs", "both"]


class Expression(BaseModel):
    """What stands for a name of ours on either side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ours: str | None = None
    """Our column or SQL expression; the column of that name by default."""
    theirs: str | None = None
    """Their column or SQL expression; what `ours` is by default."""


class Column(Expression, Tolerance):
    """A column whose values must agree row by row."""


class Measure(Column):
    """A numeric column whose sum, minimum, maximum and missing values must agree."""

    unit: str | None = None
    """Such as `EUR`: it is money, and told as what is at stake."""


class Metric(Tolerance):
    """One number per group on either side, such as revenue by day."""

    ours: str
    """Our aggregate, `sum(amount)`."""
    theirs: str
    """Their aggregate, `sum(minor) / 100.0`."""
    by: Expression | None = None
    """What both are grouped by, `{ours: date(created_at), theirs: booked_on}`; without it the whole
    tables give one number each."""
    unit: str | None = None
    """Such as `EUR`."""

    @field_validator("by")
    @classmethod
    def _something(cls, value: Expression | None) -> Expression | None:
        if value is not None and not (value.ours or value.theirs):
            raise ValueError("give `ours`, `theirs` or both")
        return value


class Closed(BaseModel):
    """Only what lies in days, hours or months that are over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    """Our column with the time of a row; read as UTC where it has no zone."""
    theirs: str | None = None
    """Their column or SQL expression; our column's name by default."""
    grain: Literal["hour", "day", "month"] = "day"
    """What has to be over."""
    lag_hours: float = Field(default=0, ge=0)
    """How much longer late rows may take to arrive."""


class Watermark(BaseModel):
    """Only rows that both sides can have by now: those before the newest row of the side that is
    behind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ours: str
    """Our column that grows with every change, such as `updated_at`."""
    theirs: str | None = None
    """Their column or SQL expression; our column's name by default."""
    max_lag_hours: float | None = Field(default=None, gt=0)
    """How far one side's newest row may be behind the other's; more is a failure of its own."""


class Sample(BaseModel):
    """Rows are compared for a share of the keys only; counts and aggregates still cover all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int | None = Field(default=None, ge=100)
    """Keys to compare, about so many."""
    share: float | None = Field(default=None, gt=0, lt=1)
    """Or this share of them."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """Of what is said about the keys that were not compared."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Sample:
        if (self.rows is None) == (self.share is None):
            raise ValueError("give either `rows` or `share`")
        return self


def _names(value: Any) -> Any:
    """`name`, `[name, ...]` and `{ours: theirs}` all become a mapping."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    return {name: dict[str, Any]() for name in cast("list[Any]", value)}


def _expressions(value: Any) -> Any:
    """Of a mapping, a bare text is what stands there on their side."""
    named = _names(value)
    if not isinstance(named, dict):
        return named
    found = cast("dict[Any, Any]", named)
    return {k: {"theirs": v} if isinstance(v, str) else v or {} for k, v in found.items()}


def _watermark(value: Any) -> Any:
    return {"ours": value} if isinstance(value, str) else value


Keys = Annotated[dict[str, Expression], BeforeValidator(_expressions)]


class ReconcileEntry(BaseModel):
    """One item of `meta: dagster_agent: reconcile:`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    with_: OtherSide = Field(alias="with")
    """What it must agree with: a dbt name, a table of the warehouse, or one of `{duckdb: <path>,
    table: ...}`, `{target: <dbt target>, table: ...}`, `{csv: ...}`, `{parquet: ...}`, `{json:
    ...}`, `{api: {url: ..., ...}}`, `{asset: a/b}`, `{callable: package.module:function}`."""
    name: str | None = None
    """What a person calls it; the table's name by default."""
    key: Keys = Field(default_factory=dict)
    """Columns that identify a row: `id`, `[id, line]`, `{ours: their SQL}`, or `{id: {ours: SQL,
    theirs: SQL}}`. By default what dbt knows to be unique."""
    columns: Annotated[dict[str, Column], BeforeValidator(_expressions)] = Field(
        default_factory=dict
    )
    """Further columns whose values must agree row by row: `[a, b]`, `{ours: their SQL}`, or `{a:
    {ours: ..., theirs: ..., absolute: ..., relative: ...}}`."""
    measures: Annotated[dict[str, Measure], BeforeValidator(_expressions)] = Field(
        default_factory=dict
    )
    """Numeric columns to sum: `[amount]`, `{ours: their SQL}`, or `{amount: {theirs: ..., unit:
    EUR, absolute: ..., relative: ...}}`."""
    value: str | None = None
    """The measure that tells what is at stake; by default the first one with a `unit`."""
    metric: Metric | None = None
    """One number, or one per group, that both sides must agree on: `{ours: sum(amount), theirs:
    sum(minor) / 100.0, by: {ours: date(created_at), theirs: booked_on}}`."""
    grouped: Which | None = None
    """Where several rows form one of the other side (`theirs`: charges of an order): expressions
    of columns and measures are aggregates there, by the key."""
    filter: str | None = None
    """SQL condition on our rows."""
    with_filter: str | None = None
    """SQL condition on their rows."""
    segments: Keys = Field(default_factory=dict)
    """Columns with few values by which differences are told, `[country]`."""
    day: Keys = Field(default_factory=dict, max_length=1)
    """Column with a row's day or time, by which it is told where differences start."""
    closed: Closed | None = None
    """Compare only days, hours or months that are over."""
    watermark: Annotated[Watermark | None, BeforeValidator(_watermark)] = None
    """Compare only rows below the common watermark: `updated_at`, or `{ours: updated_at, theirs:
    changed}`. Rows in flight are counted, not reported."""
    sample: Sample | None = None
    """Compare the rows of a sample of the keys: `{rows: 10000}` or `{share: 0.01}`."""
    tolerance: Tolerance | Literal["learned"] = Tolerance()
    """For the number of rows and of differing keys: `{absolute: ...}`, `{relative: ...}`, or
    `learned` from what the differences used to be."""
    stop_early: bool = False
    """Whether equal counts and aggregates are enough, so that rows are compared only where these
    differ."""
