"""`Comparison`: all that a method may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dagster_agent.model import (
    Asset,
    ColumnSchema,
    Detection,
    DetectionStatus,
    Evidence,
    Relation,
    ResultTable,
    Severity,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.config import ReconciliationConfig, Tolerance
from dagster_agent.reconciliation.pairs import Pair, PairKind
from dagster_agent.sql.identifiers import quote, relation_sql
from dagster_agent.sql.row_accounting import ScopeAccount
from dagster_agent.sql.scopes import SelectScope

Mask = Callable[[ResultTable], ResultTable]
"""Hides the values of a small table that may not leave the warehouse."""


EXACT = Tolerance()
"""No difference is tolerated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two tables that must agree."""

    label: str
    """What a person calls it."""
    warehouse: Warehouse
    """Where it is."""
    schema: TableSchema
    """The table as it is now."""
    where: str | None = None
    """SQL condition on its rows."""
    expressions: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """SQL for a column of ours, where it is not the column of the same name."""

    @property
    def rows_sql(self) -> str:
        """Its rows, to stand after FROM."""
        table = relation_sql(self.schema.relation, self.warehouse.dialect)
        return f"{table} where ({self.where})" if self.where else table

    def column(self, ours: str) -> ColumnSchema | None:
        """The column behind a name of ours; None for expressions."""
        return self.schema.column(self.expressions.get(ours, ours))

    def sql(self, ours: str) -> str:
        """SQL for a column of ours on this side."""
        column = self.column(ours)
        if column is not None:
            return quote(column.name, self.warehouse.dialect)
        return f"({self.expressions.get(ours, ours)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Two tables, and what must agree. Columns go by our names."""

    ours: Side
    """The asset."""
    theirs: Side
    """What it must agree with."""
    keys: tuple[str, ...] = ()
    """Columns that identify a row; () when unknown."""
    columns: tuple[str, ...] = ()
    """Further columns whose values must agree row by row."""
    measures: Mapping[str, Tolerance] = field(default_factory=lambda: dict[str, Tolerance]())
    """Numeric columns whose aggregates must agree."""
    tolerance: Tolerance = EXACT
    """For rows and keys."""
    inferred: bool = False
    """Nobody configured it: keys may be missing for good reasons, so their coverage is reported
    and only broken keys fail."""
    own_key: bool = False
    """The keys are what dbt knows to be unique in the asset."""

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
        )
