"""SQL that finds unequal rows by joining keys and hashes of both sides.

Several times cheaper than grouping rows by key, but a join is blind to rows that come several
times: twice here and once there match all the same. So it is only for keys of which a bitmap tells
where one comes twice; all rows of such buckets count as unmatched.
"""

from __future__ import annotations

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.buckets import Buckets
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.pairing import KEY_COUNTS, unequal_keys
from dagster_agent.reconciliation.row_comparison.row_hash import materialized, row_hash
from dagster_agent.reconciliation.row_comparison.sides import SIDES, side_rows


def matched_tables(
    pair: TablePair, columns: ComparedColumns, buckets: Buckets, *, chosen: str
) -> list[str]:
    """Common table expressions up to `key_counts`, `o` and `t`, as `pairing` reads them.

    Args:
        pair: The tables.
        columns: With at least one key.
        buckets: With an aggregate that tells keys apart.
        chosen: Condition on a row's bucket b.
    """
    kept = materialized(pair.ours.warehouse.dialect)
    return [
        *(
            f"hashed_{s} as {kept}({_hashed(pair, columns, buckets, ours, chosen)})"
            for s, ours in SIDES
        ),
        f"doubled as {kept}({_doubled(buckets)})",
        f"unmatched as {kept}({_unmatched(columns)})",
        *(f"drilled_{s} as {kept}({_rows(pair, columns, ours=ours)})" for s, ours in SIDES),
        unequal_keys(columns, pair.ours.warehouse.dialect),
        *(f"{s} as {kept}({_unequal(columns, s)})" for s, _ in SIDES),
    ]


def _hashed(
    pair: TablePair, columns: ComparedColumns, buckets: Buckets, ours: bool, chosen: str
) -> str:
    side = pair.ours if ours else pair.theirs
    hashed = row_hash((*columns.key_names, *columns.value_names), side.warehouse.dialect)
    listed = ", ".join(columns.key_names)
    return (
        f"select b, {listed}, {hashed} as h from (select *, {buckets.bucket} as b from "
        f"{side_rows(pair, columns, ours=ours)}) as placed "
        f"where {chosen}"
    )


def _doubled(buckets: Buckets) -> str:
    """Buckets in which a key comes twice on a side."""
    return " union all ".join(
        f"select b from hashed_{s} group by b having count(*) > {buckets.distinct}"
        for s, _ in SIDES
    )


def _unmatched(columns: ComparedColumns) -> str:
    """Keys of rows without an equal one, and all keys of doubled buckets."""
    keys = ", ".join(columns.key_names)
    either = ", ".join(f"coalesce(o.{k}, t.{k}) as {k}" for k in columns.key_names)
    same = " and ".join(f"o.{name} = t.{name}" for name in (*columns.key_names, "h"))
    doubled = "".join(
        f" union all select {keys} from hashed_{s} where b in (select b from doubled)"
        for s, _ in SIDES
    )
    return (
        f"select {either} from hashed_o as o full join hashed_t as t on {same} "
        f"where o.h is null or t.h is null{doubled}"
    )


def _rows(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    """Whole rows of the unmatched keys."""
    side = pair.ours if ours else pair.theirs
    hashed = row_hash((*columns.key_names, *columns.value_names), side.warehouse.dialect)
    same = " and ".join(f"x.{name} = r.{name}" for name in columns.key_names)
    return (
        f"select *, {hashed} as h from {side_rows(pair, columns, ours=ours)} where exists "
        f"(select 1 from unmatched as x where {same})"
    )


def _unequal(columns: ComparedColumns, side: str) -> str:
    """Those of them whose keys are not alike: rows of a doubled bucket may well be."""
    same = " and ".join(f"x.{name} = r.{name}" for name in columns.key_names)
    return (
        f"select * from drilled_{side} as r where exists (select 1 from {KEY_COUNTS} as x "
        f"where {same})"
    )
