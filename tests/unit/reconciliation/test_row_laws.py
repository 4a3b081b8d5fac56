"""What every plan must find in any two tables, against an oracle in plain Python.

This file is long because every law is asked of every plan, by one set of stores and one oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.columns import compared_columns
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.join_plan import compare_joined
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.testing.memory_warehouse import MemoryWarehouse

Row = tuple[int | None, str | None, str | None, int | None]
TEXTS = st.sampled_from([None, "", " ", "a", "~", "1:a", "a|b", "Ü😀", "'"])
ROWS = st.tuples(st.none() | st.integers(-4, 12), TEXTS, TEXTS, st.none() | st.integers(-3, 3))
TABLES = st.lists(ROWS, max_size=30)
LAW = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COLUMNS = ("note", "memo", "amount")
PLANTED: tuple[list[Row], list[Row]] = (
    [
        *[(101, "", "a", 1)] * 3,  # as often, but for a hash that is combined by XOR
        (102, "x", None, 1),  # NULL and value exchanged between columns
        (103, "", "a", 1),  # values exchanged between rows
        (104, "b", "a", 1),
        (105, None, "a", 1),  # NULL against the empty text
        (None, "a", "a", 1),
        (106, "a", "b", 1),  # a separator inside a value
        (107, "a", "b", 1),  # missing there
        (109, "a", "b", 1),  # equal
    ],
    [
        (101, "", "a", 1),
        (102, None, "x", 1),
        (103, "b", "a", 1),
        (104, "", "a", 1),
        (105, "", "a", 1),
        (106, "a|1:b", None, 1),
        (108, "a", "b", 1),
        (109, "a", "b", 1),
    ],
)
"""What has fooled other tools, one key each."""


class Stores:
    """Two stores with the same tables in both, so that any plan can compare them, and a file."""

    def __init__(self, folder: Path) -> None:
        self.connections = [duckdb.connect(":memory:") for _ in range(2)]
        self.warehouses = [MemoryWarehouse(each) for each in self.connections]
        self.path = folder / "shop.duckdb"
        self.file = DuckDBWarehouse(self.path, snapshot_dir=folder / "copies")

    def fill(self, ours: Sequence[Row], theirs: Sequence[Row]) -> None:
        with duckdb.connect(str(self.path)) as file:
            self._fill([*self.connections, file], ours, theirs)

    def _fill(
        self,
        connections: Sequence[duckdb.DuckDBPyConnection],
        ours: Sequence[Row],
        theirs: Sequence[Row],
    ) -> None:
        for connection in connections:
            for name, rows in (("ours", ours), ("theirs", theirs)):
                connection.execute(
                    f"create or replace table {name} (id int, note text, memo text, amount int)"
                )
                if rows:
                    connection.executemany(f"insert into {name} values (?, ?, ?, ?)", rows)

    def pair(
        self, keys: tuple[str, ...], *, across: bool = False, file: str | None = None
    ) -> TablePair:
        sides: list[Side] = []
        for name, warehouse in zip(("ours", "theirs"), self.warehouses, strict=True):
            at: Warehouse = warehouse if across else self.warehouses[0]
            at = self.file if name == file else at
            relation = Relation(name=name)
            schema = at.schemas([relation])[relation]
            sides.append(Side(label=name, warehouse=at, schema=schema))
        rest = [c for c in ("id", *COLUMNS) if c not in keys]
        return TablePair(
            ours=sides[0], theirs=sides[1], keys=keys, columns=dict.fromkeys(rest, EXACT)
        )


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    made = Stores(tmp_path_factory.mktemp("stores"))
    yield made
    made.file.close()
    for connection in made.connections:
        connection.close()


def expected(ours: Sequence[Row], theirs: Sequence[Row], key: Sequence[int]) -> dict[str, int]:
    """Counts by brute force."""

    def keyed(rows: Sequence[Row]) -> dict[Any, Counter[Row]]:
        found: dict[Any, Counter[Row]] = {}
        for row in rows:
            named = tuple(row[i] for i in key)
            if None not in named:
                found.setdefault(named, Counter())[row] += 1
        return found

    mine, other = keyed(ours), keyed(theirs)
    found = Counter[str]()
    for named in {*mine, *other}:
        here, there = mine.get(named, Counter()), other.get(named, Counter())
        left, right = (here - there).total(), (there - here).total()
        changed = min(left, right) if key else 0
        found["changed"] += changed
        found["extra"] += left - changed
        found["missing"] += right - changed
        if key:
            found["keys_missing"] += not here
            found["keys_extra"] += not there
            found["duplicated_ours"] += here.total() > 1
            found["duplicated_theirs"] += there.total() > 1
    numbers = (
        *("missing", "extra", "changed", "keys_missing", "keys_extra"),
        *("duplicated_ours", "duplicated_theirs"),
    )
    return {name: found[name] for name in numbers} | {
        "rows_ours": len(ours),
        "rows_theirs": len(theirs),
        "null_ours": len(ours) - sum(c.total() for c in mine.values()),
        "null_theirs": len(theirs) - sum(c.total() for c in other.values()),
    }


def by_plan(stores: Stores, plan: str) -> dict[str, int]:
    config = ReconciliationConfig(bucket_rows=2, sample_rows=2)
    keys = {"hash": ("id", "note"), "text": ("note",), "rows": ()}.get(
        plan.removeprefix("beside ").removeprefix("there "), ("id",)
    )
    if plan == "join":
        pair = stores.pair(keys)
        journal = Journal()
        raw = compare_joined(pair, compared_columns(pair, native=True), 2, journal)
        return dict(raw.totals)
    near = {"beside": "ours", "there": "theirs"}.get(plan.partition(" ")[0])
    across = plan in ("stream", "checksum") or near is not None
    if across:
        config = config.model_copy(update={"across": "stream" if near else plan})
    pair = stores.pair(keys, across=across, file=near)
    found = compare_rows(
        pair,
        config,
        expected_share={"busy": 0.02, "hash": 0.02, "quiet": 0.0}.get(plan),
        landing=landed_tables,
    )
    named = {"hash": "hash buckets", "text": "hash buckets", "rows": "row buckets"}
    if near is not None:  # what is read in place does not leave its store
        assert found.plan.name == "stream"
        assert found.plan.rows_fetched == (found.rows_theirs if near == "ours" else found.rows_ours)
    else:
        assert found.plan.name in (named.get(plan, plan), "range buckets", "hash buckets")
    assert found.plan.statements == len(found.queries)
    numbers = {name: getattr(found, name) for name in expected([], [], ())}
    distinct = {"keys_theirs": found.keys_theirs}
    assert distinct["keys_theirs"] <= found.rows_theirs
    assert sum(c.rows for c in found.columns) >= found.changed
    return numbers


PLANS = {
    "range": (0,),
    "busy": (0,),
    "quiet": (0,),
    "hash": (0, 1),
    "text": (1,),
    "rows": (),
    "join": (0,),
    "stream": (0,),
    "checksum": (0,),
    "beside": (0,),
    "beside hash": (0, 1),
    "beside rows": (),
    "there": (0,),
    "there text": (1,),
}
"""By plan, the columns of the key. Where rows come beside a file with ours or, there, theirs, only
the other side's are fetched."""


