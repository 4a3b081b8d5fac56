"""The rows of either side in a statement of one store."""

from __future__ import annotations

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.row_hash import materialized

SIDES = (("o", True), ("t", False))
"""Ends of names, and whether it is our side."""


def side_tables(pair: TablePair, columns: ComparedColumns) -> list[str]:
    """Common table expressions that `side_rows` needs.

    Rows are read as often as they are wanted, since a store skips what it need not read. But where
    hashes stand for many columns, making those anew costs more than keeping them: for 2,000 columns
    the planner alone takes twice as long.
    """
    if not any(column.hashed for column in columns.values):
        return []
    kept = materialized(pair.ours.warehouse.dialect)
    return [
        f"rows_{s} as {kept}(select {columns.selected(ours=ours)} from "
        f"{(pair.ours if ours else pair.theirs).rows_sql})"
        for s, ours in SIDES
    ]


def side_rows(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    """Keys and values of one side's rows, to stand after FROM; named `r`."""
    if side_tables(pair, columns):
        return f"rows_{'o' if ours else 't'} as r"
    side = pair.ours if ours else pair.theirs
    return f"(select {columns.selected(ours=ours)} from {side.rows_sql}) as r"
