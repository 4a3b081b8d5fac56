"""The corpus: ordinary analytics of six warehouses passes, every class of attack is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_agent.model import Relation
from dagster_agent.sql.functions import DIALECTS, TYPED_TABLES, known_by_name
from dagster_agent.sql.guard import GuardVerdict, judge, read_only
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "security"
SETS: list[dict[str, Any]] = [
    read_cases(CASES / f"guard-{dialect}.yaml") for dialect in DIALECTS if dialect != "spark"
]
RELATIONS: list[dict[str, Any]] = read_cases(CASES / "guard-relations.yaml")


def _each(kind: str) -> list[Any]:
    return [
        pytest.param(each["dialect"], sql, id=f"{each['dialect']}-{number}")
        for each in SETS
        for number, sql in enumerate(each[kind])
    ]


@pytest.mark.parametrize(("dialect", "sql"), _each("allowed"))
def test_ordinary_analytics_passes(dialect: str, sql: str) -> None:
    verdict = judge(sql, dialect)
    assert verdict.allowed, verdict.reason
    written = read_only(sql, dialect)
    assert read_only(written, dialect) == written


@pytest.mark.parametrize(("dialect", "sql"), _each("refused"))
def test_attacks_are_refused_with_a_reason(dialect: str, sql: str) -> None:
    verdict = judge(sql, dialect)
    assert not verdict.allowed
    assert "could not be judged" not in verdict.reason
    assert len(verdict.reason) > 40


@pytest.mark.parametrize("case", RELATIONS, ids=lambda c: f"{c['dialect']}: {c['sql'][:60]}")
def test_only_named_relations_are_read(case: dict[str, Any]) -> None:
    verdict = judge(case["sql"], case["dialect"], case["relations"])
    assert verdict.allowed is case["allowed"], verdict.reason


def test_the_reason_names_what_is_read_or_refused() -> None:
    relations = [Relation(schema="analytics", name="orders")]
    assert judge("select * from orders", "duckdb", relations) == GuardVerdict(
        allowed=True, reason="one SELECT; reads orders"
    )
    assert judge("select 1", "duckdb").reason == "one SELECT; reads no table"
    assert "raw.orders is not among the relations" in (
        judge("select * from raw.orders", "duckdb", relations).reason
    )
    assert "pg_shadow holds credentials" in judge("select * from pg_shadow", "postgres").reason


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    verdict = judge("select 1", "oracle")
    assert not verdict.allowed
    assert verdict.reason == (
        "unknown dialect 'oracle'; known are bigquery, databricks, duckdb, postgres, redshift, "
        "snowflake, spark"
    )


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "'", "select " * 5000, "(" * 20_000, "/*"])
def test_no_text_raises(text: str) -> None:
    assert not judge(text, "snowflake").allowed


def test_a_relation_that_is_no_name_is_refused() -> None:
    verdict = judge("select 1", "duckdb", ["a.b.c.d"])
    assert not verdict.allowed
    assert "'a.b.c.d' is no table name" in verdict.reason


def test_what_sqlglot_logs_of_a_refused_text_stays_unsaid(
    caplog: pytest.LogCaptureFixture,
) -> None:
    judge("create secret s (type s3, secret 'hunter2')", "duckdb")
    assert "hunter2" not in caplog.text


def test_names_are_known_whatever_the_letter_case_and_only_in_their_dialect() -> None:
    assert known_by_name("List_Sum", "duckdb")
    assert not known_by_name("list_sum", "bigquery")
    assert "Columns" not in TYPED_TABLES
