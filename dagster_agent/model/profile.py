"""Tables in numbers: aggregates of columns, distributions, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from dagster_agent.model.table import Relation

ProfileScope = Literal["whole", "sample", "facts"]
"""`whole`: every row was read; `sample`: a share of them; `facts`: none, the warehouse's own
catalogue was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How the values of one column are spread at one moment. Holds no value that may not leave."""

    column: str
    """Column name."""
    at: datetime
    """UTC."""
    kind: Literal["numeric", "category"]
    """Bins of numbers, or values of few kinds."""
    labels: tuple[str, ...]
    """Of bins: their upper edges, ascending, each bin with its edge, the last one `inf`; the same
    at every moment, so that counts can be compared label by label. Of categories: the values, and
    a hash (`#3fa9c1d2`) for those that may not leave; the commonest first."""
    counts: tuple[float, ...]
    """Rows by label; of numbers, rows of a sample. NULLs are in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """Aggregates of one column; a field is None where the type has no such aggregate, where it was
    left out for its cost, or where the value of a single row may not leave."""

    name: str
    """Column name."""
    type: str
    """Type in the warehouse's own words."""
    null_count: int
    """Rows in which the column is NULL."""
    distinct_estimate: int | None = None
    """Number of distinct values, approximate; `TableProfile.distinct_by` says by which means."""
    minimum: float | None = None
    """Smallest value, numeric columns only."""
    maximum: float | None = None
    """Largest value, numeric columns only."""
    sum: float | None = None
    """Sum, numeric columns only."""
    mean: float | None = None
    """Mean of the values that are not NULL, numeric columns only."""
    stddev: float | None = None
    """Standard deviation of the values that are not NULL, numeric columns only."""
    zero_count: int | None = None
    """Rows that are 0, numeric columns only."""
    not_finite_count: int = 0
    """Rows that are NaN, infinite or beyond 1e150; the other aggregates leave them out."""
    empty_count: int | None = None
    """Rows that are the empty text."""
    length: float | None = None
    """Mean length of texts in characters."""
    true_count: int | None = None
    """Rows that are true."""
    quantiles: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """`q05`, `q25`, `q50`, `q75`, `q95` of a sample, numeric columns only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """Aggregates of one table at one moment; holds no value of a text column."""

    relation: Relation
    """The profiled table."""
    row_count: int
    """Number of rows; of a sample, the rows of the whole table as far as they are known."""
    columns: tuple[ColumnProfile, ...]
    """In table order; none where only the catalogue was asked."""
    profiled_at: datetime
    """UTC."""
    scope: ProfileScope = "whole"
    """What was read."""
    rows_read: int | None = None
    """Rows that the aggregates of columns are made of; None: all of them."""
    bytes: int | None = None
    """Bytes stored, where the warehouse tells."""
    distinct_by: str = "hyperloglog"
    """How distinct values were counted: `hyperloglog` (about 4 % error) or `sample`."""
    distributions: tuple[Distribution, ...] = ()
    """Of numeric columns and of those with few values."""
    further: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """Metrics of keys, patterns, segments and the customer's own, by name."""
    last_altered: datetime | None = None
    """When the warehouse saw its data or definition change last, UTC."""
    notes: tuple[str, ...] = ()
    """What was left out or read in part, and why; a sentence each."""
    unmeasured: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Metrics that were asked for and could not be measured, each with the reason."""
    bytes_scanned: int | None = None
    """What the first statement reads, by the warehouse's own estimate."""
    seconds: float = 0.0
    """How long the statements took."""

    def metrics(self) -> Mapping[str, float]:
        """Flat metric series by name: `row_count`, `null_share.<column>`, `sum.<column>`,
        `share.<column>=<category>`, ...; a sample has no sums, extremes and distinct values, which
        grow with the rows that are read."""
        found: dict[str, float] = {"row_count": float(self.row_count)}
        if self.bytes is not None:
            found["bytes"] = float(self.bytes)
        rows = self.row_count if self.rows_read is None else self.rows_read
        for column in self.columns:
            found |= _column_metrics(column, rows, whole=self.scope == "whole")
        for distribution in self.distributions:
            if distribution.kind == "category" and (total := sum(distribution.counts)):
                for label, count in zip(distribution.labels, distribution.counts, strict=True):
                    found[f"share.{distribution.column}={label}"] = count / total
        return found | dict(self.further)


def _column_metrics(column: ColumnProfile, rows: int, *, whole: bool) -> dict[str, float]:
    name, filled = column.name, rows - column.null_count
    found: dict[str, float | None] = {
        f"mean.{name}": column.mean,
        f"stddev.{name}": column.stddev,
        f"length.{name}": column.length,
        **{f"{quantile}.{name}": value for quantile, value in column.quantiles.items()},
    }
    if whole:
        found |= {
            f"distinct.{name}": column.distinct_estimate,
            f"min.{name}": column.minimum,
            f"max.{name}": column.maximum,
            f"sum.{name}": column.sum,
        }
    if rows:
        found[f"null_share.{name}"] = column.null_count / rows
    if filled:
        found |= {
            f"zero_share.{name}": _share(column.zero_count, filled),
            f"empty_share.{name}": _share(column.empty_count, filled),
            f"true_share.{name}": _share(column.true_count, filled),
        }
    if filled and whole and column.distinct_estimate is not None:
        found[f"distinct_share.{name}"] = min(1.0, column.distinct_estimate / filled)
    return {metric: float(value) for metric, value in found.items() if value is not None}


def _share(count: int | None, of: int) -> float | None:
    return None if count is None else count / of
