"""The failure classifier against its case files, and on texts that nobody wrote for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_agent.investigation.classification import classification_json, classify
from dagster_agent.investigation.failure_class import (
    clickhouse,
    failure_classes,
    mssql,
    mysql,
    sqlstate,
)
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "failure_class"
FILES = sorted(CASES.glob("*.yaml"))
NAMES = (
    *("auth_permission", "code_exception", "compile_error", "concurrency_lock", "config_env"),
    *("contract_violation", "duplicate_rows", "missing_column", "missing_relation"),
    *("out_of_resources", "sql_syntax", "stale_source", "test_failure", "transient_infra"),
    *("type_error", "unknown"),
)


def _cases() -> list[Any]:
    return [
        pytest.param(file.stem, content["retryable"], case, id=f"{file.stem}: {case['name']}")
        for file in FILES
        for content in [read_cases(file)]
        for case in content["cases"]
    ]


@pytest.mark.parametrize(("class_id", "retryable", "case"), _cases())
def test_case(class_id: str, retryable: bool, case: dict[str, Any]) -> None:
    failure = classify(case["text"])
    assert failure.failure_class == class_id.replace("-", "_"), failure
    assert failure.retryable is case.get("retryable", retryable), failure
    found = {name: getattr(failure.facts, name) for name in case.get("facts", {})}
    expected = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in case.get("facts", {}).items()
    }
    assert found == expected, failure
    assert len(failure.excerpt) <= 300


def test_the_catalogue_holds_the_public_names() -> None:
    assert tuple(kind.name for kind in failure_classes()) == NAMES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_class_has_ten_cases_and_says_its_default(file: Path) -> None:
    content = read_cases(file)
    assert len(content["cases"]) >= 10
    assert content["retryable"] is failure_classes().get(file.stem).retryable


def test_rules_are_lower_case_and_named_once() -> None:
    for kind in failure_classes():
        ids = [rule.id for rule in kind.rules]
        assert len(ids) == len(set(ids)), kind.id
        for rule in kind.rules:
            assert 0.5 <= rule.confidence < 1
            for wording in rule.wordings:
                letters = wording.pattern.pattern.replace("\\S", "").replace("\\W", "")
                assert letters == letters.lower(), wording.pattern.pattern


@pytest.mark.parametrize(("class_id", "retryable", "case"), _cases())
def test_a_literal_that_is_looked_for_first_stands_in_every_match(
    class_id: str, retryable: bool, case: dict[str, Any]
) -> None:
    text = case["text"].lower()
    for kind in failure_classes():
        for rule in kind.rules:
            for wording in rule.wordings:
                for match in wording.pattern.finditer(text):
                    assert wording.literal in match[0]


def test_the_database_error_beats_its_wrappers_and_what_follows() -> None:
    log = """
dagster._core.errors.DagsterExecutionStepExecutionError: Error occurred while executing op "shop":

  File "/usr/lib/python3.11/site-packages/dagster/_core/execution/plan/utils.py", line 54, in x
    yield

The above exception was caused by the following exception:
dagster_dbt.errors.DagsterDbtCliRuntimeError: The dbt CLI process failed with exit code `1`.

Errors parsed from dbt logs:

Database Error in model stg_orders (models/stg_orders.sql)
  column "cust_id" does not exist
Failure in test not_null_orders_id (models/schema.yml)
  Got 3 results, configured to fail if != 0
"""
    failure = classify(log)
    assert (failure.rule, failure.facts.model) == ("missing_column/does-not-exist", "stg_orders")
    assert failure.excerpt == 'column "cust_id" does not exist'


def test_a_warning_decides_only_where_nothing_else_does() -> None:
    warning = "2026-01-03 WARNING Retrying: Connection reset by peer"
    error = 'psycopg2.errors.UndefinedTable: relation "raw.orders" does not exist'
    assert classify(warning).failure_class == "transient_infra"
    assert classify(f"{warning}\n{error}").failure_class == "missing_relation"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (mysql(1205), "(1205, 'lock wait timeout exceeded')", True),
        (mysql(1205), "error 1205 (hy000): lock wait", True),
        (mysql(1205), "error code: 1205. lock wait", True),
        (mysql(1205), "loaded 1205 rows in (1205 ms)", False),
        (mssql(1205), "msg 1205, level 13, state 51", True),
        (mssql(1205), "[sql server]transaction was deadlocked (1205) (sqlexecdirectw)", True),
        (mssql(1205), "batch of orders (1205) written", False),
        (clickhouse(252), "code: 252. db::exception: too many parts", True),
        (clickhouse(252), "code: 252, e.displaytext() = db::exception: too many", True),
        (clickhouse(252), "code: 2520. db::exception: x", False),
        (sqlstate("42P01"), "sqlstate: 42p01", True),
        (sqlstate("42P01"), "order 42p01 shipped", False),
    ],
)
def test_a_number_counts_only_where_the_vendor_writes_it(
    pattern: str, text: str, found: bool
) -> None:
    assert bool(re.search(pattern, text)) is found


def test_good_news_does_not_hide_an_error() -> None:
    good = "INFO: job finished OK after the deadlock"
    error = 'ERROR: syntax error at or near "("'
    assert classify(good).failure_class == "unknown"
    assert classify(f"{good}\n{error}").failure_class == "sql_syntax"


def test_an_error_is_found_anywhere_in_a_long_log() -> None:
    noise = [f"04:00:{n % 60:02d} INFO loaded batch {n} of shop" for n in range(20_000)]
    error = 'ERROR: column "cust_id" does not exist'
    for place in (0, 10_000, 19_999):
        lines = noise.copy()
        lines[place] = error
        assert classify("\n".join(lines)).facts.column == "cust_id"
        assert classify(" ".join(lines)).failure_class == "missing_column"


def test_an_excerpt_holds_no_secret_and_shows_the_match() -> None:
    secret = "hunter2hunter2"
    line = f"{'x ' * 400}password={secret} permission denied for table orders {'y ' * 400}"
    failure = classify(line)
    assert failure.failure_class == "auth_permission"
    assert "permission denied" in failure.excerpt
    assert secret not in failure.excerpt
    assert len(failure.excerpt) <= 300


def test_json_has_the_fields_of_the_contract() -> None:
    assert classification_json("7", classify("deadlock detected")) == {
        "id": "7",
        "class": "concurrency_lock",
        "retryable": True,
        "confidence": 0.97,
        "rule": "concurrency_lock/deadlock",
    }
    assert classification_json("8", classify(""))["rule"] == ""


@pytest.mark.parametrize(
    "piece",
    ["a", " ", '"', "(", "[", "`", "\\n", "\n", "\\", "a.", "column ", "error: ", 'File "', "\x1b[",
     "at $$.", "relation x ", "does not exist ", "1 of 1 ", "has not ", "'a'.", "line 1", "503 "],
)  # fmt: skip
def test_a_pathological_text_ends(piece: str) -> None:
    failure = classify(piece * (300_000 // len(piece)))
    assert len(failure.excerpt) <= 300


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=200, deadline=None)
def test_any_text_has_one_answer(text: str) -> None:
    failure = classify(text)
    assert failure == classify(text)
    assert failure.failure_class in NAMES
    assert (failure.confidence == 0) is (failure.failure_class == "unknown")
