"""Expectations: where they are evaluated, what is told of them, and what is wrong with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, Severity
from dagster_agent.privacy.masking import mask_table
from dagster_agent.quality.expectations.declared import (
    DeclaredExpectation,
    names_of,
    read_all,
    read_expectation,
    read_suite,
)
from dagster_agent.quality.expectations.engine import ExpectationRun, Found, evaluate
from dagster_agent.quality.expectations.expectation import EvaluatedBy, Outcome
from dagster_agent.quality.expectations.gx_runner import postgres_url
from dagster_agent.quality.expectations.telling import detection

from .conftest import NOW, Promises

NOT_NULL = "expect_column_values_to_not_be_null"


def _run(promises: Promises, sql: str, *, max_rows: int = 1000) -> ExpectationRun:
    promises.execute(f"create or replace table orders as {sql}")
    uid = promises.model("orders")
    around = promises.around()
    table = around.table(around.manifest.asset(uid))
    return ExpectationRun(table=table, around=around, max_rows=max_rows)


def _one(run: ExpectationRun, type_: str, **kwargs: Any) -> Found:
    (found,) = evaluate([DeclaredExpectation(type=type_, kwargs=kwargs)], run)
    return found


def _told(run: ExpectationRun, name: str, severity: str = "critical", **kwargs: Any) -> Detection:
    declared = DeclaredExpectation(type=name, kwargs=kwargs, severity=severity)
    (found,) = evaluate([declared], run)
    return detection("x", declared, found, run.table.asset, now=NOW, mask=mask_table)


def test_what_has_no_sql_is_left_to_great_expectations_on_fetched_rows(promises: Promises) -> None:
    run = _run(promises, "select unnest([1, 2, 3, 100, null]) as n, '{}' as payload, now() as t")
    promises.warehouse.sent.clear()
    increasing = _one(run, "expect_column_values_to_be_increasing", column="n")
    assert isinstance(increasing, Outcome), increasing
    assert increasing.evaluated_by is EvaluatedBy.GX_PANDAS
    assert (increasing.success, increasing.examined) == (True, 4)
    assert promises.warehouse.sent[-1] == 'select "n" from "memory"."main"."orders"'
    parseable = _one(run, "expect_column_values_to_be_json_parseable", column="payload")
    assert isinstance(parseable, Outcome)
    assert parseable.success


def test_a_large_table_is_not_fetched(promises: Promises) -> None:
    run = _run(promises, "select i as n from range(50) t(i)", max_rows=49)
    told = _told(run, "expect_column_values_to_be_increasing", column="n")
    assert told.status is DetectionStatus.COULD_NOT_RUN
    assert "orders has 50 rows, more than 49" in told.headline
    assert "gx_max_rows" in told.hint
    compiled = _one(run, NOT_NULL, column="n")
    assert isinstance(compiled, Outcome)
    assert compiled.success


@pytest.mark.parametrize(
    ("type_", "kwargs", "message", "hint"),
    [
        (
            "expect_column_values_to_not_be_nul",
            {"column": "n"},
            "there is no expectation 'expect_column_values_to_not_be_nul'",
            "did you mean expect_column_values_to_not_be_null",
        ),
        (NOT_NULL, {"colum": "n"}, "has no argument 'colum'", "did you mean column?"),
        (NOT_NULL, {}, "has no 'column'", "give column in kwargs"),
        (NOT_NULL, {"column": "nn"}, "orders has no column 'nn'", "did you mean n?"),
        (NOT_NULL, {"column": "n", "mostly": 95}, "has mostly: 95.0", "between 0 and 1"),
        ("expect_column_values_to_be_between", {"column": "n"}, "has no bound", "give min_value"),
        ("expect_column_values_to_be_in_set", {"column": "n", "value_set": 1}, "value_set: 1", ""),
        ("expect_column_max_to_be_between", {"column": "n", "max_value": "z"}, "compares", ""),
        (
            "expect_column_values_to_be_of_type",
            {"column": "n", "type_": "no such type"},
            "'no such type' is no type of duckdb",
            "name it as the warehouse does: INTEGER",
        ),
        (
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "drop table {batch}"},
            "DROP",
            "",
        ),
        (
            "expect_column_values_to_be_increasing",
            {"column": "n", "strictlyy": True},
            "has wrong arguments",
            "gallery",
        ),
    ],
)
def test_mistakes_are_named_and_never_green(
    promises: Promises, type_: str, kwargs: dict[str, Any], message: str, hint: str
) -> None:
    told = _told(_run(promises, "select 1 as n"), type_, **kwargs)
    assert told.status is DetectionStatus.COULD_NOT_RUN
    assert message in told.headline
    assert hint in told.hint


def test_errors_over_rows_quote_no_value(promises: Promises) -> None:
    run = _run(promises, "select 'Anna Berg' as word union all select 'Bo Ek'")
    told = _told(run, "expect_column_values_to_not_be_outliers", column="word")
    assert told.status is DetectionStatus.COULD_NOT_RUN
    assert "Anna" not in told.headline
    assert "Bo Ek" not in told.headline


def test_one_mistake_does_not_stop_the_others(promises: Promises) -> None:
    run = _run(promises, "select 1 as n, 'x' as word")
    declared = [
        DeclaredExpectation(type=NOT_NULL, kwargs={"column": "n"}),
        DeclaredExpectation(
            type="expect_column_mean_to_be_between", kwargs={"column": "word", "min_value": 1}
        ),
        ConfigError("it could not be read"),
    ]
    good, wrong, unread = evaluate(declared, run)
    assert isinstance(good, Outcome)
    assert good.success
    assert isinstance(wrong, DagsterAgentError)
    assert isinstance(unread, DagsterAgentError)


def test_headlines_have_the_numbers_and_no_values(promises: Promises) -> None:
    run = _run(promises, "select i as n, 'Anna Berg' as customer_name from range(200) t(i)")
    told = _told(run, "expect_column_values_to_be_between", "warning", column="n", max_value=189)
    assert told.headline == "n: values to be between: 10 of 200 are not (5.00 %) (compiled-sql)"
    assert (told.severity, told.metrics["unexpected"]) == (Severity.WARN, 10)
    told = _told(run, "expect_column_max_to_be_between", column="customer_name", max_value="A")
    assert told.headline == (
        "customer_name: max to be between: not so, observed ‹text› (compiled-sql)"
    )
    told = _told(_run(promises, "select 1 as n where false"), NOT_NULL, column="n")
    assert told.status is DetectionStatus.UNTRAINED


def test_names_are_unique_and_stay(tmp_path: Path) -> None:
    entries = [
        {"type": NOT_NULL, "kwargs": {"column": "Größe"}},
        {"type": NOT_NULL, "kwargs": {"column": "Größe", "mostly": 0.9}},
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 1}},
        "nonsense",
    ]
    names = names_of(read_all(entries, "orders"))
    assert names[0] == f"{NOT_NULL}_grosse"
    assert len(set(names)) == 4
    assert names_of(read_all(entries[:2], "orders")) == names[:2]


def test_suites_are_read_as_gx_keeps_them(tmp_path: Path) -> None:
    suite = {
        "name": "orders_suite",
        "id": None,
        "expectations": [
            {"type": NOT_NULL, "kwargs": {"column": "n"}, "meta": {}, "severity": "warning"},
            {"expectation_type": NOT_NULL, "kwargs": {"column": "m"}, "meta": {"notes": "why"}},
        ],
    }
    path = tmp_path / "orders_suite.json"
    path.write_text(json.dumps(suite))
    name, entries = read_suite(path)
    first, second = (read_expectation(entry, name) for entry in entries)
    assert (name, first.type, first.severity) == ("orders_suite", NOT_NULL, "warning")
    assert (second.kwargs, second.notes) == ({"column": "m"}, "why")
    listed = tmp_path / "listed.yml"
    listed.write_text(f"- {{type: {NOT_NULL}, kwargs: {{column: n}}}}\n")
    assert read_suite(listed)[0] == "listed"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("gone.json", None, "cannot be read"),
        ("half.json", '{"expectations": [', "is no complete .json"),
        ("half.yml", "a: [1", "is no complete .yml"),
        ("other.json", '{"models": []}', "holds no expectation suite"),
        ("binary.json", b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_unreadable_suites(
    tmp_path: Path, file: str, text: str | bytes | None, message: str
) -> None:
    path = tmp_path / file
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError, match=message):
        read_suite(path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("x", "has the expectation 'x'"),
        ({"kwargs": {}}, "has the expectation"),
        ({"type": NOT_NULL, "column": "n"}, "unknown key 'column'"),
        ({"type": NOT_NULL, "severity": "fatal"}, "severity 'fatal'"),
    ],
)
def test_entries_that_are_no_expectation(entry: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_expectation(entry, "orders")


def test_the_url_of_a_profile_is_read_only() -> None:
    output = {"type": "postgres", "user": "a@b", "password": "p/w", "dbname": "shop", "host": "db"}
    assert postgres_url(output) == (
        "postgresql+psycopg2://a%40b:p%2Fw@db:5432/shop"
        "?options=-c%20default_transaction_read_only%3Don"
    )
    assert postgres_url({"type": "duckdb"}) is None


def test_great_expectations_is_imported_only_when_used() -> None:
    probe = (
        "import sys, dagster_agent.definitions.expectations, dagster_agent.quality.relevance, "
        "dagster_agent.quality.expectations.declared as d; d.read_all([{'type': 'x'}], 'y'); "
        "print([m for m in ('great_expectations', 'pandas', 'pyarrow', 'sqlglot') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", probe], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
