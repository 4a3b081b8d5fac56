"""Closed partitions, common watermarks, samples: what cannot agree yet is left out and told."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.model import DetectionStatus

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
COULD_NOT_RUN, UNTRAINED = DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED

ROWS = (
    "select i as id, i * 1.5 as amount, timestamp '2026-11-20 00:00:00' + to_minutes(i::int)"
    " as updated_at from range({rows}) t(i)"
)


def reconciled(project: Any, ours: str, theirs: str, entry: dict[str, Any], **more: Any) -> Any:
    """Results against `truth`, in the same warehouse."""
    project.execute("create schema if not exists ledger")
    project.execute(f"create or replace table ledger.truth as {theirs}")
    project.execute(f"create or replace table ours_raw as {ours}")
    meta = {"reconcile": [{"with": "shop.ledger.truth", "name": "ledger"} | entry]}
    uid = project.model("fct_orders", 'select * from "shop".main.ours_raw', meta=meta, **more)
    found: dict[str, Any] = {}
    for d in project.detections(uid):
        if any(".ledger" in name for name in d.metrics) or "ledger" in d.headline:
            found[d.detector.removeprefix("reconciliation/")] = d
    return found


@pytest.fixture(params=["same warehouse", "other store"])
def compare(request: pytest.FixtureRequest, project: Any) -> Any:
    """`reconciled`, with their table in the warehouse or in a file of its own."""
    if request.param == "same warehouse":
        return reconciled

    def across(project: Any, ours: str, theirs: str, entry: dict[str, Any], **more: Any) -> Any:
        project.other_store(
            "processor.duckdb",
            "create schema if not exists ledger",
            f"create or replace table ledger.truth as {theirs}",
        )
        place = {"duckdb": "processor.duckdb", "table": "ledger.truth"}
        return reconciled(project, ours, "select 1 as id", entry | {"with": place}, **more)

    return across


def test_rows_in_flight_are_counted_and_not_reported(project: Any, compare: Any) -> None:
    entry = {"key": "id", "columns": ["amount"], "watermark": "updated_at"}
    found = compare(project, ROWS.format(rows=900), ROWS.format(rows=1000), entry)
    assert {d.status for d in found.values()} == {PASSED}
    rows = found["row-count"]
    assert rows.headline == (
        "fct_orders and ledger have 899 rows each; only rows below the common watermark "
        "2026-11-20 14:59 UTC; in flight, not reported: 1 of ours, 101 of theirs"
    )
    assert rows.metrics["rows_in_flight_theirs.ledger"] == 101
    assert rows.metrics["watermark_lag_hours.ledger"] == pytest.approx(100 / 60)
    without = compare(project, ROWS.format(rows=900), ROWS.format(rows=1000), {"key": "id"})
    assert without["key-difference"].status is FAILED


def test_a_loss_below_the_watermark_is_found_all_the_same(project: Any, compare: Any) -> None:
    ours = f"select * from ({ROWS.format(rows=900)}) where id not in (5, 6)"
    entry = {"key": "id", "watermark": "updated_at"}
    found = compare(project, ours, ROWS.format(rows=1000), entry)
    assert found["row-count"].status is FAILED
    assert found["key-difference"].metrics["keys_missing.ledger"] == 2
    assert found["key-difference"].metrics["keys_extra.ledger"] == 0


def test_a_changed_row_in_flight_is_left_out_on_both_sides(project: Any, compare: Any) -> None:
    changed = (
        "select id, case when id = 7 then 99 else amount end as amount, case when id = 7 then "
        f"timestamp '2026-11-21 05:00:00' else updated_at end as updated_at "
        f"from ({ROWS.format(rows=900)})"
    )
    entry = {"key": "id", "columns": ["amount"], "watermark": "updated_at"}
    found = compare(project, ROWS.format(rows=900), changed, entry)
    assert {d.status for d in found.values()} == {PASSED}, [d.headline for d in found.values()]
    assert "898 rows each" in found["row-count"].headline


def test_a_side_that_is_far_behind_fails_by_itself(project: Any) -> None:
    entry = {"key": "id", "watermark": {"ours": "updated_at", "max_lag_hours": 1}}
    found = reconciled(project, ROWS.format(rows=900), ROWS.format(rows=1000), entry)
    assert found["row-count"].status is FAILED
    assert found["row-count"].headline.startswith(
        "fct_orders is 1.7 hours behind ledger (allowed: 1); fct_orders and ledger have 899 rows"
    )


def test_naive_and_aware_times_meet_in_utc(project: Any) -> None:
    aware = (
        "select id, amount, (updated_at at time zone 'UTC') as changed from "
        f"({ROWS.format(rows=1000)})"
    )
    entry = {"key": "id", "watermark": {"ours": "updated_at", "theirs": "changed"}}
    found = reconciled(project, ROWS.format(rows=900), aware, entry)
    assert {d.status for d in found.values()} == {PASSED}, [d.headline for d in found.values()]
    assert "899 rows each" in found["row-count"].headline


def test_a_day_against_a_moment_cuts_at_midnight(project: Any) -> None:
    days = f"select id, amount, cast(updated_at as date) as day from ({ROWS.format(rows=2000)})"
    entry = {"key": "id", "watermark": {"ours": "updated_at", "theirs": "day"}}
    found = reconciled(project, ROWS.format(rows=1900), days, entry)
    assert found["row-count"].status is PASSED
    assert "1,440 rows each" in found["row-count"].headline
    assert "2026-11-21 00:00 UTC" in found["row-count"].headline


def test_a_growing_number_is_a_watermark_too(project: Any) -> None:
    entry = {"key": "id", "watermark": "id"}
    found = reconciled(project, ROWS.format(rows=900), ROWS.format(rows=1000), entry)
    assert found["row-count"].status is PASSED
    assert found["row-count"].metrics["watermark_lag.ledger"] == 100


TROUBLES = [
    ("select id, amount, null::timestamp as updated_at", "updated_at is NULL in all 900 rows"),
    ("select id, amount, updated_at::varchar as updated_at", "neither times nor numbers"),
    ("select id, amount, id as updated_at", "a time on one side and a number on the other"),
    ("select id, amount", "updated_at"),
]


@pytest.mark.parametrize(("ours", "told"), TROUBLES)
def test_a_watermark_that_says_nothing_is_an_error(project: Any, ours: str, told: str) -> None:
    entry = {"key": "id", "watermark": "updated_at"}
    rows = ROWS.format(rows=900)
    found = reconciled(project, f"{ours} from ({rows})", rows, entry | {"name": "the ledger"})
    uid = "model.test.fct_orders"
    last = project.detections(uid)[-1]
    assert last.status is COULD_NOT_RUN, found
    assert told in last.headline


def test_one_empty_side_is_never_in_flight(project: Any, compare: Any) -> None:
    entry = {"key": "id", "watermark": "updated_at"}
    found = compare(project, ROWS.format(rows=0), ROWS.format(rows=10), entry)
    assert found["row-count"].status is FAILED
    assert found["row-count"].headline == "fct_orders is empty, ledger has 10 rows"
    assert (
        compare(project, ROWS.format(rows=0), ROWS.format(rows=0), entry)["row-count"].headline
        == "fct_orders and ledger have 0 rows each"
    )


def test_when_everything_is_in_flight_nothing_is_called_equal(project: Any) -> None:
    entry = {"key": "id", "watermark": "updated_at"}
    found = reconciled(project, ROWS.format(rows=1), ROWS.format(rows=1), entry)
    assert found["row-count"].status is UNTRAINED
    assert "nothing can be compared yet" in found["row-count"].headline


@pytest.mark.parametrize(
    ("closed", "count"),
    [
        ({"column": "updated_at"}, 1440),
        ({"column": "updated_at", "grain": "hour"}, 1800),
        ({"column": "updated_at", "grain": "hour", "lag_hours": 1}, 1740),
        ({"column": "updated_at", "grain": "day", "lag_hours": 7}, None),
        ({"column": "updated_at", "grain": "month"}, None),
    ],
)
def test_only_what_is_over_is_compared(project: Any, closed: Any, count: int | None) -> None:
    # it is 06:12 on the 21st; the rows reach from the 20th to 10:00 on the 21st
    later = f"select * from ({ROWS.format(rows=2040)}) where id <> 1900"
    found = reconciled(project, ROWS.format(rows=2040), later, {"key": "id", "closed": closed})
    if count is None:
        assert found["row-count"].status is UNTRAINED
        return
    assert {d.status for d in found.values()} == {PASSED}
    assert f"{count:,} rows each; only {closed.get('grain', 'day')}s before" in (
        found["row-count"].headline
    )


def test_rows_without_a_time_stay_in(project: Any) -> None:
    ours = (
        "select id, amount, nullif(updated_at, timestamp '2026-11-20 00:03:00') as updated_at"
        f" from ({ROWS.format(rows=50)})"
    )
    entry = {"key": "id", "closed": {"column": "updated_at"}}
    found = reconciled(project, ours, ROWS.format(rows=50), entry)
    assert found["row-count"].headline.startswith("fct_orders and ledger have 50 rows each")