@LAW
@given(ours=TABLES, theirs=TABLES)
@example(ours=PLANTED[0], theirs=PLANTED[1])
def test_all_plans_agree_with_an_oracle(stores: Stores, ours: list[Row], theirs: list[Row]) -> None:
    stores.fill(ours, theirs)
    for plan, key in PLANS.items():
        wanted = expected(ours, theirs, key)
        found = by_plan(stores, plan)
        assert {name: found[name] for name in wanted} == wanted, plan


@LAW
@given(table=TABLES)
def test_a_table_reconciled_with_itself_finds_nothing(stores: Stores, table: list[Row]) -> None:
    stores.fill(table, list(reversed(table)))
    for plan in PLANS:
        found = by_plan(stores, plan)
        differing = ("missing", "extra", "changed", "keys_missing", "keys_extra")
        assert [found[name] for name in differing] == [0] * 5, plan
        assert found["duplicated_ours"] == found["duplicated_theirs"]


@pytest.mark.parametrize("plan", ["range", "stream", "checksum", "beside"])
def test_columns_and_examples_say_what_differs_and_by_how_much(
    stores: Stores, plan: Literal["range", "stream", "checksum", "beside"]
) -> None:
    base: list[Row] = [(i, f"n{i}", "m", i) for i in range(300)]
    theirs = [*base]
    theirs[7] = (7, "n7", None, 10)
    theirs[8] = (8, "other", "m", 3)
    theirs[9] = (9, "n9", "m", None)
    theirs += [(500, "new", "m", 1), base[20], (None, "n", "m", 1)]
    del theirs[30]
    stores.fill(base, theirs)
    across = {"stream": "stream", "beside": "stream", "checksum": "checksum"}.get(plan)
    config = ReconciliationConfig(across=across, sample_rows=3)  # pyright: ignore[reportArgumentType] - a parameter of the test
    file = "ours" if plan == "beside" else None
    pair = stores.pair(("id",), across=across is not None, file=file)
    found = compare_rows(pair, config, landing=landed_tables)
    assert [(c.column, c.rows, c.largest, c.total) for c in found.columns] == [
        ("note", 1, None, None),
        ("memo", 1, None, None),
        ("amount", 3, 5.0, 2.0),
    ]
    assert (found.keys_theirs, found.missing, found.extra, found.changed) == (300, 2, 1, 3)
    assert found.examples.columns == ("difference", "id", "column", "ours", "theirs")
    assert set(found.examples.rows) == {
        ("missing", 20, None, None, None),
        ("missing", 500, None, None, None),
        ("extra", 30, None, None, None),
        ("changed", 7, "memo", "m", None),
        ("changed", 7, "amount", 7, 10),
        ("changed", 8, "note", "n8", "other"),
        ("changed", 8, "amount", 8, 3),
        ("changed", 9, "amount", 9, None),
        ("duplicated there", 20, None, 1, 2),
    }
    moved = found.plan.bytes_moved
    assert moved < 4_000 if plan == "range" else moved < 40_000


