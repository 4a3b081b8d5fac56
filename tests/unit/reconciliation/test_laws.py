"""What holds for all tables."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.model import Asset, Detection, DetectionStatus, Relation
from dagster_agent.reconciliation.comparison import EXACT, Comparison, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig, Tolerance
from dagster_agent.reconciliation.ladder import METHODS
from dagster_agent.reconciliation.wording import listed, rows, share

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TEXTS = st.none() | st.sampled_from(["", "a", "~N", "a\x1fb", "Ünï", "a|b", "'"])
AMOUNTS = st.none() | st.integers(-5, 5)
Row = tuple[int, str | None, int | None]
TABLES = st.lists(
    st.tuples(st.integers(0, 40), TEXTS, AMOUNTS), max_size=12, unique_by=lambda r: r[0]
)
LAW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def compare(
    project: Any, ours: list[Any], theirs: list[Any], *, across: bool
) -> dict[str, Detection]:
    for name, content in (("ours", ours), ("theirs", theirs)):
        project.execute(f"create or replace table {name} (id int, note text, amount int)")
        for row in content:
            project.connection.execute(f"insert into {name} values (?, ?, ?)", row)
    warehouse = project.warehouse
    sides: list[Side] = []
    for name in ("ours", "theirs"):
        relation = Relation(database="shop", schema="main", name=name)
        at = project.warehouse if across and name == "theirs" else warehouse
        sides.append(Side(label=name, warehouse=at, schema=at.schemas([relation])[relation]))
    pair = TablePair(
        ours=sides[0],
        theirs=sides[1],
        keys=("id",),
        columns={"note": EXACT, "amount": EXACT},
        measures={"amount": Tolerance()},
    )
    comparison = Comparison(
        asset=Asset(unique_id="model.test.ours", name="ours", resource_type="model"),
        config=ReconciliationConfig(bucket_rows=10),
        now=NOW,
        mask=lambda table: table,
        tables=pair,
        landing=landed_tables,
    )
    found = {m.id: d for m in METHODS if (d := m.compare(comparison)) is not None}
    assert set(found) == {"column-aggregates", "key-difference", "row-count"}
    return found


def failed(found: dict[str, Detection]) -> set[str]:
    return {name for name, d in found.items() if d.status is DetectionStatus.FAILED}


@pytest.mark.parametrize("across", [False, True])
@LAW
@given(table=TABLES)
def test_a_table_reconciled_with_itself_finds_nothing(
    project: Any, across: bool, table: list[Row]
) -> None:
    assert failed(compare(project, table, list(reversed(table)), across=across)) == set()


@pytest.mark.parametrize("across", [False, True])
@LAW
@given(table=TABLES, planted=st.tuples(st.just(99), TEXTS, AMOUNTS))
def test_a_planted_row_is_found(project: Any, across: bool, table: list[Row], planted: Row) -> None:
    missing = compare(project, table, [*table, planted], across=across)
    assert failed(missing) >= {"row-count", "key-difference"}
    assert missing["key-difference"].metrics["keys_missing.theirs"] == 1
    extra = compare(project, [*table, planted], table, across=across)
    assert failed(extra) >= {"row-count", "key-difference"}
    assert extra["key-difference"].metrics["keys_extra.theirs"] == 1
    again = compare(project, [*table, planted, planted], [*table, planted], across=across)
    assert failed(again) >= {"row-count", "key-difference"}
    assert again["key-difference"].metrics["keys_duplicated.theirs"] == 1


@pytest.mark.parametrize("across", [False, True])
@LAW
@given(table=TABLES, note=TEXTS, amount=AMOUNTS, other_note=TEXTS, other_amount=AMOUNTS)
def test_a_changed_row_is_found(
    project: Any,
    across: bool,
    table: list[Row],
    note: str | None,
    amount: int | None,
    other_note: str | None,
    other_amount: int | None,
) -> None:
    before, after = (99, note, amount), (99, other_note, other_amount)
    found = compare(project, [*table, before], [*table, after], across=across)
    same = before == after
    assert found["key-difference"].metrics["keys_changed.theirs"] == (0 if same else 1)
    if amount != other_amount:
        assert "column-aggregates" in failed(found)


@pytest.mark.parametrize("across", [False, True])
def test_null_and_duplicate_keys_are_findings_not_errors(project: Any, across: bool) -> None:
    table = [(1, "a", 1), (1, "b", 2), (None, "c", 3), (None, "d", 4), (2, "e", 5)]
    found = compare(project, table, table, across=across)
    assert failed(found) == {"key-difference"}
    metrics = found["key-difference"].metrics
    assert (metrics["keys_duplicated.theirs"], metrics["keys_null.theirs"]) == (1, 2)
    assert metrics["keys_changed.theirs"] == 0
    empty: list[Any] = []
    assert failed(compare(project, empty, empty, across=across)) == set()


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_shares_are_short_and_never_read_zero_unless_they_are(part: int, whole: int) -> None:
    text = share(part, whole)
    assert text.endswith(" %")
    assert (re.search("[1-9]", text) is None) == (part == 0)


def test_words() -> None:
    assert share(52_606, 336_776) == "15.6 %"
    assert share(1, 2_000_000) == "0.00005 %"
    assert rows(1) == "1 row"
    assert rows(52_606) == "52,606 rows"
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")
