"""Did a column change at its source, or on the way from there?"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dagster_agent.anomaly.profiling.daily import PREFIX, Days, read_days
from dagster_agent.anomaly.profiling.event_time import event_time
from dagster_agent.anomaly.profiling.kinds import measured_columns
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Asset, Detection, Evidence, Relation, ResultTable, TableSchema
from dagster_agent.ports import Warehouse

_DAYS_BEFORE = 14
"""Days before the shift that are looked at."""
_HOPS = 20
"""Most models between a column and its source."""
SHIFTING = frozenset({"null_share", "zero_share", "empty_share", "true_share", "mean"})
"""Metrics of a column that a copy of it has too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a column's values come from, unchanged."""

    asset: Asset
    """The table."""
    column: str
    """Its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A daily metric of a column that changed on a day."""

    kind: str
    """`null_share` and the like; one of `SHIFTING`."""
    column: str
    """Which column of the asset."""
    day: date
    """The first day of it."""
    before: float
    """Usual value before."""
    after: float
    """Value since."""


def shifts_of(summary: Detection) -> Iterator[Shift]:
    """The columns that the summary of a table's days calls unusual, the furthest first."""
    for row in summary.sample.records() if summary.sample else ():
        kind, _, column = str(row["metric"]).partition(".")
        since, before, after = row["unusual_since"], row["usual"], row["value"]
        if kind not in SHIFTING or not isinstance(since, datetime):
            continue
        if isinstance(before, float) and isinstance(after, float):
            yield Shift(kind=kind, column=column, day=since.date(), before=before, after=after)


def source_of(
    manifest: Manifest, asset: Asset, column: str, dialect: str, schema: SchemaOf
) -> Source | None:
    """The furthest table that a column is copied from; None where it is computed at once."""
    from dagster_agent.sql.lineage import column_origin

    found: Source | None = None
    for _ in range(_HOPS):
        sql = manifest.compiled_code(asset.unique_id)
        if sql is None:
            break
        read = [manifest.assets[uid] for uid in manifest.parents(asset.unique_id)]
        known = {
            parent.relation: [c.name for c in observed.columns]
            for parent in read
            if parent.relation and (observed := schema(parent.relation))
        }
        origin = column_origin(sql, dialect, column, columns=known)
        above = manifest.by_relation(origin[0]) if origin else None
        if origin is None or above is None or above.unique_id == asset.unique_id:
            break
        asset, column = above, origin[1]
        found = Source(asset=asset, column=column)
    return found


SchemaOf = Callable[[Relation], TableSchema | None]
"""Looks a table's schema up."""


def source_evidence(
    shift: Shift,
    source: Source,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    schema: SchemaOf,
    config: ProfilingConfig,
    now: datetime,
) -> Evidence | None:
    """Whether the source's column shifted on the same day; None where it has no days to tell.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    relation = source.asset.relation
    observed = schema(relation) if relation else None
    if relation is None or observed is None:
        return None
    columns = measured_columns(observed.columns, warehouse.dialect)
    declared = (manifest.time_column(source.asset.unique_id),)
    by = event_time(columns, configured=None, declared=declared)
    measured = [c for c in columns if c.name.casefold() == source.column.casefold()]
    if by is None or not measured:
        return None
    days = read_days(
        relation,
        measured,
        by,
        warehouse,
        since=shift.day - timedelta(days=_DAYS_BEFORE),
        now=now,
        config=config,
    )
    return _compared(shift, source, days, f"{PREFIX}{shift.kind}.{measured[0].name}")


def seen_at_source(shift: Shift, series: Mapping[date, float]) -> Shift | None:
    """The same shift in the source's own days; None where they show nothing of the kind.

    Args:
        shift: Of the model's column.
        series: The metric of the source's column by day.
    """
    levels = _levels(shift, series)
    if levels is None:
        return None
    was, became = levels
    moved, wanted = became - was, shift.after - shift.before
    same = moved * wanted > 0 and abs(moved) >= abs(wanted) / 2
    return replace(shift, before=was, after=became) if same else None


def _levels(shift: Shift, series: Mapping[date, float]) -> tuple[float, float] | None:
    before = [value for day, value in series.items() if day < shift.day]
    after = [value for day, value in series.items() if day >= shift.day]
    return (statistics.median(before), statistics.median(after)) if before and after else None


def _compared(shift: Shift, source: Source, days: Days, metric: str) -> Evidence | None:
    series = {day: found[metric] for day, found in days.metrics.items() if metric in found}
    levels = _levels(shift, series)
    if levels is None:
        return None
    was, became = levels
    same = seen_at_source(shift, series) is not None
    name = f"{source.asset.name}.{source.column}"
    numbers = f"{_told(shift.kind, was)} before {shift.day}, {_told(shift.kind, became)} since"
    statement = (
        f"{name}, which {shift.column} copies, shows the same ({shift.kind} {numbers}): "
        "it came with the source"
        if same
        else f"{name}, which {shift.column} copies, shows nothing of the kind ({shift.kind} "
        f"{numbers}): it happened on the way from there"
    )
    rows = tuple((day, round(value, 6)) for day, value in series.items())
    return Evidence(
        kind="profile",
        statement=statement,
        query=days.query,
        result=ResultTable(columns=("day", f"{shift.kind}.{source.column}"), rows=rows),
        source=source.asset.unique_id,
    )


def _told(kind: str, value: float) -> str:
    return f"{value:,.4g}" if kind == "mean" else f"{value:.1%}"
