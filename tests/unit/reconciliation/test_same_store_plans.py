"""How two tables of one store are compared: what is looked at first, and that no plan misses a row.

Each table here is large enough for a look at a few stretches of keys.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.model import Relation
from dagster_agent.ports import SharesConnection, Warehouse
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig, Tolerance
from dagster_agent.reconciliation.row_comparison import glance, same_store
from dagster_agent.reconciliation.row_comparison.columns import compared_columns
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.difference import RowDifference
from dagster_agent.reconciliation.row_comparison.join_plan import compare_joined
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

ROWS = glance.FROM_ROWS
FEW_BUCKETS = ReconciliationConfig(sample_rows=1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as made:
        yield made


def filled(
    connection: duckdb.DuckDBPyConnection, theirs: str, *, step: int = 1, rows: int = ROWS
) -> TablePair:
    """A pair with so many keys, `step` apart, on our side; theirs is a SELECT from it."""
    connection.execute(
        f"create or replace table ours as select i * {step} - 70 as id, i % 9 as amount, "
        f"'n' || (i % 5) as note from range({rows}) t(i)"
    )
    connection.execute(f"create or replace table theirs as {theirs}")
    return pair_in(MemoryWarehouse(connection))


def pair_in(warehouse: Warehouse) -> TablePair:
    relations = [Relation(name=name) for name in ("ours", "theirs")]
    schemas = warehouse.schemas(relations)
    sides = [Side(label=r.name, warehouse=warehouse, schema=schemas[r]) for r in relations]
    columns: dict[str, Tolerance] = {"amount": EXACT, "note": EXACT}
    return TablePair(ours=sides[0], theirs=sides[1], keys=("id",), columns=columns)


def counts(found: RowDifference) -> tuple[int, ...]:
    return found.missing, found.extra, found.changed, found.keys_missing, found.keys_extra


def changed_at(condition: str) -> str:
    return f"select * replace (amount + ({condition})::int as amount) from ours"


def test_equal_tables_are_told_equal_by_sums_alone(connection: duckdb.DuckDBPyConnection) -> None:
    pair = filled(connection, "select * from ours order by hash(id)")
    found = compare_rows(pair, FEW_BUCKETS)
    assert (found.differing, found.rows_ours, found.rows_theirs) == (0, ROWS, ROWS)
    assert "no former run; 0.00% differ in a few stretches of keys" in found.plan.reason
    assert [q for q in found.queries if "key_counts" in q] == []
    assert found.plan.statements == 3
    known = compare_rows(pair, FEW_BUCKETS, expected_share=0.0)
    assert (known.differing, known.plan.statements) == (0, 2)
    assert known.plan.bytes_moved < 100


def test_a_look_decides_how_small_buckets_are(connection: duckdb.DuckDBPyConnection) -> None:
    many = compare_rows(filled(connection, changed_at("(id + 70) % 100 = 3")), FEW_BUCKETS)
    assert f", {same_store.BUSY_BUCKET_ROWS} a bucket (" in many.plan.reason
    assert (many.plan.name, *counts(many)) == ("range buckets", 0, 0, ROWS // 100, 0, 0)
    most = compare_rows(filled(connection, changed_at("(id + 70) % 10 = 3")), FEW_BUCKETS)
    assert (most.plan.name, *counts(most)) == ("join", 0, 0, ROWS // 10, 0, 0)
    assert "differ in a few stretches of keys: too much for buckets" in most.plan.reason
    assert sum("bo as" in query for query in most.queries) == 0  # no bucket was tried first


def test_what_a_look_misses_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    """All of it lies between two stretches, or in a heap that no stretch meets."""
    between = changed_at(f"id between {ROWS // 8 - 300} and {ROWS // 8 + 299}")
    found = compare_rows(filled(connection, between), FEW_BUCKETS)
    assert "0.00% differ in a few stretches" in found.plan.reason
    assert counts(found) == (0, 0, 600, 0, 0)
    far = f"select * replace (case when id = 7 then {2**40} else id end as id) from ours"
    found = compare_rows(filled(connection, far), FEW_BUCKETS)
    # too little was seen, and all other keys are in one bucket
    assert found.plan.reason == "more than 70 % of the rows are in buckets that differ"
    assert counts(found) == (1, 1, 0, 1, 1)


def test_sparse_keys_are_not_listed_one_by_one(connection: duckdb.DuckDBPyConnection) -> None:
    """A bucket of them spans billions of integers."""
    pair = filled(connection, changed_at("amount = 8"), step=10**12, rows=20_000)
    for share in (0.0, 0.0005, 0.01, None):
        found = compare_rows(pair, FEW_BUCKETS, expected_share=share)
        assert counts(found) == (0, 0, 2_222, 0, 0), share


REPEATED = {
    "twice here, once there": ("insert into ours from ours where id = 5", (0, 1), (1, 0)),
    "once here, twice there": ("insert into theirs from theirs where id = 5", (1, 0), (0, 1)),
    "twice on both sides": (
        "insert into ours from ours where id = 5; insert into theirs from theirs where id = 5",
        (0, 0),
        (1, 1),
    ),
    "twice there instead of another": (
        "update theirs set id = 5, amount = 3, note = 'n0' where id = 6;"
        "update theirs set amount = 3, note = 'n0' where id = 5;"
        "update ours set amount = 3, note = 'n0' where id = 5",
        (1, 1),
        (0, 1),
    ),
    "two versions on both sides": (
        "insert into ours select * replace (-9 as amount) from ours where id = 5;"
        "insert into theirs select * replace (-9 as amount) from theirs where id = 5",
        (0, 0),
        (1, 1),
    ),
}


@pytest.mark.parametrize("case", REPEATED)
def test_keys_that_come_twice_are_seen_by_every_plan(
    connection: duckdb.DuckDBPyConnection, case: str
) -> None:
    statements, rows, duplicated = REPEATED[case]
    pair = filled(connection, "select * from ours", rows=3_000)
    connection.execute(statements)
    connection.execute(
        "insert into ours values (null, 1, 'a'); insert into theirs from ours limit 0"
    )
    for share in (None, 0.0, 0.001, 0.01, 0.5):
        found = compare_rows(pair, FEW_BUCKETS, expected_share=share)
        assert (found.missing, found.extra, found.changed) == (*rows, 0), share
        assert (found.duplicated_ours, found.duplicated_theirs) == duplicated, share
        assert (found.null_ours, found.null_theirs) == (1, 0)
        assert found.rows_theirs - found.keys_theirs == duplicated[1]


def test_a_join_reads_keys_of_either_sign_and_of_few_columns(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Keys around zero share a bucket there; composite ones have no bitmap."""
    pair = filled(connection, changed_at("id in (-64, -1, 0, 1, 63, 64)"))
    found = compare_joined(pair, compared_columns(pair, native=True), 1, Journal())
    assert (found.totals["changed"], found.totals["duplicated_ours"]) == (6, 0)


