"""Which keys two tables in the same warehouse do not share: one statement, nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.model import ResultTable
from dagster_agent.reconciliation.canonical import (
    MISSING,
    common_kind,
    hash_number,
    hash_sum,
    kind_of,
    row_text,
    value_text,
)
from dagster_agent.reconciliation.comparison import Side, TablePair

KINDS = ("missing", "extra", "changed", "duplicated", "duplicated there")
"""What can be wrong with a key; duplicated is meant in our table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDifference:
    """Where two tables differ by key. Keys with a NULL in them are counted as rows and not
    compared: NULL equals nothing."""

    rows_ours: int
    """Our rows."""
    rows_theirs: int
    """Their rows."""
    null_ours: int
    """Our rows whose key is NULL."""
    null_theirs: int
    """Their rows whose key is NULL."""
    keys_theirs: int
    """Different keys there."""
    duplicated_ours: int
    """Keys that several of our rows have."""
    duplicated_theirs: int
    """Keys that several of their rows have."""
    missing: int
    """Keys there that we lack."""
    extra: int
    """Keys of ours that are not there."""
    changed: int
    """Keys on both sides whose rows differ in number or in a compared column."""
    query: str
    """The statement that counted them; our side's where there are two."""
    examples: ResultTable
    """Columns `difference`, the keys, `rows_ours`, `rows_theirs`; not masked."""


def compare_keys(pair: TablePair, examples: int) -> KeyDifference:
    """Compare by one full join of both tables' keys.

    Args:
        pair: Two tables in one warehouse, with keys.
        examples: Keys shown of each kind of difference.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    warehouse = pair.ours.warehouse
    both = _both_sides(pair)
    query = f"{both} select {_totals()}"
    row = next(warehouse.query(query, purpose="key difference").records())
    found = {name: int(str(value or 0)) for name, value in row.items()}
    wanted = [kind for kind in KINDS if found[_column(kind)]] if examples else []
    keys = ", ".join(f"k{i}" for i in range(len(pair.keys)))
    listed = " union all ".join(
        f"(select '{kind}' as difference, {keys}, rows_ours, rows_theirs from paired "
        f"where {_CONDITIONS[kind]} order by {keys} limit {examples})"
        for kind in wanted
    )
    rows = warehouse.query(f"{both} {listed}", purpose="differing keys").rows if wanted else ()
    columns = ("difference", *pair.keys, "rows_ours", "rows_theirs")
    order = {kind: n for n, kind in enumerate(KINDS)}
    return KeyDifference(
        query=query,
        examples=ResultTable(
            columns=columns, rows=tuple(sorted(rows, key=lambda row: order[str(row[0])]))
        ),
        **{name: found[name] for name in found},
    )


_CONDITIONS = {
    "missing": "rows_ours is null",
    "extra": "rows_theirs is null",
    "changed": "rows_ours <> rows_theirs or hash_ours <> hash_theirs",
    "duplicated": "rows_ours > 1",
    "duplicated there": "rows_theirs > 1",
}


def _column(kind: str) -> str:
    return {"duplicated": "duplicated_ours", "duplicated there": "duplicated_theirs"}.get(
        kind, kind
    )


def _totals() -> str:
    def counted(condition: str) -> str:
        return f"(select count(*) from paired where {condition})"

    parts = {_column(kind): counted(condition) for kind, condition in _CONDITIONS.items()}
    parts["keys_theirs"] = counted("rows_theirs is not null")
    for side in ("ours", "theirs"):
        parts[f"rows_{side}"] = f"(select coalesce(sum(n), 0) from {side})"
        parts[f"null_{side}"] = f"(select coalesce(sum(n), 0) from {side} where broken = 1)"
    return ", ".join(f"{sql} as {name}" for name, sql in parts.items())


def _both_sides(pair: TablePair) -> str:
    keys = [f"k{i}" for i in range(len(pair.keys))]
    chosen = ", ".join(f"coalesce(o.{k}, t.{k}) as {k}" for k in keys)
    equal = " and ".join(f"o.{k} = t.{k}" for k in keys)
    return (
        f"with ours as ({_grouped(pair, pair.ours)}), theirs as ({_grouped(pair, pair.theirs)}), "
        f"paired as (select {chosen}, o.n as rows_ours, t.n as rows_theirs, o.h as hash_ours, "
        f"t.h as hash_theirs from (select * from ours where broken = 0) as o "
        f"full join (select * from theirs where broken = 0) as t on {equal})"
    )


def _grouped(pair: TablePair, side: Side) -> str:
    """Key columns k0, k1, ..., rows n, hash sum h, and broken = 1 where a key is NULL."""
    keys = [_key(pair, side, key) for key in pair.keys]
    names = [f"k{i}" for i in range(len(keys))]
    selected = ", ".join(f"{sql} as {name}" for sql, name in zip(keys, names, strict=True))
    null = " or ".join(f"{name} is null" for name in names)
    grouped = ", ".join(names)
    return (
        f"select {grouped}, count(*) as n, {hash_sum('v', side.warehouse.dialect)} as h, "
        f"max(case when {null} then 1 else 0 end) as broken from "
        f"(select {selected}, {_values(pair, side)} as v from {side.rows_sql}) as r "
        f"group by {grouped}"
    )


def canonical_text(pair: TablePair, side: Side, column: str) -> str:
    """Text of a column that is equal on both sides where the values are."""
    ours, theirs = pair.ours.column(column), pair.theirs.column(column)
    kind = common_kind(
        kind_of(ours.type) if ours else None, kind_of(theirs.type) if theirs else None
    )
    return value_text(side.sql(column), kind, side.warehouse.dialect)


def _key(pair: TablePair, side: Side, key: str) -> str:
    """A key column: as it is where the types are equal, else as canonical text."""
    ours, theirs = pair.ours.column(key), pair.theirs.column(key)
    if ours is not None and theirs is not None and ours.type == theirs.type:
        return side.sql(key)
    return f"nullif({canonical_text(pair, side, key)}, {MISSING})"


def _values(pair: TablePair, side: Side) -> str:
    """A hash number of the compared columns; 0 where there are none."""
    if not pair.columns:
        return "0"
    texts = [canonical_text(pair, side, column) for column in pair.columns]
    return hash_number(row_text(texts), side.warehouse.dialect)
