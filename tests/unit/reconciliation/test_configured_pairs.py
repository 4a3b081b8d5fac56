"""Pairs under `meta: dagster_agent: reconcile:`, in the same warehouse and in another store."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.errors import ConfigError
from dagster_agent.model import DetectionStatus, Severity
from dagster_agent.reconciliation.entries import entries_of, expected_losses_of

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
COULD_NOT_RUN = DetectionStatus.COULD_NOT_RUN

SQL = 'select id as payment_id, customer_id, amount, note from "shop".main.raw_orders'
LEDGER = (
    "create schema ledger",
    "create table ledger.charges as select i as ref, ((i * 3) % 100) * 100 as minor,"
    " 'text ' || i as memo from range(1000) t(i)",
)
WITH = {"duckdb": "processor.duckdb", "table": "ledger.charges"}


def configured(project: Any, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    uid = project.model("fct_payments", SQL, meta={"reconcile": [entry]}, **more)
    found = project.reconcile(uid)
    return {name: d for name, d in found.items() if "ledger" in d.headline or " 2" in name}


@pytest.fixture(params=["same warehouse", "other store"])
def ledger(request: pytest.FixtureRequest, project: Any) -> Any:
    """Statements on the ledger, and what `with` names it."""
    if request.param == "other store":
        project.other_store("processor.duckdb", *LEDGER)
        return WITH, lambda *sql: project.other_store("processor.duckdb", *sql)
    project.execute(*LEDGER)
    return "shop.ledger.charges", project.execute


def entry(with_: Any, **more: Any) -> dict[str, Any]:
    return {
        "with": with_,
        "name": "ledger",
        "key": {"payment_id": "ref"},
        "columns": {"note": "memo"},
        "measures": {"amount": "minor / 100"},
    } | more


def test_equal_tables_agree(project: Any, ledger: Any) -> None:
    found = configured(project, entry(ledger[0]))
    assert {name: d.status for name, d in found.items()} == {
        "row-count 2": PASSED,
        "key-difference 2": PASSED,
        "column-aggregates": PASSED,
    }
    assert found["row-count 2"].headline == "fct_payments and ledger have 1,000 rows each"
    assert found["key-difference 2"].headline == (
        "fct_payments and ledger have the same 1,000 keys and agree in note"
    )
    assert found["column-aggregates"].headline == "5 aggregates of 2 columns agree with ledger"
    assert found["row-count 2"].metrics["rows_missing.ledger"] == 0
    assert found["key-difference 2"].metrics["key_coverage.ledger"] == 1


def test_every_kind_of_difference_is_counted_and_shown(project: Any, ledger: Any) -> None:
    ledger[1](
        "insert into ledger.charges values (5000, 100, 'new'), (5001, 100, 'new')",
        "delete from ledger.charges where ref = 7",
        "update ledger.charges set memo = 'other' where ref in (10, 11, 12)",
        "insert into ledger.charges select * from ledger.charges where ref = 20",
        "insert into ledger.charges values (null, 1, 'no key')",
    )
    found = configured(project, entry(ledger[0]))
    assert {d.status for d in found.values()} == {FAILED}
    assert {d.severity for d in found.values()} == {Severity.ERROR}
    assert found["row-count 2"].headline == (
        "fct_payments has 3 rows fewer than ledger: 1,000 against 1,003 (-0.3 %)"
    )
    keys = found["key-difference 2"]
    assert keys.headline == (
        "fct_payments lacks 2 of 1,001 payments of ledger; has 1 payment that ledger lacks; has 3"
        " payments with other values than ledger; ledger has 1 duplicated payment; ledger has 1"
        " row without a key"
    )
    assert keys.metrics["keys_missing.ledger"] == 2
    assert keys.metrics["keys_extra.ledger"] == 1
    assert (
        keys.metrics["keys_compared.ledger"]
        == keys.metrics["keys_theirs.ledger"] + 1 - (keys.metrics["keys_missing.ledger"])
    )
    assert keys.metrics["keys_changed.ledger"] == 3
    assert keys.metrics["keys_duplicated_theirs.ledger"] == 1
    assert keys.sample is not None
    shown = {(row[0], str(row[1]), row[2]) for row in keys.sample.rows}
    assert ("missing", "5000", None) in shown
    assert ("extra", "7", None) in shown
    assert ("changed", "10", "note") in shown
    assert ("duplicated there", "20", None) in shown
    assert found["column-aggregates"].headline.startswith("sum(amount) is 49,500 in fct_payments")


def test_values_exchanged_between_rows_are_found(project: Any, ledger: Any) -> None:
    ledger[1](
        "update ledger.charges set memo = case ref when 1 then 'text 2' else 'text 1' end"
        " where ref in (1, 2)"
    )
    found = configured(project, entry(ledger[0]))
    assert found["column-aggregates"].status is PASSED
    assert found["key-difference 2"].status is FAILED
    assert found["key-difference 2"].metrics["keys_changed.ledger"] == 2


def test_filters_and_tolerances(project: Any, ledger: Any) -> None:
    filters = {"filter": "payment_id < 500", "with_filter": "ref < 500"}
    found = configured(project, entry(ledger[0], **filters))
    assert {d.status for d in found.values()} == {PASSED}
    assert "500 rows each" in found["row-count 2"].headline
    ledger[1]("delete from ledger.charges where ref < 5")
    found = configured(project, entry(ledger[0], **filters))
    assert {d.status for d in found.values()} == {FAILED}
    tolerant = {
        "tolerance": {"absolute": 5},
        "measures": {"amount": {"theirs": "minor / 100", "relative": 0.01}},
    }
    found = configured(project, entry(ledger[0], **filters, **tolerant))
    assert {d.status for d in found.values()} == {PASSED}
    assert found["row-count 2"].headline == (
        "fct_payments has 500 rows, ledger 495: within the tolerance"
    )
    assert found["key-difference 2"].headline == (
        "fct_payments and ledger differ within the tolerance, by payment_id: 5 not there"
    )


def test_an_empty_table_is_never_within_the_tolerance(project: Any, ledger: Any) -> None:
    project.execute("delete from raw_orders")
    found = configured(project, entry(ledger[0], tolerance={"relative": 1}))
    assert found["row-count 2"].status is FAILED
    assert found["row-count 2"].headline == "fct_payments is empty, ledger has 1,000 rows"


def test_without_configuration_the_key_that_dbt_knows_is_used(project: Any, ledger: Any) -> None:
    ledger[1]("alter table ledger.charges rename ref to payment_id")
    plain = {"with": ledger[0], "name": "ledger"}
    found = configured(project, plain, key=("payment_id",))
    assert found["key-difference 2"].status is PASSED
    found = configured(project, plain)
    assert set(found) == {"row-count 2"}


def test_types_that_differ_between_stores_compare_by_value(project: Any) -> None:
    project.execute(
        "create table t as select i::bigint as id, (i / 8)::double as d, (i / 100)::decimal(18, 2)"
        " as m, timestamp '2024-01-01' + to_hours(i::int) as at, date '2024-01-01' + i::int as day,"
        " i % 3 = 0 as flag, case when i % 5 > 0 then 'x' || i end as text from range(500) r(i)"
    )
    project.other_store(
        "processor.duckdb",
        "create schema ledger",
        "create table ledger.charges as select i::varchar as id, (i / 8)::float as d, (i / 100)"
        "::decimal(30, 4) as m, (timestamp '2024-01-01' + to_hours(i::int))::timestamp_ns as at,"
        " (date '2024-01-01' + i::int)::timestamp as day, i % 3 = 0 as flag,"
        " case when i % 5 > 0 then 'x' || i end as text from range(500) r(i)",
    )
    columns = ["d", "m", "at", "day", "flag", "text"]
    meta = {"reconcile": [{"with": WITH, "key": "id", "columns": columns}]}
    uid = project.model("typed", 'select * from "shop".main.t', meta=meta)
    found = project.reconcile(uid)
    assert found["key-difference"].status is PASSED, found["key-difference"].headline
    assert found["column-aggregates"].status is PASSED, found["column-aggregates"].headline
    project.other_store("processor.duckdb", "update ledger.charges set text = null where id = '7'")
    found = project.reconcile(uid)
    assert found["key-difference"].metrics["keys_changed.charges"] == 1
    assert found["column-aggregates"].metrics["missing_difference.text.charges"] == -1


def test_composite_keys_across_stores_in_small_pieces(project: Any) -> None:
    rows = "select i // 10 as a, 'k' || (i % 10) as b, i as v from range(5000) t(i)"
    project.execute(f"create table lines as {rows}")
    project.other_store(
        "processor.duckdb",
        "create schema ledger",
        f"create table ledger.charges as {rows}",
        "update ledger.charges set v = -v where a % 2 = 1",
        "delete from ledger.charges where b = 'k3'",
    )
    meta = {"reconcile": [{"with": WITH, "key": ["a", "b"], "columns": "v"}]}
    uid = project.model("lines_model", 'select * from "shop".main.lines', meta=meta)
    found = project.reconcile(uid, bucket_rows=50)["key-difference"]
    assert found.metrics["keys_extra.charges"] == 500
    assert found.metrics["keys_missing.charges"] == 0
    assert found.metrics["keys_changed.charges"] == 2250
    assert found.sample is not None
    assert {row[2] for row in found.sample.rows} == {"‹text›"}


def test_key_examples_are_masked(project: Any) -> None:
    project.execute(
        "create table people as select 'a' || i || '@x.org' as email from range(9) t(i)"
    )
    meta = {"reconcile": [{"with": "raw_customers", "key": {"email": "name"}}]}
    uid = project.model("dim_people", 'select * from "shop".main.people', meta=meta)
    sample = project.reconcile(uid)["key-difference"].sample
    assert {row[1] for row in sample.rows} == {"‹text›"}
    assert [row[0] for row in sample.rows] == ["missing"] * 5 + ["extra"] * 5


WRONG = [
    ({"with": "x", "kee": ["id"]}, "unknown field 'kee'", "did you mean key?"),
    ({"key": ["id"]}, "with: field required", ""),
    ({"with": {"duckdb": "x"}}, "with.table: field required", ""),
    ({"with": {"duckdb": "x", "table": "t", "tabel": "t"}}, "unknown field", "table"),
    ({"with": "x", "measures": {"a": {"relativ": 1}}}, "relativ", "relative"),
    ({"with": "x", "tolerance": {"absolute": -1}}, "tolerance.absolute", ""),
    ("raw_orders", "`reconcile[0]`", ""),
]


@pytest.mark.parametrize(("item", "named", "hint"), WRONG)
def test_malformed_entries_are_named(project: Any, item: Any, named: str, hint: str) -> None:
    uid = project.model("fct_payments", SQL, meta={"reconcile": [item]}, build=False)
    with pytest.raises(ConfigError) as error:
        entries_of(project.manifest.asset(uid))
    assert named in error.value.message
    assert "fct_payments" in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    "meta",
    [
        {"reconcile": "raw_orders"},
        {"reconcile": {"with": "raw_orders"}},
        ["reconcile"],
    ],
)
def test_a_list_is_wanted(project: Any, meta: Any) -> None:
    uid = project.model("fct_payments", SQL, build=False)
    project.nodes[uid]["config"]["meta"]["dagster_agent"] = meta
    with pytest.raises(ConfigError, match="fct_payments"):
        entries_of(project.manifest.asset(uid))


@pytest.mark.parametrize("losses", [0.2, ["customers"], {"customers": "much"}, {"customers": 2}])
def test_expected_losses_are_shares_by_name(project: Any, losses: Any) -> None:
    uid = project.model("x", SQL, meta={"expected_losses": losses}, build=False)
    with pytest.raises(ConfigError, match="expected_losses"):
        expected_losses_of(project.manifest.asset(uid))


UNRUNNABLE = [
    ({"with": "raw_order"}, "no asset 'raw_order'", "did you mean"),
    ({"with": "shop.main.vanished"}, "vanished does not exist", "build or load it"),
    ({"with": "raw_orders", "key": "paymentid"}, "no column 'paymentid'", "payment_id"),
    ({"with": "raw_orders", "key": {"payment_id": "idd"}}, "raw_orders has no column 'idd'", "id"),
    ({"with": "raw_orders", "measures": {"amuont": "amount"}}, "'amuont'", "amount"),
    ({"with": "raw_orders", "filter": "nonsense > 1"}, "nonsense", ""),
    ({"with": "raw_orders", "filter": "1 = 1); drop table raw_orders; --"}, "not sent", ""),
    ({"with": {"duckdb": "none.duckdb", "table": "a.b"}}, "none.duckdb", ""),
    ({"with": "raw_orders", "columns": {"amount": "oops(1)"}}, "oops", ""),
]


@pytest.mark.parametrize(("item", "named", "hint"), UNRUNNABLE)
def test_a_pair_that_cannot_run_says_so_and_the_rest_runs(
    project: Any, item: dict[str, Any], named: str, hint: str
) -> None:
    uid = project.model("fct_payments", SQL, key=("payment_id",), meta={"reconcile": [item]})
    found = project.detections(uid)
    assert [d.detector for d in found[:2]] == [
        "reconciliation/row-count",
        "reconciliation/key-difference",
    ]
    assert {d.status for d in found[:2]} == {PASSED}
    wrong = [d for d in found[2:] if d.status is not PASSED]
    expected = FAILED if "does not exist" in named else COULD_NOT_RUN
    assert wrong
    assert {d.status for d in wrong} == {expected}
    assert named in wrong[0].headline
    assert hint in wrong[0].hint
    assert project.connection.execute("select count(*) from raw_orders").fetchone() == (1000,)
