from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.incidents.fingerprint import error_class, fingerprint, normalised
from dagster_agent.model import Symptom, SymptomKind

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)

LOG = """\
\x1b[0m06:12:{second}  Running with dbt=1.11.16
06:12:{second}  Completed with 1 error, 0 partial successes, and 0 warnings:
06:12:{second}  Failure in model fct_orders (models/marts/fct_orders.sql)
06:12:{second}    Database Error in model fct_orders (models/marts/fct_orders.sql)
  Binder Error: Referenced column "user_id" not found in FROM clause!
  LINE {line}: select o.user_id from "shop"."main"."orders__dbt_tmp{second}" o
  compiled code at {folder}/fct_orders.sql
06:12:{second}  job {job} pid 0x7f{line}ab after {seconds} s
"""


def run_failed(**parts: object) -> Symptom:
    known: dict[str, object] = {
        "second": 10,
        "line": 24,
        "folder": "/tmp/dagster/run-a1/target/compiled",  # noqa: S108 - text in a log
        "job": "3f2a1c9e-1234-4abc-8def-0123456789ab",
        "seconds": 1.25,
    }
    return Symptom(
        kind=SymptomKind.RUN_FAILED,
        headline=f"run {known['job']} failed",
        observed_at=NOW,
        detail=LOG.format(**(known | parts)),
        run_id="3f2a",
    )


def check_failed(**changes: object) -> Symptom:
    known = Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline="stg_flights lost 15.6 % of its rows",
        observed_at=NOW,
        asset="model.shop.stg_flights",
        check="reconciliation/row-count",
    )
    return dataclasses.replace(known, **changes)


@given(
    second=st.integers(10, 59),
    line=st.integers(1, 999),
    folder=st.from_regex(r"(/[a-zA-Z0-9_.-]{1,12}){1,5}", fullmatch=True),
    job=st.uuids().map(str),
    seconds=st.floats(0, 1e5).map(lambda s: f"{s:.3f}"),
)
def test_stable_over_runs_times_lines_folders_and_ids(**parts: object) -> None:
    assert fingerprint(run_failed(**parts)) == fingerprint(run_failed())


@given(lines=st.permutations(LOG.splitlines(keepends=True)))
def test_stable_over_the_order_in_which_threads_write(lines: list[str]) -> None:
    known = run_failed()
    shuffled = "".join(lines).format(
        second=33, line=7, folder="/x", job="0f2a1c9e-1234-4abc-8def-0123456789ab", seconds=2
    )
    assert fingerprint(dataclasses.replace(known, detail=shuffled)) == fingerprint(known)


def test_error_class_keeps_what_is_wrong() -> None:
    assert error_class(run_failed()) == (
        'binder error: referenced column "user_id" not found in from clause!\n'
        "database error in model fct_orders (fct_orders.sql)"
    )


def test_another_column_is_other_trouble() -> None:
    other = dataclasses.replace(run_failed(), detail=run_failed().detail.replace("user_id", "uid"))
    assert fingerprint(other) != fingerprint(run_failed())


@given(
    headline=st.text(max_size=50),
    days=st.integers(-999, 999),
    run_id=st.none() | st.text(max_size=9),
    metrics=st.dictionaries(st.text(max_size=3), st.floats()),
)
def test_a_check_is_the_same_whatever_its_numbers(
    headline: str, days: int, run_id: str | None, metrics: dict[str, float]
) -> None:
    again = check_failed(
        headline=headline, observed_at=NOW + timedelta(days=days), run_id=run_id, metrics=metrics
    )
    assert fingerprint(again) == fingerprint(check_failed())


@pytest.mark.parametrize(
    "changes",
    [
        {"asset": "model.shop.fct_orders"},
        {"check": "reconciliation/key-difference"},
        {"pair": "ledger"},
        {"kind": SymptomKind.DBT_TEST_FAILED},
        {"detail": "Binder Error: no such column"},
    ],
)
def test_other_assets_checks_kinds_and_errors_differ(changes: dict[str, object]) -> None:
    assert fingerprint(check_failed(**changes)) != fingerprint(check_failed())


def test_pairs_are_told_apart_and_what_has_none_is_found_as_ever() -> None:
    """Incidents that were stored before pairs had names are found by the same digits."""
    assert fingerprint(check_failed(pair="ledger")) != fingerprint(check_failed(pair="bank"))
    assert fingerprint(check_failed(pair="")) == fingerprint(check_failed()) == "4eac4726a1783783"


def test_questions_are_told_apart_by_their_words_and_numbers() -> None:
    def asked(text: str) -> str:
        return fingerprint(check_failed(kind=SymptomKind.QUESTION, check=None, detail=text))

    assert asked("Why is order 12  wrong?") == asked("why is order 12 wrong?")
    assert asked("Why is order 12 wrong?") != asked("Why is order 13 wrong?")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("lost 52,606 of 336,776 rows (15.6 %)", "lost <n> of <n> rows (<n> %)"),
        ("since Tuesday 06:12 UTC", "since <time>"),
        ("at 2026-11-03T06:12:00.123Z, 2026-11-03", "at <time>, <time>"),
        ("commit 3f2a1c9 and 0x7ffe", "commit <id> and <id>"),
        ("orders_v2 col1 decade", "orders_v2 col1 decade"),
        (r"C:\Users\me\x.sql and /a/b/y.sql", "x.sql and y.sql"),
        ("Öl  fehlt", "öl fehlt"),
    ],
)
def test_normalised(text: str, left: str) -> None:
    assert normalised(text) == left


def test_fingerprint_is_pinned() -> None:
    """Stored incidents are found by it: a change of the rules splits every open incident once."""
    assert fingerprint(check_failed()) == "4eac4726a1783783"
    assert fingerprint(run_failed()) == "11c43ded128ea840"
