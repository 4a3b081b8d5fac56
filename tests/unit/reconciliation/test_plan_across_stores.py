"""Which plan compares two stores: by what was measured, and said with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.cost import (
    CHECKSUM_SECONDS,
    FIRST_ROWS,
    PROBE_ROWS,
    Line,
    cheaper,
    line_of,
)
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

ROWS = 110_000


def line(name: str, speed: float) -> Line:
    return Line(name=name, width=50.0, speed=speed, rows=20_000, seconds=1e6 / speed)


@pytest.fixture(scope="module")
def pair() -> Iterator[TablePair]:
    connections = [duckdb.connect(":memory:") for _ in range(2)]
    sides: list[Side] = []
    for number, connection in enumerate(connections):
        connection.execute(
            f"create table t as select i as id, i * 3 + (i = 77)::int * {number} as amount"
            f" from range({ROWS}) r(i)"
        )
        warehouse = MemoryWarehouse(connection)
        relation = Relation(name="t")
        schema = warehouse.schemas([relation])[relation]
        sides.append(Side(label=f"side {number}", warehouse=warehouse, schema=schema))
    yield TablePair(ours=sides[0], theirs=sides[1], keys=("id",), columns={"amount": EXACT})
    for connection in connections:
        connection.close()


def test_sides_are_fetched_at_the_same_time_so_the_slower_one_decides() -> None:
    rows = (1_000_000, 1_000_000)
    needed = 50 / CHECKSUM_SECONDS  # bytes a second at which both plans take as long
    near = cheaper([line("a", needed * 1.1), line("b", needed * 1.1)], rows, None)
    assert near.plan == "stream"  # one after the other, they would take 1.8 times as long
    far = cheaper([line("a", needed * 100), line("b", needed * 0.9)], rows, None)
    assert far.plan == "checksum"
    assert "fetching 50.0 MB of b takes about 4.4 s, at 11.2 MB/s as measured" in far.reason
    assert "(20,000 rows of 50 bytes in 0.09 s)" in far.reason
    assert "checksums of 1,000,000 rows take about 4.0 s" in far.reason
    configured = cheaper([line("a", 1.0), line("b", 1.0)], rows, 1e9)
    assert configured.plan == "stream"
    assert "1,000.0 MB/s as configured" in configured.reason


def test_no_noise_makes_a_line_absurdly_fast() -> None:
    before = line_of("a", 20_000, 1_000_000, flowing=0.0, seconds=0.4)
    assert before.speed == pytest.approx(10e6)  # all rows came before the clock was started
    opening = line_of("a", 20_000, 1_000_000, flowing=0.1, seconds=0.2)
    assert (opening.speed, opening.width) == (pytest.approx(10e6), 50.0)
    assert line_of("a", 0, 0, flowing=0.0, seconds=0.0).speed == pytest.approx(1000)


def test_the_line_is_measured_on_few_rows_and_what_was_measured_is_told(pair: TablePair) -> None:
    found = compare_rows(pair, ReconciliationConfig(), landing=landed_tables)
    assert found.changed == 1
    assert "MB/s as measured" in found.plan.reason
    limits = [sql.rpartition(" limit ")[2] for sql in found.queries if " limit " in sql]
    assert limits == [str(n) for n in (FIRST_ROWS, PROBE_ROWS[0])] * 2  # a tenth of it at most
    told = compare_rows(pair, ReconciliationConfig(bytes_per_second=1e3), landing=landed_tables)
    assert (told.plan.name, told.changed) == ("checksum", 1)
    assert "0.0 MB/s as configured" in told.plan.reason
    limits = [sql.rpartition(" limit ")[2] for sql in told.queries if " limit " in sql]
    assert limits == [str(FIRST_ROWS)] * 2  # only how wide rows are is asked for
    assert told.plan.bytes_moved < ROWS * 0.5 + 4_000 + 2 * FIRST_ROWS * 16 + 2_000


def test_what_is_fetched_by_order_is_not_counted_before(pair: TablePair) -> None:
    found = compare_rows(pair, ReconciliationConfig(across="stream"), landing=landed_tables)
    assert (found.plan.statements, found.plan.rows_fetched, found.changed) == (2, 2 * ROWS, 1)


@pytest.mark.parametrize("copied", [True, False])
def test_what_is_read_from_a_copy_is_not_landed_and_nobody_waits_for_it(
    pair: TablePair, tmp_path: Path, copied: bool
) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as writer:
        # named as what is landed is
        writer.execute(
            f"create table theirs as select i as id, i * 3 as amount from range({ROWS}) r(i)"
        )
    store = DuckDBWarehouse(path, snapshot_dir=tmp_path / "copies" if copied else None)
    relation = Relation(name="theirs")
    ours = Side(label="ours", warehouse=store, schema=store.schemas([relation])[relation])
    written: list[tuple[int, ...]] = []

    class Busy(MemoryWarehouse):
        """While its rows come, another process could write to the file."""

        @contextlib.contextmanager
        def batches(self, sql: str, *, purpose: str) -> Generator[Any]:
            with super().batches(sql, purpose=purpose) as reader:
                if copied:
                    with duckdb.connect(str(path)) as writer:
                        written.extend(writer.execute("delete from theirs where id < 5").fetchall())
                yield reader

    other = pair.theirs.warehouse
    assert isinstance(other, MemoryWarehouse)
    theirs = replace(pair.theirs, warehouse=Busy(other.connection))
    config = ReconciliationConfig(across="stream")
    found = compare_rows(replace(pair, ours=ours, theirs=theirs), config, landing=landed_tables)
    assert (found.changed, found.missing, found.extra) == (1, 0, 0)  # as it was at the start
    assert found.plan.rows_fetched == ROWS * (1 if copied else 2)
    assert written == ([(5,)] if copied else [])
    with landed_tables(near=(store,)) as place:
        assert (place.near is store) == copied
        if copied:
            with pytest.raises(QueryRefused):
                place.keep("t", "delete from theirs")
            with pytest.raises(QueryRefused):
                place.warehouse.query("drop table theirs", purpose="test")
    with duckdb.connect(str(path), read_only=True) as reader:
        assert reader.sql("from duckdb_tables()").select("table_name").fetchall() == [("theirs",)]
    store.close()


def test_landed_rows_spill_and_leave_nothing(pair: TablePair, tmp_path: Path) -> None:
    def spilled() -> int:
        found = [Path(at) / name for at, _, names in os.walk(tmp_path) for name in names]
        return sum(path.stat().st_size for path in found)

    wide = (
        "select i as id, md5(i::varchar) as a, md5((i + 1)::varchar) as b from range(900000) r(i)"
    )
    place: Any
    with landed_tables(tmp_path, memory_gib=0.04) as place:
        assert place.land("t", pair.ours.warehouse, wide, purpose="test")[0] == 900_000
        assert spilled() > 10_000_000
        result = place.warehouse.query("select count(*), max(id), max(a) from t", purpose="test")
        assert result.rows[0][:2] == (900_000, 899_999)
    assert list(tmp_path.iterdir()) == []
