"""`profile_table`: a table in numbers, within a budget, and no text value leaves the warehouse.

One statement reads the table: counts, NULLs, zeros, empty texts, distinct values by HyperLogLog,
smallest, largest, sum, mean and deviation of every row; quantiles and histograms of a block sample.
A second counts the values of columns that have few. At first sight a third cuts the histograms.

Sources: the plan with the least cost of those measured on 10 million rows (one SELECT, sampled
quantiles, sketches, top values of low-cardinality columns only); distinct values from a sample by
the estimator Duj1 of Haas and Stokes 1998, as PostgreSQL's ANALYZE does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dagster_agent.anomaly.profiling.aggregates import column_profile, number, spread_out, whole
from dagster_agent.anomaly.profiling.budget import Allowance, Cost, allowance
from dagster_agent.anomaly.profiling.categories import category_distributions, low_cardinality
from dagster_agent.anomaly.profiling.further import further_metrics
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.histogram import (
    edges_of,
    first_histograms,
    known_edges,
    numeric_distribution,
)
from dagster_agent.anomaly.profiling.kinds import MeasuredColumn, measured_columns
from dagster_agent.anomaly.profiling.statement import Extent, Statement, statements
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.errors import ConfigError
from dagster_agent.model import (
    Cell,
    ColumnProfile,
    Distribution,
    Relation,
    TableFacts,
    TableProfile,
    TableSchema,
)
from dagster_agent.ports import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a table before it is measured."""

    key: Sequence[str] = ()
    """Columns that identify a row."""
    personal: Collection[str] = ()
    """Columns with personal data whatever they are called."""
    facts: TableFacts | None = None
    """What the catalogue says; asked for where it is None."""
    distributions: Mapping[str, Distribution] = field(
        default_factory=lambda: dict[str, Distribution]()
    )
    """The last ones by column; new histograms are cut alike."""
    cost: Cost | None = None
    """What reading it whole took when that was last done."""
    by_day: bool = False
    """Its closed days are measured apart, so that it need not be read whole when it is large."""


def profile_table(
    relation: Relation,
    schema: TableSchema,
    warehouse: Warehouse,
    now: datetime,
    *,
    config: ProfilingConfig | None = None,
    known: Known | None = None,
) -> TableProfile:
    """Measure a table.

    Sums are floating-point. What may be the value of a single row (smallest, largest, quantiles) is
    left out of columns that hold personal data; their categories are told as hashes.

    Args:
        relation: The table, as it is to be queried.
        schema: Its columns.
        warehouse: Where it is.
        now: UTC.
        config: What to measure, and what it may cost.
        known: What is known of it before.

    Raises:
        ConnectorError: As `Warehouse.query`.
        ConfigError: The budget forbids to read it, and the catalogue does not know its rows.
    """
    started = time.monotonic()
    config, known = config or ProfilingConfig(), known or Known()
    facts = known.facts or warehouse.facts([relation]).get(relation)
    columns = measured_columns(schema.columns, warehouse.dialect, personal=known.personal)
    run = _Run(
        warehouse=warehouse,
        grammar=Grammar(warehouse.dialect),
        config=config,
        deep=columns[: config.max_columns],
        shallow=columns[config.max_columns :],
        edges=known_edges(known.distributions),
        now=now,
    )
    view = schema.kind == "view"
    scanned = _scanned(relation, facts, run)
    rows = _row_count(relation, facts, scanned, run)
    allowed = allowance(facts, scanned, rows, view=view, last=known.cost, config=config)
    if known.by_day and rows > config.incremental_rows:
        note = f"measured by closed days only: {rows:,} rows are more than incremental_rows"
        allowed = Allowance(scope="facts", note=note)
    profile = TableProfile(
        relation=relation,
        row_count=rows,
        columns=(),
        profiled_at=now,
        scope=allowed.scope,
        bytes=facts.bytes if facts else None,
        last_altered=facts.last_altered if facts else None,
        bytes_scanned=scanned,
        notes=tuple(_notes(allowed, facts, run)),
    )
    if allowed.scope == "facts":
        return profile
    return _measured(profile, run, _extent(relation, view, rows, allowed, run), known, started)


def _extent(relation: Relation, view: bool, rows: int, allowed: Allowance, run: _Run) -> Extent:
    share = min(1.0, run.config.sample_rows / rows) if rows else 1.0
    return Extent(
        relation=_sql(relation, run),
        view=view,
        share=min(share, allowed.share),
        sample_only=allowed.scope == "sample",
    )


