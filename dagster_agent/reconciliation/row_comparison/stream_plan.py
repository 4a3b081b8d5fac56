"""Two stores, a fast line: the rows are streamed into one private place and compared there.

Where the place has one of the stores beside itself, only the other one's rows are streamed. Rows
are hashed while they come, so that keys and hashes tell which few rows are to be read once more.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dagster_agent.model import TableSchema
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.bucket_plan import unique_keys
from dagster_agent.reconciliation.row_comparison.columns import (
    ComparedColumn,
    ComparedColumns,
    landed_columns,
)
from dagster_agent.reconciliation.row_comparison.difference import PlanChosen, RowDifference
from dagster_agent.reconciliation.row_comparison.hashed_rows import (
    DIFFERING,
    HashedTotals,
    differing_keys,
    repeated_keys,
)
from dagster_agent.reconciliation.row_comparison.landing import LandedTables
from dagster_agent.reconciliation.row_comparison.result import difference_of, equal_result
from dagster_agent.reconciliation.row_comparison.row_hash import row_hash
from dagster_agent.reconciliation.row_comparison.same_store import compare_in_store
from dagster_agent.reconciliation.row_comparison.sending import arrived_sql, sent_sql
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.sql.identifiers import relation_sql

TABLES = ("ours", "theirs")
"""Names of the landed tables."""
_MANY = 0.3
"""Share of the keys that differ from which all rows are compared at once."""


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
    """Fetch the rows and compare them; arguments as of `comparing.compare_rows`.

    Args:
        pair: The tables.
        columns: Not native ones.
        config: As there.
        place: Empty so far.
        journal: Remembers the statements.
        expected_share: As there.
    """
    hashed = _hashed(pair, columns, place, journal)
    if not columns.keys:
        return compare_landed(pair, columns, config, place, expected_share=expected_share)
    totals = differing_keys(place, columns, config, hashed)
    if totals.differing > _MANY * max(totals.rows):
        return compare_landed(pair, columns, config, place, expected_share=1.0)
    found = difference_of(
        equal_result({}, columns), plan=PlanChosen(name="stream", reason=""), queries=()
    )
    if totals.differing:
        found = _of_differing(pair, columns, config, place, journal)
    return _whole(pair, columns, found, totals, place, hashed)


def compare_landed(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    place: LandedTables,
    *,
    expected_share: float | None,
    tables: tuple[str, str] = TABLES,
) -> RowDifference:
    """Compare what has been landed in these tables, or what stands beside them instead."""
    inside = replace(
        pair,
        ours=_inside(pair.ours, place, tables[0]),
        theirs=_inside(pair.theirs, place, tables[1]),
    )
    landed = landed_columns(columns)
    if inside.ours.schema is pair.ours.schema:
        landed = _with_forms(landed, columns, ours=True)
    if inside.theirs.schema is pair.theirs.schema:
        landed = _with_forms(landed, columns, ours=False)
    return compare_in_store(inside, config, expected_share=expected_share, columns=landed)


def _inside(side: Side, place: LandedTables, table: str) -> Side:
    """The side's rows in the place: its own table beside the landed ones, or a landed one."""
    if side.warehouse is place.near and table in TABLES:
        return replace(side, warehouse=place.warehouse)
    schema = TableSchema(relation=place.relation(table), columns=())
    return Side(label=side.label, warehouse=place.warehouse, schema=schema)


def _with_forms(
    landed: ComparedColumns, columns: ComparedColumns, *, ours: bool
) -> ComparedColumns:
    """Landed columns, but of one side as they are read from its own table."""

    def formed(one: ComparedColumn, other: ComparedColumn) -> ComparedColumn:
        return replace(one, ours=other.ours) if ours else replace(one, theirs=other.theirs)

    return ComparedColumns(
        keys=tuple(map(formed, landed.keys, columns.keys)),
        values=tuple(map(formed, landed.values, columns.values)),
    )


def _sides(pair: TablePair) -> tuple[tuple[str, Side, bool], ...]:
    """Table, side, and whether it is ours."""
    return (TABLES[0], pair.ours, True), (TABLES[1], pair.theirs, False)


def _rows(
    pair: TablePair, columns: ComparedColumns, place: LandedTables, *, ours: bool
) -> str | None:
    """Where one side's rows are read that were not landed, to stand after FROM; None if they
    were."""
    side = pair.ours if ours else pair.theirs
    if side.warehouse is not place.near:
        return None
    return f"({rows_sql(pair, columns, ours=ours)}) as r"


def _hashed(
    pair: TablePair, columns: ComparedColumns, place: LandedTables, journal: Journal
) -> list[str]:
    """Land what is far while what is near is hashed.

    Returns:
        Names of the tables with the keys and row hashes of ours and theirs.
    """
    far = [
        (name, side.warehouse, sent_sql(pair, columns, ours=ours))
        for name, side, ours in _sides(pair)
        if side.warehouse is not place.near
    ]
    select = {name: arrived_sql(pair, columns, ours=ours) for name, _, ours in _sides(pair)}
    listed = ", ".join(columns.key_names)
    hashed = row_hash((*columns.key_names, *columns.value_names), "duckdb")
    near = {
        name: f"select {listed}, {hashed} as h from {rows}"
        for name, _, ours in _sides(pair)
        if columns.keys and (rows := _rows(pair, columns, place, ours=ours)) is not None
    }
    journal.queries += near.values()
    with ThreadPoolExecutor(max_workers=1) as pool:
        kept = [pool.submit(place.keep, f"{name}_hashes", sql) for name, sql in near.items()]
        journal.land(place, *far, select=select)
    for each in kept:
        each.result()
    return [f"{name}_hashes" if name in near else name for name in TABLES]


def _of_differing(
    pair: TablePair,
    columns: ComparedColumns,
    config: ReconciliationConfig,
    place: LandedTables,
    journal: Journal,
) -> RowDifference:
    """Compare the rows of the keys that differ."""
    listed = ", ".join((*columns.key_names, *columns.value_names))
    same = " and ".join(f"d.{name} = r.{name}" for name in columns.key_names)
    differing = relation_sql(place.relation(DIFFERING), "duckdb")
    for name, _, ours in _sides(pair):
        rows = _rows(pair, columns, place, ours=ours)
        source = rows or f"{relation_sql(place.relation(name), 'duckdb')} as r"
        sql = (
            f"select {listed} from {source} "
            f"where exists (select 1 from {differing} as d where {same})"
        )
        if rows is not None:
            journal.queries.append(sql)
        place.keep(f"{name}_differing", sql)
    tables = (f"{TABLES[0]}_differing", f"{TABLES[1]}_differing")
    return compare_landed(pair, columns, config, place, expected_share=1.0, tables=tables)


def _whole(
    pair: TablePair,
    columns: ComparedColumns,
    found: RowDifference,
    totals: HashedTotals,
    place: LandedTables,
    hashed: list[str],
) -> RowDifference:
    """The answer for all rows: those of other keys are alike on both sides."""
    rows, nulls = totals.rows, totals.nulls
    repeated = found.duplicated_ours, found.duplicated_theirs
    surplus = found.rows_theirs - found.keys_theirs
    if not (totals.repeated or unique_keys(pair)):
        (ours, _), (theirs, surplus) = (repeated_keys(place, columns, t) for t in hashed)
        repeated = ours, theirs
    return replace(
        found,
        rows_ours=rows[0],
        rows_theirs=rows[1],
        null_ours=nulls[0],
        null_theirs=nulls[1],
        keys_theirs=rows[1] - nulls[1] - surplus,
        duplicated_ours=repeated[0],
        duplicated_theirs=repeated[1],
    )
