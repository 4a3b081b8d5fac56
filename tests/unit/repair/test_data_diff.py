"""Counting how two tables differ, in the warehouse."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Relation, TableDiff
from dagster_agent.repair.data_diff import diff_table


def diff(folder: Path, *statements: str) -> TableDiff:
    path = folder / "d.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    before, after = (Relation(database="d", schema="main", name=n) for n in ("before", "Nach ä"))
    return diff_table("model.m", before=before, after=after, warehouse=DuckDBWarehouse(path))


def test_equal_tables_are_identical(tmp_path):
    found = diff(
        tmp_path,
        "create table before as select i, i / 7 as x, [i] as l from range(1000) t(i)",
        'create view "Nach ä" as select x, l, i from before order by i desc',
    )
    assert found.identical
    assert (found.rows_before, found.rows_after) == (1000, 1000)


def test_rows_added_removed_and_changed(tmp_path):
    found = diff(
        tmp_path,
        "create table before as select i, 'a' as t from range(10) t(i)",
        "create table \"Nach ä\" as select i, case i when 3 then 'b' else 'a' end as t "
        "from range(2, 15) t(i)",
    )
    assert (found.rows_removed, found.rows_added) == (3, 6)
    assert not found.identical


def test_columns_are_matched_by_name_whatever_their_case(tmp_path):
    found = diff(
        tmp_path,
        'create table before ("Id" int, "größe" int, gone int)',
        'create table "Nach ä" ("GRÖSSE" int, "größe" varchar, id bigint, new int)',
        "insert into before values (1, 2, 3), (2, null, 3)",
        "insert into \"Nach ä\" values (0, '2', 1, 9), (0, null, 2, 9)",
    )
    assert (found.rows_added, found.rows_removed) == (0, 0)
    assert found.columns_added == ("GRÖSSE", "new")
    assert found.columns_removed == ("gone",)


@pytest.mark.parametrize("empty", ["before", '"Nach ä"'])
def test_empty_and_vanished_tables(tmp_path, empty):
    tables = [
        "create table before as select 1 as x from range(5)",
        'create table "Nach ä" as select 1 as x from range(5)',
    ]
    emptied = diff(tmp_path, *tables, f"delete from {empty}")
    assert (emptied.rows_added, emptied.rows_removed) in {(5, 0), (0, 5)}
    gone = diff(tmp_path, *tables, f"drop table {empty}")
    assert (gone.rows_added, gone.rows_removed) == (emptied.rows_added, emptied.rows_removed)
    assert gone.columns_added + gone.columns_removed == ("x",)


def test_both_empty_are_identical(tmp_path):
    assert diff(tmp_path, "create table before (x int)", 'create table "Nach ä" (x int)').identical


def test_a_view_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(ConnectorError):
        diff(
            tmp_path,
            "create table before as select 1 as x",
            "create view \"Nach ä\" as select cast('a' as int) + x as x from before",
        )


ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from(["", "a", "ä\n", "'"])),
    max_size=12,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS, ROWS)
def test_counts_are_those_of_bags(tmp_path, before, after):
    def values(rows: list[tuple[int | None, str | None]]) -> str:
        return ", ".join(
            f"({'null' if i is None else i}, "
            + ("null" if t is None else "'" + t.replace("'", "''") + "'")
            + ")"
            for i, t in rows
        )

    found = diff(
        tmp_path,
        "create table before (i int, t varchar)",
        'create table "Nach ä" (t varchar, i int)',
        f"insert into before values {values(before)}" if before else "select 1",
        f'insert into "Nach ä" (i, t) values {values(after)}' if after else "select 1",
    )
    old, new = Counter(before), Counter(after)
    assert found.rows_removed == (old - new).total()
    assert found.rows_added == (new - old).total()
    assert found.identical == (old == new)
