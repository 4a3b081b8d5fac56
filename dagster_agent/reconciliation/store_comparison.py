"""Which keys two tables in different stores do not share: checksums first, then only what differs.

Each store adds up the hashes of its rows per bucket of keys. Where a bucket's sums agree, its rows
do; of the others, keys and row hashes are fetched, some buckets at a time, so that memory stays
bounded however large the tables are and however much differs. Exact but for collisions of 60 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConnectorError
from dagster_agent.model import Cell, ResultTable
from dagster_agent.reconciliation.canonical import hash_number, hash_sum, row_text
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.key_comparison import (
    KINDS,
    KeyDifference,
    canonical_text,
)

_PURPOSE = "key difference across stores"

Keys = dict[tuple[str, ...], tuple[int, int]]
"""Rows and hash sum by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """One table's numbers."""

    rows: int
    nulls: int
    keys: int
    duplicated: int
    query: str


def compare_across_stores(pair: TablePair, config: ReconciliationConfig) -> KeyDifference:
    """Compare two tables that no single statement can see.

    Raises:
        ConfigError: One of the dialects has no canonical forms yet.
        ConnectorError: As `Warehouse.query`; also when a table changed so much meanwhile that a
            bucket no longer fits into memory.
    """
    ours, theirs = _size(pair, pair.ours), _size(pair, pair.theirs)
    buckets = max(1, -(-max(ours.keys, theirs.keys) // config.bucket_rows))
    sums = [_checksums(pair, side, buckets) for side in (pair.ours, pair.theirs)]
    differing = sorted(b for b in {*sums[0], *sums[1]} if sums[0].get(b) != sums[1].get(b))
    sizes = {b: max(s[b][0] if b in s else 0 for s in sums) for b in differing}
    found: dict[str, int] = dict.fromkeys(("missing", "extra", "changed"), 0)
    examples: dict[str, list[tuple[Cell, ...]]] = {kind: [] for kind in found}
    for chunk in _chunks(sizes, config.fetch_rows):
        held = [_fetch(pair, s, buckets, chunk, config) for s in (pair.ours, pair.theirs)]
        for kind, key, rows_ours, rows_theirs in _differences(*held):
            found[kind] += 1
            if len(examples[kind]) < config.sample_rows:
                examples[kind].append((kind, *key, rows_ours, rows_theirs))
    return KeyDifference(
        rows_ours=ours.rows,
        rows_theirs=theirs.rows,
        null_ours=ours.nulls,
        null_theirs=theirs.nulls,
        keys_theirs=theirs.keys,
        duplicated_ours=ours.duplicated,
        duplicated_theirs=theirs.duplicated,
        query=ours.query,
        examples=ResultTable(
            columns=("difference", *pair.keys, "rows_ours", "rows_theirs"),
            rows=tuple(row for kind in KINDS for row in examples.get(kind, ())),
        ),
        **found,
    )


def _size(pair: TablePair, side: Side) -> _Size:
    nulls = " or ".join(f"{side.sql(key)} is null" for key in pair.keys)
    query = (
        f"select coalesce(sum(n), 0) as all_rows, "
        f"coalesce(sum(case when broken = 1 then n else 0 end), 0) as null_rows, "
        f"coalesce(sum(1 - broken), 0) as all_keys, "
        f"coalesce(sum(case when broken = 0 and n > 1 then 1 else 0 end), 0) as duplicated "
        f"from (select count(*) as n, max(broken) as broken from (select {_texts(pair, side)}, "
        f"case when {nulls} then 1 else 0 end as broken from {side.rows_sql}) as r "
        f"group by {_names(pair)}) as g"
    )
    (row,) = side.warehouse.query(query, purpose=_PURPOSE).rows
    rows, broken, keys, duplicated = (int(str(value)) for value in row)
    return _Size(rows=rows, nulls=broken, keys=keys, duplicated=duplicated, query=query)


def _checksums(pair: TablePair, side: Side, buckets: int) -> Mapping[int, tuple[int, int, int]]:
    """Keys, rows and hash sum by bucket."""
    total = hash_sum("v", side.warehouse.dialect)
    query = (
        f"select mod(kh, {buckets}) as bucket, count(distinct kh) as n, count(*) as all_rows, "
        f"{total} as h from ({_hashed(pair, side)}) as r group by mod(kh, {buckets})"
    )
    result = side.warehouse.query(query, purpose=_PURPOSE, max_rows=buckets)
    numbers = ([int(str(value)) for value in row] for row in result.rows)
    return {bucket: (keys, rows, total) for bucket, keys, rows, total in numbers}


def _chunks(sizes: Mapping[int, int], limit: int) -> Iterator[list[int]]:
    """Buckets in order, as many at a time as fit into memory."""
    chunk: list[int] = []
    held = 0
    for bucket, size in sizes.items():
        if chunk and held + size > limit:
            yield chunk
            chunk, held = [], 0
        chunk.append(bucket)
        held += size
    if chunk:
        yield chunk


def _fetch(
    pair: TablePair, side: Side, buckets: int, chunk: Sequence[int], config: ReconciliationConfig
) -> Keys:
    limit = config.fetch_rows + 10 * config.bucket_rows
    query = (
        f"select {_names(pair)}, count(*) as n, {hash_sum('v', side.warehouse.dialect)} as h "
        f"from ({_hashed(pair, side)}) as r where mod(kh, {buckets}) in "
        f"({', '.join(map(str, chunk))}) group by {_names(pair)}"
    )
    result = side.warehouse.query(query, purpose=_PURPOSE, max_rows=limit)
    if result.truncated:
        raise ConnectorError(
            f"{side.label} changed while it was compared", hint="try again", retryable=True
        )
    width = len(pair.keys)
    return {
        tuple(str(value) for value in row[:width]): (int(str(row[-2])), int(str(row[-1])))
        for row in result.rows
    }


def _differences(ours: Keys, theirs: Keys) -> Iterator[tuple[str, tuple[str, ...], int, int]]:
    for key in sorted({*ours, *theirs}):
        mine, other = ours.get(key), theirs.get(key)
        if mine != other:
            kind = "missing" if mine is None else "extra" if other is None else "changed"
            yield kind, key, mine[0] if mine else 0, other[0] if other else 0


def _hashed(pair: TablePair, side: Side) -> str:
    """Key texts, their hash kh, and the whole row's hash v, of the rows whose key has no NULL. The
    key is part of v: values that two rows have exchanged would not show in a sum otherwise."""
    dialect = side.warehouse.dialect
    present = " and ".join(f"{side.sql(key)} is not null" for key in pair.keys)
    keys = [canonical_text(pair, side, key) for key in pair.keys]
    values = [canonical_text(pair, side, column) for column in pair.columns]
    return (
        f"select {_texts(pair, side)}, {hash_number(row_text(keys), dialect)} as kh, "
        f"{hash_number(row_text([*keys, *values]), dialect)} as v "
        f"from {side.rows_sql} {'and' if side.where else 'where'} {present}"
    )


def _texts(pair: TablePair, side: Side) -> str:
    return ", ".join(
        f"{canonical_text(pair, side, key)} as k{i}" for i, key in enumerate(pair.keys)
    )


def _names(pair: TablePair) -> str:
    return ", ".join(f"k{i}" for i in range(len(pair.keys)))
