"""Tables of more columns than one statement can tell of: every plan is as exact as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import duckdb
import pytest

from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.connectors.warehouses.postgres import PostgresWarehouse
from dagster_agent.connectors.warehouses.postgres_profile import read_target
from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig, Tolerance
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.difference import RowDifference
from dagster_agent.reconciliation.row_comparison.wide_tables import WIDE
from dagster_agent.testing.memory_warehouse import MemoryWarehouse
from tests.postgres_server import Postgres

COLUMNS = WIDE + 20
LAST = f"c{COLUMNS - 1}"
FORMS = (
    "i + {n}",
    "'note ' || (i * {n} % 9)",
    "cast(i as double precision) / 8 + {n}",
    "cast((i * 31 + {n}) % 1000 as decimal(18, 2))",
    "cast('2026-11-01 10:00:00' as timestamp)",
    "(i + {n}) % 3 = 0",
)
PLANTED = (
    "update theirs set c0 = c0 + 5 where id between 100 and 110",
    "update theirs set c1 = c1 || 'x' where id in (5, 6, 7)",
    "update theirs set c2 = null where id in (6, 105)",
    f"update theirs set {LAST} = not {LAST} where id = 299",
    "delete from theirs where id in (30, 31)",
    "insert into theirs select * from ours where id = 20",
    "update ours set id = -4 where id = 40",
)
CHANGED = {
    "c0": (11, 5.0, -55.0),
    "c1": (3, None, None),
    "c2": (2, None, None),
    LAST: (1, None, None),
}
SHARES = {"range": None, "quiet": 0.0, "busy": 0.02, "join": 0.5}


def statements(columns: int, *planted: str, forms: tuple[str, ...] = FORMS) -> list[str]:
    """SQL that makes both tables, with 300 rows."""
    listed = ", ".join(f"{forms[n % len(forms)].format(n=n)} as c{n}" for n in range(columns))
    return [
        "drop table if exists ours",
        "drop table if exists theirs",
        f"create table ours as select i as id, {listed} from generate_series(0, 299) t(i)",
        "create table theirs as select * from ours",
        *planted,
    ]


def in_memory(*made: str) -> Warehouse:
    connection = duckdb.connect(":memory:")
    for statement in made:
        connection.execute(statement)
    return MemoryWarehouse(connection)


def pair_of(
    ours: Warehouse, theirs: Warehouse, columns: int, keys: tuple[str, ...] = ("id",)
) -> TablePair:
    sides = [
        Side(label=name, warehouse=at, schema=at.schemas([named])[named])
        for name, at in (("ours", ours), ("theirs", theirs))
        for named in [Relation(name=name)]
    ]
    names = [name for name in ("id", *(f"c{n}" for n in range(columns))) if name not in keys]
    return TablePair(ours=sides[0], theirs=sides[1], keys=keys, columns=dict.fromkeys(names, EXACT))


@pytest.fixture(scope="module")
def stores() -> list[Warehouse]:
    """The same tables twice, so that any plan can compare them."""
    return [in_memory(*statements(COLUMNS, *PLANTED)) for _ in range(2)]


def columns_of(found: RowDifference) -> Mapping[str, tuple[int, float | None, float | None]]:
    return {c.column: (c.rows, c.largest, c.total) for c in found.columns}


@pytest.mark.parametrize("plan", [*SHARES, "stream", "checksum"])
def test_every_plan_counts_exactly(stores: list[Warehouse], plan: str) -> None:
    across = plan not in SHARES
    pair = pair_of(stores[0], stores[1 if across else 0], COLUMNS)
    config = ReconciliationConfig(sample_rows=2)
    if across:
        config = config.model_copy(update={"across": plan})
    found = compare_rows(pair, config, expected_share=SHARES.get(plan), landing=landed_tables)
    assert columns_of(found) == CHANGED
    assert (found.missing, found.extra, found.changed) == (2, 3, 15)
    assert (found.keys_missing, found.keys_extra, found.keys_theirs) == (1, 3, 298)
    assert (found.duplicated_ours, found.duplicated_theirs) == (0, 1)
    assert (found.rows_ours, found.rows_theirs) == (300, 299)
    assert found.plan.statements == len(found.queries)
    assert set(found.examples.rows) == {
        ("missing", 20, None, None, None),
        ("missing", 40, None, None, None),
        ("extra", -4, None, None, None),
        ("extra", 30, None, None, None),
        ("changed", 5, "c1", "note 5", "note 5x"),
        ("changed", 6, "c1", "note 6", "note 6x"),
        ("changed", 6, "c2", 2.75, None),
        ("duplicated there", 20, None, 1, 2),
    }
    few = replace(pair, columns=dict.fromkeys(CHANGED, EXACT))
    narrow = compare_rows(few, config, expected_share=SHARES.get(plan), landing=landed_tables)
    assert found.examples == narrow.examples
    assert found.columns == narrow.columns


def test_equal_tables_are_told_by_their_groups() -> None:
    store = in_memory(*statements(COLUMNS))
    found = compare_rows(pair_of(store, store, COLUMNS), ReconciliationConfig())
    assert (found.differing, found.columns, found.examples.rows) == (0, (), ())
    assert "120 columns, compared in 24 groups first" in found.plan.reason
    assert max(map(len, found.queries)) < 10_000


@pytest.mark.parametrize("share", [None, 0.5])
def test_without_a_key_rows_are_compared_as_a_whole(
    stores: list[Warehouse], share: float | None
) -> None:
    pair = pair_of(stores[0], stores[0], COLUMNS, keys=())
    found = compare_rows(pair, ReconciliationConfig(sample_rows=1), expected_share=share)
    assert (found.missing, found.extra, found.changed) == (17, 18, 0)
    kinds = [row[0] for row in found.examples.rows]
    assert kinds == ["missing"] * 20 + ["extra"] * 20


def test_columns_that_all_differ_are_told_in_turn() -> None:
    columns = WIDE + 40
    differing = ", ".join(f"c{n} = c{n} + 1" for n in range(columns))
    made = statements(columns, f"update theirs set {differing} where id < 3", forms=FORMS[:1])
    store = in_memory(*made, "update theirs set c7 = c7 + 1 where id = 9")
    found = compare_rows(pair_of(store, store, columns), ReconciliationConfig(sample_rows=5))
    assert (found.missing, found.extra, found.changed) == (0, 0, 4)
    assert columns_of(found) == {
        f"c{n}": (4 if n == 7 else 3, 1.0, -4.0 if n == 7 else -3.0) for n in range(columns)
    }
    shown = [row[1] for row in found.examples.rows]
    assert {key: shown.count(key) for key in shown} == {0: 20, 1: 20, 2: 20, 9: 1}


def test_what_is_within_its_tolerance_is_no_difference() -> None:
    noise = ", ".join(f"c{n} = c{n} + 0.25" for n in range(COLUMNS))
    made = statements(COLUMNS, f"update theirs set {noise}", forms=FORMS[2:3])
    store = in_memory(*made, "update theirs set c3 = c3 + 1 where id in (4, 5)")
    pair = pair_of(store, store, COLUMNS)
    tolerant = replace(pair, columns=dict.fromkeys(pair.columns, Tolerance(absolute=0.5)))
    found = compare_rows(tolerant, ReconciliationConfig())
    assert (found.changed, columns_of(found)) == (2, {"c3": (2, 1.25, -2.5)})


def test_more_tolerances_than_can_be_judged_together_are_refused() -> None:
    noise = ", ".join(f"c{n} = c{n} + 0.25" for n in range(400))
    store = in_memory(*statements(400, f"update theirs set {noise}", forms=FORMS[2:3]))
    pair = pair_of(store, store, 400)
    tolerant = replace(pair, columns=dict.fromkeys(pair.columns, Tolerance(absolute=0.5)))
    with pytest.raises(ConfigError, match="up to 400 columns, 400 of which have a tolerance"):
        compare_rows(tolerant, ReconciliationConfig())


def test_several_rows_of_one_key_are_paired_alike_in_all_columns() -> None:
    doubled = (
        "insert into ours select * replace (7 as c0, 9 as c119) from ours where id = 50",
        "update ours set c0 = 1, c119 = 2 where id = 50 and c0 <> 7",
        "insert into theirs select * replace (7 as c0, 2 as c119) from theirs where id = 50",
        "update theirs set c0 = 1, c119 = 9 where id = 50 and c0 <> 7",
    )
    store = in_memory(*statements(COLUMNS, *doubled, forms=FORMS[:1]))
    found = compare_rows(pair_of(store, store, COLUMNS), ReconciliationConfig())
    assert (found.missing, found.extra, found.changed) == (0, 0, 2)
    assert (found.duplicated_ours, found.duplicated_theirs) == (1, 1)
    assert {c.rows for c in found.columns} == {2}
    assert {c.column for c in found.columns} <= {"c0", "c119"}
    assert found.columns


def test_postgres_selects_no_more_than_it_can(postgres_server: Postgres) -> None:
    name = postgres_server.create("wide")
    forms = ("i % {n} < 2", "cast((i + {n}) % 99 as smallint)")
    planted = (
        "update theirs set c1 = c1 + 1 where id in (3, 4)",
        "update theirs set c598 = null where id = 4",
        "delete from theirs where id = 8",
    )
    for statement in statements(
        600, *planted, forms=tuple(f.replace("% {n}", "% ({n} + 1)") for f in forms)
    ):
        postgres_server.sql(statement, name)
    store = PostgresWarehouse(read_target(postgres_server.target(name)))
    found = compare_rows(pair_of(store, store, 600), ReconciliationConfig())
    assert (found.missing, found.extra, found.changed) == (0, 1, 2)
    assert columns_of(found) == {"c1": (2, 1.0, -2.0), "c598": (1, None, None)}