def test_statements_of_a_comparison_share_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute(
            "create table ours as select i as id, i as amount, 'n' as note from range(9)"
            " t(i); create table theirs as "
            "select * replace (id + (id = 3)::int as amount) from ours"
        )
    warehouse = DuckDBWarehouse(path, wait_seconds=0.1)
    assert isinstance(warehouse, SharesConnection)
    opened: list[int] = []
    with warehouse.together():
        warehouse.query("select 1 as one", purpose="test")
        opened.append(_times_open(path))
        with warehouse.together():
            warehouse.query("select 1 as one", purpose="test")
        opened.append(_times_open(path))
        other = threading.Thread(
            target=lambda: warehouse.query("select 1 as one", purpose="test"), daemon=True
        )
        other.start()
        other.join(0.05)
        assert other.is_alive()  # it waits
    other.join(10)
    assert opened == [1, 1]
    assert _times_open(path) == 0  # nobody stands in a dbt run's way
    found = compare_rows(pair_in(warehouse), FEW_BUCKETS)
    assert (found.changed, _times_open(path)) == (1, 0)
    duckdb.connect(str(path)).close()


def _times_open(path: Path) -> int:
    links = Path("/proc/self/fd")
    return sum(
        os.path.realpath(each) == str(path) for each in links.iterdir() if os.path.lexists(each)
    )