def _sql(relation: Relation, run: _Run) -> str:
    from dagster_agent.sql.identifiers import relation_sql

    return relation_sql(relation, run.grammar.dialect)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What stays the same for all statements of one profile."""

    warehouse: Warehouse
    grammar: Grammar
    config: ProfilingConfig
    deep: Sequence[MeasuredColumn]
    shallow: Sequence[MeasuredColumn]
    edges: Mapping[str, Sequence[float]]
    now: datetime

    def statements(self, extent: Extent) -> Iterator[Statement]:
        return statements(self.deep, self.shallow, extent, self.grammar, self.edges)


@dataclass(slots=True)
class _Read:
    """Results of the statements so far."""

    rows: int = 0
    values: dict[str, dict[str, Cell]] = field(default_factory=lambda: dict[str, dict[str, Cell]]())
    profiles: dict[str, ColumnProfile] = field(default_factory=lambda: dict[str, ColumnProfile]())


def _measured(
    profile: TableProfile, run: _Run, extent: Extent, known: Known, started: float
) -> TableProfile:
    read = _Read()
    for statement in run.statements(extent):
        _run_statement(statement, run, read, profile, sample_only=extent.sample_only)
    sketched = run.grammar.distinct("x") is not None
    profile = replace(
        profile,
        row_count=profile.row_count if extent.sample_only else read.rows,
        rows_read=read.rows if extent.sample_only else None,
        columns=tuple(read.profiles.values()),
        distinct_by="hyperloglog" if sketched else "sample",
        distributions=tuple(_histograms(run, read)),
    )
    if time.monotonic() - started > run.config.max_seconds:
        skipped = f"it took more than max_seconds ({run.config.max_seconds:g}) already"
        note = f"categories, keys, segments and own metrics were left out: {skipped}"
        return _finished(replace(profile, notes=(*profile.notes, note)), started)
    profile = _with_further(profile, run, extent, known, read)
    return _finished(profile, started)


def _finished(profile: TableProfile, started: float) -> TableProfile:
    return replace(profile, seconds=time.monotonic() - started)


def _run_statement(
    statement: Statement, run: _Run, read: _Read, profile: TableProfile, *, sample_only: bool
) -> None:
    purpose = f"profile {profile.relation}"
    (row,) = run.warehouse.query(statement.sql, purpose=purpose, max_rows=1).rows
    rows = whole(row[0]) or 0
    values: dict[str, dict[str, Cell]] = {}
    for output, cell in zip(statement.outputs, row[1:], strict=True):
        values.setdefault(output.column, {})[output.field] = cell
    sampled = rows if sample_only else whole(values.pop("", {}).get("sampled")) or 0
    values = {column: spread_out(found) for column, found in values.items()}
    read.rows = read.rows or rows
    read.values |= values
    for column in statement.columns:
        found = values.get(column.name, {})
        distinct = _distinct(found, sampled, rows if not sample_only else profile.row_count)
        read.profiles[column.name] = column_profile(column, found, rows, distinct=distinct)


def _distinct(values: Mapping[str, Cell], sampled: int, rows: int) -> int | None:
    """Values of the whole table from those of a sample: Duj1."""
    different, once = number(values.get("different")), number(values.get("once"))
    if different is None or once is None:
        return None
    if not sampled or rows <= sampled:
        return int(different)
    return round(sampled * different / (sampled - once + once * sampled / rows))


def _histograms(run: _Run, read: _Read) -> Iterator[Distribution]:
    for column in run.deep:
        if edges := run.edges.get(column.name):
            found = numeric_distribution(column.name, edges, read.values[column.name], run.now)
            yield from filter(None, [found])


def _with_further(
    profile: TableProfile, run: _Run, extent: Extent, known: Known, read: _Read
) -> TableProfile:
    fresh = [c for c in run.deep if c.name not in run.edges]
    few = low_cardinality(fresh, read.profiles, read.rows, run.config.max_categories)
    categories = category_distributions(
        few,
        extent,
        run.grammar,
        run.warehouse,
        most=run.config.max_categories,
        combinations=math.prod((read.profiles[c.name].distinct_estimate or 0) + 1 for c in few),
        now=run.now,
    )
    edges = {c.name: edges_of(read.values.get(c.name, {})) for c in fresh if c not in few}
    histograms = first_histograms(edges, fresh, extent, run.grammar, run.warehouse, run.now)
    profile = replace(profile, distributions=(*profile.distributions, *histograms, *categories))
    config = run.config
    if extent.sample_only:
        asked = config.segments or config.patterns or config.custom_metrics or known.key
        note = "a sample has no metrics of keys, patterns, segments and your own"
        return replace(profile, notes=(*profile.notes, note)) if asked else profile
    metrics, failed = further_metrics(
        extent, run.deep, run.grammar, run.warehouse, config=config, key=known.key
    )
    return replace(profile, further=metrics, unmeasured=failed)


def _scanned(relation: Relation, facts: TableFacts | None, run: _Run) -> int | None:
    """Bytes that reading all columns once takes; not asked for where the table is small."""
    stored = facts.bytes if facts else None
    columns = (*run.deep, *run.shallow)
    if not columns or (stored is not None and stored <= run.config.max_bytes_per_profile):
        return None
    names = ", ".join(run.grammar.name(column.name) for column in columns)
    return run.warehouse.bytes_scanned(f"SELECT {names} FROM {_sql(relation, run)}")


def _row_count(relation: Relation, facts: TableFacts | None, scanned: int | None, run: _Run) -> int:
    if facts is not None and facts.row_count is not None:
        return facts.row_count
    budget = run.config.max_bytes_per_profile
    if budget == 0 or (scanned is not None and scanned > budget):
        raise ConfigError(
            f"{relation} was not read: max_bytes_per_profile is {budget:,}, and "
            f"{run.warehouse.name} does not know its rows without reading it",
            hint="raise max_bytes_per_profile of its profiling settings",
        )
    sql = f"SELECT count(*) AS n FROM {_sql(relation, run)}"
    return whole(run.warehouse.query(sql, purpose="count rows", max_rows=1).scalar()) or 0


def _notes(allowed: Allowance, facts: TableFacts | None, run: _Run) -> Iterator[str]:
    if allowed.note:
        yield allowed.note
    if allowed.scope != "whole" and facts is not None and not facts.exact:
        yield "the number of rows is the catalogue's estimate"
    if run.shallow:
        yield (
            f"of {len(run.shallow)} columns only NULLs were counted: max_columns is "
            f"{run.config.max_columns}"
        )
