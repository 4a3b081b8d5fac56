"""From what the team wrote to a pair of tables that can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import MetricPair, SampledKeys, Side, TablePair
from dagster_agent.reconciliation.config import Tolerance
from dagster_agent.reconciliation.described import condition, schema_of, types_of
from dagster_agent.reconciliation.entries import label_of, near
from dagster_agent.reconciliation.entry import Expression, ReconcileEntry
from dagster_agent.reconciliation.grouping import grouped
from dagster_agent.reconciliation.truths import OpenStore
from dagster_agent.reconciliation.windows import below_watermark, closed
from dagster_agent.sql.identifiers import parse_relation

_WORD = re.compile(r"^\w+$")


def table_pair(
    entry: ReconcileEntry,
    asset: Asset,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    open_store: OpenStore | None,
    now: datetime,
) -> TablePair:
    """Find both tables, check every column that is named, and leave out what cannot agree yet.

    Raises:
        ConfigError: Unknown table or column; near matches are named. Also when a table that should
            be there is not, or a condition or an expression is no SQL.
        ConnectorError: A store does not answer.
    """
    if asset.relation is None:
        raise ConfigError(
            f"{asset.name} is ephemeral: it has no table", hint="reconcile its reader"
        )
    theirs_at, relation = _other_side(entry, asset, manifest, warehouse, open_store)
    label = label_of(entry, manifest, warehouse.dialect)
    ours = schema_of(warehouse, asset.relation, asset.name)
    theirs = schema_of(theirs_at, relation, label)
    key = entry.key
    if not key and entry.metric is None:
        key = _shared_key(manifest.unique_key(asset.unique_id), ours, theirs)
    if entry.grouped and not key:
        raise ConfigError(
            f"`grouped` of {asset.name} has no key to group by", hint="name the `key` of the pair"
        )
    mine = Side(
        label=asset.name,
        warehouse=warehouse,
        schema=ours,
        where=condition(entry.filter, "filter", warehouse.dialect),
    )
    other = Side(
        label=label,
        warehouse=theirs_at,
        schema=theirs,
        where=condition(entry.with_filter, "with_filter", theirs_at.dialect),
    )
    pair = _pair(entry, key, mine, other)
    pair = closed(pair, entry.closed, now) if entry.closed else pair
    pair = below_watermark(pair, entry.watermark) if entry.watermark else pair
    return grouped(pair, entry)


def _pair(
    entry: ReconcileEntry, key: Mapping[str, Expression], mine: Side, other: Side
) -> TablePair:
    per_row = {**key, **entry.segments, **entry.day}
    named = {**per_row, **entry.columns, **entry.measures}
    ours, theirs = _sides(per_row, named, entry, mine, other)
    value = entry.value or next((name for name, m in entry.measures.items() if m.unit), None)
    if value is not None and value not in entry.measures:
        raise ConfigError(
            f"`value` of {mine.label} is {value!r}, which is no measure of the pair",
            hint=near(value, entry.measures) if entry.measures else "name it in `measures`",
        )
    learned = entry.tolerance == "learned"
    unit = entry.measures[value].unit if value else None
    return TablePair(
        ours=ours,
        theirs=theirs,
        keys=tuple(key),
        columns={name: _tolerance(column) for name, column in entry.columns.items()},
        measures={name: _tolerance(measure) for name, measure in entry.measures.items()},
        tolerance=entry.tolerance if isinstance(entry.tolerance, Tolerance) else Tolerance(),
        segments=tuple(entry.segments),
        day=next(iter(entry.day), None),
        value=value,
        unit=unit or "",
        metric=_metric(entry),
        learned=learned,
        rows_asked=_rows_asked(entry),
        sample=SampledKeys(**entry.sample.model_dump()) if entry.sample else None,
    )


def _sides(
    per_row: Mapping[str, Expression],
    named: Mapping[str, Expression],
    entry: ReconcileEntry,
    mine: Side,
    other: Side,
) -> tuple[Side, Side]:
    """Both sides with their expressions; of grouped sides those of keys, segments and days only."""
    found: list[Side] = []
    for which, side in (("ours", mine), ("theirs", other)):
        wanted = per_row if entry.grouped in (which, "both") else named
        expressions = {name: _sql_of(which, name, wanted[name]) for name in wanted}
        for name, sql in expressions.items():
            given = named[name].ours is not None or named[name].theirs is not None
            if _WORD.match(sql) and side.schema.column(sql) is None:
                _refuse_unknown(side, sql, given=given)
        loose = {n: sql for n, sql in expressions.items() if side.schema.column(sql) is None}
        types = types_of(side.warehouse, side.source_sql, loose, side.label)
        found.append(replace(side, expressions=expressions, types=types))
    return found[0], found[1]


def _sql_of(which: str, name: str, expression: Expression) -> str:
    if which == "ours":
        return expression.ours or name
    return expression.theirs or expression.ours or name


def _refuse_unknown(side: Side, name: str, *, given: bool) -> None:
    names = [column.name for column in side.schema.columns]
    more = "" if given else "; to compare it with another column write `{ours: theirs}`"
    raise ConfigError(f"{side.label} has no column {name!r}", hint=near(name, names) + more)


def _rows_asked(entry: ReconcileEntry) -> bool:
    """Whether equal counts and aggregates are not enough."""
    if entry.stop_early:
        return False
    only_numbers = bool(entry.measures or entry.metric) and not entry.columns and not entry.key
    return not only_numbers


def _metric(entry: ReconcileEntry) -> MetricPair | None:
    wanted = entry.metric
    if wanted is None:
        return None
    by = wanted.by or Expression()
    return MetricPair(
        ours=wanted.ours,
        theirs=wanted.theirs,
        by_ours=by.ours or by.theirs,
        by_theirs=by.theirs or by.ours,
        tolerance=_tolerance(wanted),
        unit=wanted.unit or "",
    )


def _tolerance(given: Tolerance) -> Tolerance:
    return Tolerance(absolute=given.absolute, relative=given.relative)


def _shared_key(
    names: tuple[str, ...], ours: TableSchema, theirs: TableSchema
) -> Mapping[str, Expression]:
    """What dbt knows to be unique, if both tables have such columns."""
    shared = all(side.column(name) is not None for name in names for side in (ours, theirs))
    return {name: Expression() for name in names} if shared else {}


def _other_side(
    entry: ReconcileEntry,
    asset: Asset,
    manifest: Manifest,
    warehouse: Warehouse,
    open_store: OpenStore | None,
) -> tuple[Warehouse, Relation]:
    """Store and table of the other side."""
    wanted = entry.with_
    if not isinstance(wanted, str):
        if open_store is None:
            raise ConfigError(
                f"{asset.name} is reconciled with {wanted.label!r}, which cannot be opened here",
                hint="run it where the project's settings are known",
            )
        return open_store(wanted)
    try:
        other = manifest.find(wanted)
    except ConfigError:
        if "." not in wanted:
            raise
        return warehouse, parse_relation(wanted, warehouse.dialect)
    if other.relation is None:
        raise ConfigError(f"{other.name} is ephemeral: it has no table", hint="name another")
    return warehouse, other.relation
