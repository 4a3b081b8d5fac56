"""`Comparison`: all that a method may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dagster_agent.model import (
    Asset,
    ColumnSchema,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    Relation,
    ResultTable,
    Severity,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.aggregates import EXACT, PairAggregates
from dagster_agent.reconciliation.config import ReconciliationConfig, Tolerance
from dagster_agent.reconciliation.group_names import Mask
from dagster_agent.reconciliation.pairs import Pair, PairKind
from dagster_agent.reconciliation.row_comparison.landing import Landing
from dagster_agent.sql.identifiers import quote, relation_sql
from dagster_agent.sql.row_accounting import ScopeAccount
from dagster_agent.sql.scopes import SelectScope

History = Callable[[str], Sequence[MetricPoint]]
"""Points of a metric of the asset by its name, oldest first, those of now not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows that are left out of a comparison because they cannot agree yet."""

    told: tuple[str, ...] = ()
    """What was left out, and why."""
    metrics: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """Rows in flight, lag and the like, by name."""
    late: str = ""
    """That one side is further behind than it may be; empty when it is not."""
    nothing_left: str = ""
    """Why both sides have rows and none can be compared yet; empty when some can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledKeys:
    """Both sides take the keys whose hash is below a limit, so they take the same ones."""

    confidence: float
    """Of what is said about the others."""
    share: float | None = None
    """Of the keys."""
    rows: int | None = None
    """Or about so many of them."""

    def share_of(self, rows: int) -> float:
        """Share of so many rows; 1 where the sample is all of them."""
        return min(self.share if self.share is not None else (self.rows or 0) / max(rows, 1), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two tables that must agree."""

    label: str
    """What a person calls it."""
    warehouse: Warehouse
    """Where it is."""
    schema: TableSchema
    """The table as it is now, or the columns of `subquery`."""
    where: str | None = None
    """SQL condition on its rows: filters, windows and samples together."""
    expressions: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """SQL for a column of ours, where it is not the column of the same name."""
    types: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Types of those expressions that are no plain column, in the warehouse's words."""
    subquery: str | None = None
    """SELECT that yields its rows instead of the table, such as one row per key."""

    @property
    def source_sql(self) -> str:
        """What its rows are read from, to stand after FROM without a condition."""
        if self.subquery is not None:
            return f"({self.subquery}) as grouped_rows"
        return relation_sql(self.schema.relation, self.warehouse.dialect)

    @property
    def rows_sql(self) -> str:
        """Its rows, to stand after FROM."""
        return f"{self.source_sql} where ({self.where})" if self.where else self.source_sql

    def column(self, ours: str) -> ColumnSchema | None:
        """The column behind a name of ours; None for expressions whose type is not known."""
        wanted = self.expressions.get(ours, ours)
        found = self.schema.column(wanted)
        if found is None and ours in self.types:
            return ColumnSchema(name=wanted, type=self.types[ours])
        return found

    def sql(self, ours: str) -> str:
        """SQL for a column of ours on this side."""
        wanted = self.expressions.get(ours, ours)
        column = self.schema.column(wanted)
        return quote(column.name, self.warehouse.dialect) if column is not None else f"({wanted})"

    def restricted(self, condition: str) -> Side:
        """This side with one more condition on its rows."""
        return replace(self, where=f"({self.where}) and ({condition})" if self.where else condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPair:
    """One number per group on either side; names are keys of both sides' expressions."""

    ours: str
    """Our aggregate."""
    theirs: str
    """Their aggregate."""
    by_ours: str | None
    """Our group, SQL; None for one number of the whole table."""
    by_theirs: str | None
    """Their group."""
    tolerance: Tolerance
    """For each number."""
    unit: str = ""
    """Such as `EUR`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Two tables, and what must agree. Columns go by our names."""

    ours: Side
    """The asset."""
    theirs: Side
    """What it must agree with."""
    keys: tuple[str, ...] = ()
    """Columns that identify a row; () when unknown."""
    columns: Mapping[str, Tolerance] = field(default_factory=lambda: dict[str, Tolerance]())
    """Further columns whose values must agree row by row, and how far apart they may be."""
    measures: Mapping[str, Tolerance] = field(default_factory=lambda: dict[str, Tolerance]())
    """Numeric columns whose aggregates must agree."""
    tolerance: Tolerance = EXACT
    """For rows and keys."""
    inferred: bool = False
    """Nobody configured it: keys may be missing for good reasons, so their coverage is reported
    and only broken keys fail."""
    own_key: bool = False
    """The keys are what dbt knows to be unique in the asset."""
    segments: tuple[str, ...] = ()
    """Columns with few values by which differences are told."""
    day: str | None = None
    """Column with a row's day or time."""
    value: str | None = None
    """The measure that tells what is at stake."""
    unit: str = ""
    """Of that measure, such as `EUR`."""
    metric: MetricPair | None = None
    """Numbers that both sides must agree on."""
    learned: bool = False
    """The tolerance is what the differences used to be."""
    rows_asked: bool = True
    """Rows are compared even where counts and aggregates agree."""
    window: Window = Window()
    """What was left out of both sides, and why."""
    sample: SampledKeys | None = None
    """The share of the keys whose rows are compared; None: all."""

    @property
    def only_metric(self) -> bool:
        """Nothing but the metric must agree: the tables may be of any shape."""
        return self.metric is not None and not (self.keys or self.columns or self.measures)

    @property
    def suffix(self) -> str:
        """Ending of metric names, so that several pairs of an asset stay apart."""
        return "" if self.inferred else f".{self.theirs.label}"

    @property
    def one_store(self) -> bool:
        """Both are in the same warehouse, so that it can compare them by itself."""
        return self.ours.warehouse is self.theirs.warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccount:
    """A model's SQL, and where its rows come from and go, as of now."""

    sql: str
    """Compiled code."""
    subquery: str
    """The same as it may stand in parentheses: without comments and final semicolon."""
    scopes: tuple[SelectScope, ...]
    """What it says."""
    accounts: tuple[ScopeAccount, ...]
    """What it does, one per scope in the same order."""
    pairs: tuple[Pair, ...]
    """What it can be compared with."""
    unique_key: tuple[str, ...]
    """Output columns that dbt knows to be unique; () when unknown."""
    lookup_keys: Mapping[str, tuple[str, ...]]
    """Columns that dbt knows to be unique in each lookup, by dbt unique id."""
    columns: Mapping[Relation, Sequence[str]]
    """Columns of the tables it reads."""
    shown: frozenset[tuple[str, str]]
    """dbt unique id of a lookup and column, for the columns that the output copies from lookups;
    case folded."""
    warehouse: Warehouse
    """Where it runs."""
    stored: Relation | None
    """Its table; None for ephemeral models."""
    increment: bool
    """The SQL reads its own table: it yields the newest increment only."""
    expected_losses: Mapping[str, float]
    """Share of rows that the join to a lookup may drop by intention, by the lookup's name."""

    @property
    def driving(self) -> Pair | None:
        """The driving table, if there is one."""
        return next((p for p in self.pairs if p.kind is PairKind.DRIVING), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One asset with what it is compared with; either `account` or `tables` is given."""

    asset: Asset
    """The asset that is judged."""
    config: ReconciliationConfig
    """Thresholds."""
    now: datetime
    """UTC."""
    mask: Mask
    """For every sample that leaves."""
    account: ModelAccount | None = None
    """The model against the tables its own SQL reads."""
    tables: TablePair | None = None
    """The asset's table against another one."""
    aggregates: PairAggregates | None = None
    """Counts and aggregates of both tables, once they are read."""
    history: History | None = None
    """Earlier values of a metric of the asset, for learned thresholds."""
    landing: Landing | None = None
    """Where rows of different stores can be brought together."""
    expected_share: float | None = None
    """Share of the rows that may differ, by what the aggregates say; None when unknown."""
    pair: str = ""
    """Name of the configured pair, one of its own among the asset's; empty for what is inferred."""

    def detection(
        self,
        method: str,
        status: DetectionStatus,
        headline: str,
        *,
        severity: Severity = Severity.INFO,
        metrics: Mapping[str, float] | None = None,
        sample: ResultTable | None = None,
        evidence: tuple[Evidence, ...] = (),
        hint: str = "",
    ) -> Detection:
        """A result of the method with this id."""
        return Detection(
            detector=f"reconciliation/{method}",
            asset=self.asset.unique_id,
            status=status,
            headline=headline,
            observed_at=self.now,
            severity=severity,
            metrics=metrics or {},
            sample=sample,
            evidence=evidence,
            hint=hint,
            pair=self.pair,
        )
