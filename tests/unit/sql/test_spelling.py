"""Identifiers as a person would write them."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.sql.spelling import case_counts, written


@pytest.mark.parametrize(
    ("name", "dialect", "like", "expected"),
    [
        ("customer_ref", "duckdb", "user_id", "customer_ref"),
        ("CustomerRef", "duckdb", "user_id", "CustomerRef"),
        ("order", "duckdb", "", '"order"'),
        ("größe", "duckdb", "", '"größe"'),
        ('say "hi"', "duckdb", "", '"say ""hi"""'),
        ("CUSTOMER_REF", "snowflake", "user_id", "customer_ref"),
        ("CUSTOMER_REF", "snowflake", "USER_ID", "CUSTOMER_REF"),
        ("customer_ref", "snowflake", "user_id", '"customer_ref"'),
        ("CustomerRef", "postgres", "user_id", '"CustomerRef"'),
        ("customer_ref", "postgres", "USER_ID", "CUSTOMER_REF"),
        ("customer ref", "bigquery", "", "`customer ref`"),
    ],
)
def test_written(name, dialect, like, expected):
    assert written(name, dialect, like=like) == expected


def test_where_letter_case_counts():
    counts = [d for d in ("duckdb", "bigquery", "postgres", "snowflake") if case_counts(d)]
    assert counts == ["postgres", "snowflake"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_duckdb_reads_every_name_as_it_is_meant(name):
    sql = f"select 1 as {written(name, 'duckdb')}"
    assert duckdb.execute(sql).description[0][0] == name