@pytest.mark.parametrize("across", [False, True])
def test_differences_within_the_tolerance_do_not_count(stores: Stores, across: bool) -> None:
    base: list[Row] = [(i, "n", "m", 100) for i in range(200)]
    theirs = [(i, "n", "m", 100 + i % 4) for i in range(200)]
    stores.fill(base, theirs)
    pair = stores.pair(("id",), across=across)
    tolerance = EXACT.model_copy(update={"absolute": 2.0})
    pair = replace(pair, columns={**pair.columns, "amount": tolerance})
    found = compare_rows(pair, ReconciliationConfig(sample_rows=1), landing=landed_tables)
    assert (found.changed, found.missing, found.extra) == (50, 0, 0)
    (column,) = found.columns
    assert (column.column, column.rows, column.largest, column.total) == ("amount", 50, 3.0, -150.0)
    wide = EXACT.model_copy(update={"relative": 0.05})
    pair = replace(pair, columns={**pair.columns, "amount": wide})
    assert compare_rows(pair, ReconciliationConfig(), landing=landed_tables).differing == 0


def test_many_differences_are_joined_and_few_buckets_are_not_fallen_for(stores: Stores) -> None:
    stores.connections[0].execute(
        "create or replace table ours as select i as id, 'n' as note, 'm' as memo, i as amount"
        " from range(40000) t(i)"
    )
    stores.connections[0].execute(
        "create or replace table theirs as select id, note, memo, amount + (id % 2) as amount"
        " from ours where id <> 5"
    )
    found = compare_rows(stores.pair(("id",)), ReconciliationConfig())
    assert found.plan.name == "join"
    assert "more than 70 %" in found.plan.reason
    assert (found.changed, found.extra, found.missing) == (19_999, 1, 0)
    # one key far away makes one bucket of all the others: slow, and right
    stores.connections[0].execute("update ours set amount = 0 where id = 7")
    stores.connections[0].execute(f"update ours set id = {2**61} where id = 9")
    found = compare_rows(stores.pair(("id",)), ReconciliationConfig(), expected_share=0.5)
    assert (found.changed, found.extra, found.missing) == (19_998, 2, 1)
    assert found.plan.name == "join"
    assert "50.00% differed last time" in found.plan.reason
    assert found.plan.statements == 1  # no bucket was tried first


def test_empty_tables_are_equal_and_a_plan_says_why(stores: Stores) -> None:
    stores.fill([], [])
    found = compare_rows(stores.pair(("id",)), ReconciliationConfig())
    assert (found.differing, found.rows_ours, found.examples.rows) == (0, 0, ())
    config = ReconciliationConfig(across="checksum")
    far = compare_rows(stores.pair(("id",), across=True), config, landing=landed_tables)
    assert far.differing == 0
    assert far.plan.reason == "two stores; `across: checksum` is set"
    near = compare_rows(
        stores.pair(("id",), across=True), ReconciliationConfig(), landing=landed_tables
    )
    assert near.plan.reason == "two stores; 0 rows are few enough to fetch"


def test_keys_up_to_the_largest_integer(stores: Stores) -> None:
    largest = 2**63 - 1
    for name, gone in (("ours", 3), ("theirs", 0)):
        stores.connections[0].execute(
            f"create or replace table {name} as select {largest} - i as id, 'n' as note, "
            f"'m' as memo, i::int as amount from range(0, 200) t(i) where i <> {gone}"
        )
    found = compare_rows(stores.pair(("id",)), ReconciliationConfig())
    assert (found.keys_missing, found.keys_extra, found.changed) == (1, 1, 0)
