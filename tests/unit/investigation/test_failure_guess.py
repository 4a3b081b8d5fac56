"""Guesses from families of words: only where no rule knows, and never from chatter."""

from __future__ import annotations

import re
import time

import pytest

from dagster_agent.investigation.classification import classify
from dagster_agent.investigation.failure_class import failure_classes
from dagster_agent.investigation.failure_class_guess import guess, plain
from dagster_agent.investigation.failure_class_phrases import PHRASES
from dagster_agent.investigation.failure_class_words import FAMILIES, ORDER, PASSING, TOGETHER
from dagster_agent.investigation.failure_log import read_log


def _name(text: str) -> str:
    found = guess(read_log(text))
    return found.name if found else "unknown"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("loader zeta: attribute loyalty is unknown to relation customers", "missing_column"),
        ("loader zeta: collection customers could not be located", "missing_relation"),
        ("loader zeta: principal etl holds no grant on payments", "auth_permission"),
        ("loader zeta: scratch storage exhausted at 210 GB", "out_of_resources"),
        ("loader zeta: peer unreachable, tunnel dropped", "transient_infra"),
        ("loader zeta: another writer has the commit, snapshot has changed", "concurrency_lock"),
        ("loader zeta: multiple records with one key", "duplicate_rows"),
        ("loader zeta: partition 2024-05-02 is 5 hours late", "stale_source"),
        ("loader zeta: rule positive_amount did not hold for 3 rows", "test_failure"),
        ("loader zeta: cannot coerce text to decimal", "type_error"),
        ("loader zeta: fields differ from the agreed schema", "contract_violation"),
        ("loader zeta: plugin orc is not installed", "config_env"),
        ("loader zeta: unexpected keyword in the having clause", "sql_syntax"),
        ("loader zeta: macro surrogate is undefined", "compile_error"),
        ("loader zeta: nil pointer", "code_exception"),
    ],
)
def test_wording_of_a_software_that_nobody_knows(text: str, name: str) -> None:
    assert _name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INFO lock acquired on orders; lease renewed; job resumed",
        "INFO pool_size=5 connect_timeout=300 max_retries=3 memory_limit=8GB",
        "3 of 3 tables refreshed; no rows rejected; no locks left",
        "OK created model staging.stg_permission_denied and marts.connection_refused_daily",
        "Is there a way to find which role granted access before the token expired?",
        "Thanks, I think the missing table was dropped on purpose.",
        "Step load_orders failed. See the compute log for more information.",
        "- Fix a duplicate key when two connections are closed",
    ],
)
def test_chatter_stays_unknown(text: str) -> None:
    assert _name(text) == "unknown"


def test_a_guess_is_modest_and_says_where_it_comes_from() -> None:
    failure = classify("loader zeta: attribute loyalty is unknown here")
    assert (failure.failure_class, failure.rule) == ("missing_column", "missing_column/families")
    assert 0.5 <= failure.confidence <= 0.62
    assert failure.excerpt == "loader zeta: attribute loyalty is unknown here"


def test_a_guess_says_more_than_the_form_of_an_exception_but_not_than_a_rule() -> None:
    wrapped = "zeta.errors.LoadError: multiple source rows match one target row"
    assert classify("zeta.errors.LoadError: no orders left").failure_class == "code_exception"
    assert classify(wrapped).rule == "duplicate_rows/families"
    rule = 'relation "raw.orders" does not exist'
    assert classify(f"{wrapped}\n{rule}").rule.startswith("missing_relation/")
    assert not classify(f"{wrapped}\n{rule}").rule.endswith("/families")


def test_queues_and_connections_are_worth_a_retry_and_memory_is_not() -> None:
    queue = guess(read_log("loader zeta: too many connections in use"))
    memory = guess(read_log("loader zeta: heap exhausted"))
    assert queue is not None
    assert memory is not None
    assert queue.name == memory.name == "out_of_resources"
    assert queue.retryable is True
    assert memory.retryable is None


def test_names_are_masked_and_exceptions_are_read_as_words() -> None:
    assert plain("RATE_LIMIT in ConnectTimeoutError: 'stg_locks' of raw.deadlocks") == (
        "rate limit in connect timeout error: § of §"
    )


def test_the_tables_name_known_classes_and_families() -> None:
    names = {kind.name for kind in failure_classes()} - {"unknown"}
    assert set(ORDER) == names
    assert {name for name, *_ in (*PHRASES, *TOGETHER, *PASSING)} <= names
    used = {family for _, thing, wrong, _ in TOGETHER for family in (thing, wrong)}
    assert used | {thing for _, thing, _ in PASSING} == set(FAMILIES)
    for pattern in (*FAMILIES.values(), *(pattern for *_, pattern in PHRASES)):
        assert re.compile(pattern)
        assert pattern == pattern.lower() or "\\W" in pattern or "\\S" in pattern, pattern


@pytest.mark.parametrize(
    "piece",
    ["a", "'", "a.", "a_", "aA", "a/", "a=", "x://", "'a'", "no failed ", "task ", "lock table ",
     "timeout connection ", "a b/ ", "not valid number ", "column not found ", "Failure in x "],
)  # fmt: skip
def test_any_line_takes_bounded_time(piece: str) -> None:
    log = read_log(piece * (200_000 // len(piece)))
    started = time.perf_counter()
    guess(log)
    assert time.perf_counter() - started < 5
