"""Two stores, a fast line: the rows are streamed into one private place and compared there.

What is fetched is already in the form in which both sides compare, so the place holds tables of
plain integers, doubles and texts. Only rows of interest need to come: filters stand in the sides.
"""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.model import Relation, TableSchema
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns, landed_columns
from dagster_agent.reconciliation.row_comparison.difference import RowDifference
from dagster_agent.reconciliation.row_comparison.landing import LandedTables
from dagster_agent.reconciliation.row_comparison.same_store import compare_in_store
from dagster_agent.reconciliation.row_comparison.store import Journal

TABLES = ("ours", "theirs")
"""Names of the landed tables."""


def rows_sql(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    """SELECT of one side's rows in the form in which they compare."""
    side = pair.ours if ours else pair.theirs
    return f"select {columns.selected(ours=ours)} from {side.rows_sql}"


def compare_streamed(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    place: LandedTables,
    journal: Journal,
    *,
    expected_share: float | None,
) -> RowDifference:
    """Fetch both sides and compare them; arguments as of `comparing.compare_rows`.

    Args:
        pair: The tables.
        columns: Not native ones.
        config: As there.
        place: Empty so far.
        journal: Remembers the statements.
        expected_share: As there.
    """
    ours, theirs = (rows_sql(pair, columns, ours=ours) for ours in (True, False))
    journal.land(
        place,
        (TABLES[0], pair.ours.warehouse, ours),
        (TABLES[1], pair.theirs.warehouse, theirs),
    )
    return compare_landed(pair, columns, config, place, expected_share=expected_share)


def compare_landed(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    place: LandedTables,
    *,
    expected_share: float | None,
) -> RowDifference:
    """Compare what has been landed in the tables `ours` and `theirs`."""

    def landed(name: str, side: Side) -> Side:
        relation = Relation(name=name)
        return Side(
            label=side.label,
            warehouse=place.warehouse,
            schema=TableSchema(relation=relation, columns=()),
        )

    inside = replace(
        pair,
        ours=landed(TABLES[0], pair.ours),
        theirs=landed(TABLES[1], pair.theirs),
    )
    return compare_in_store(
        inside, config, expected_share=expected_share, columns=landed_columns(columns)
    )
