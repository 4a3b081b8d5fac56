"""A look at a few stretches of keys, before a plan is chosen for tables never compared before.

It tells how densely keys lie and how much differs. No answer depends on it, only the cost: buckets
of the wrong size cost several times a scan of both tables, and a look a hundredth of one.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.row_hash import row_hash
from dagster_agent.reconciliation.row_comparison.store import Journal

FROM_ROWS = 200_000
"""Smaller tables are read twice for less than a look costs."""
_STRETCHES = 8
_ROWS = 20_000
"""Seen in all, about."""
_FEWEST = 1_000
"""Too few rows to judge by: keys lie in heaps, and the stretches missed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a few stretches of keys look like."""

    width: int
    """Integers in one stretch."""
    dense: int
    """Rows in one, as a row sees it: empty stretches count for nothing."""
    share: float
    """Of the rows seen, those whose keys differ or come twice."""


def glance(
    pair: TablePair, columns: ComparedColumns, rows: int, low: int, span: int, journal: Journal
) -> Glance | None:
    """Look at tables in DuckDB whose only key is a plain integer column.

    Args:
        pair: The tables.
        columns: With that key.
        rows: Of the larger table.
        low: The smallest key.
        span: Integers from there to the largest.
        journal: Remembers the statement.

    Returns:
        None where too few rows were seen.
    """
    step = max(1, span // _STRETCHES)
    width = min(step, max(1, span * _ROWS // (rows * _STRETCHES)))
    starts = [low + number * step + (step - width) // 2 for number in range(_STRETCHES)]
    key = columns.keys[0]
    both = " union all ".join(
        f"select k0, {a} as a, {row_hash((*columns.key_names, *columns.value_names), 'duckdb')} "
        f"as h from (select {columns.selected(ours=ours)} from "
        f"{_within(side, sql, starts, width).rows_sql}) as r"
        for side, sql, a, ours in (
            (pair.ours, key.ours, "1", True),
            (pair.theirs, key.theirs, "null", False),
        )
    )
    keys = (
        f"select (k0 - {low}) // {step} as s, greatest(count(a), count(*) - count(a)) as n, "
        "count(*) <> 2 or count(a) <> 1 or bit_xor(h) <> 0 as differs "
        f"from ({both}) as both_sides group by k0"
    )
    seen = journal.numbers(
        pair.ours.warehouse,
        "select sum(n) as n, sum(differing) as differing, "
        "cast(sum(n * n) / sum(n) as bigint) as dense from (select s, sum(n) as n, "
        "sum(case when differs then n else 0 end) as differing "
        f"from ({keys}) as keys group by s) as stretches",
    )
    if seen["n"] < min(_FEWEST, rows):
        return None
    return Glance(width=width, dense=max(1, seen["dense"]), share=seen["differing"] / seen["n"])


def _within(side: Side, key: str, starts: list[int], width: int) -> Side:
    """Ranges, unlike a remainder, let a store skip what lies elsewhere."""
    return side.restricted(
        " or ".join(f"{key} between {start} and {start + width - 1}" for start in starts)
    )
