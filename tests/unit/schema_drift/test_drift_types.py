"""Types: synonyms are the same, and the relation of two types mirrors when they swap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.schema_drift.types import TypeChange, compare_types

SAME, WIDENED, NARROWED, CHANGED = TypeChange


@pytest.mark.parametrize(
    ("dialect", "before", "after", "change"),
    [
        ("duckdb", "VARCHAR", "TEXT", SAME),
        ("duckdb", "VARCHAR", "STRING", SAME),
        ("duckdb", "HUGEINT", "INT128", SAME),
        ("duckdb", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", SAME),
        ("snowflake", "NUMBER(38,0)", "INT", SAME),
        ("snowflake", "VARCHAR(16777216)", "TEXT", SAME),
        ("snowflake", "TIMESTAMP_NTZ(9)", "DATETIME", SAME),
        ("postgres", "character varying(10)", "varchar(10)", SAME),
        ("postgres", "timestamp without time zone", "timestamp", SAME),
        ("bigquery", "INT64", "BIGINT", SAME),
        ("databricks", "STRING", "TEXT", SAME),
        ("duckdb", "INTEGER", "BIGINT", WIDENED),
        ("duckdb", "UINTEGER", "BIGINT", WIDENED),
        ("duckdb", "INTEGER", "DOUBLE", WIDENED),
        ("duckdb", "INTEGER", "DECIMAL(10,0)", WIDENED),
        ("duckdb", "DECIMAL(10,2)", "DECIMAL(12,4)", WIDENED),
        ("duckdb", "FLOAT", "DOUBLE", WIDENED),
        ("duckdb", "DATE", "TIMESTAMP", WIDENED),
        ("duckdb", "ENUM('a', 'b')", "VARCHAR", WIDENED),
        ("duckdb", "ENUM('a')", "ENUM('a', 'b')", WIDENED),
        ("duckdb", "STRUCT(a INTEGER)", "STRUCT(a INTEGER, b VARCHAR)", WIDENED),
        ("duckdb", "INTEGER[]", "BIGINT[]", WIDENED),
        ("postgres", "varchar(10)", "text", WIDENED),
        ("duckdb", "BIGINT", "INTEGER", NARROWED),
        ("duckdb", "BIGINT", "DOUBLE", NARROWED),
        ("duckdb", "BIGINT", "UBIGINT", NARROWED),
        ("duckdb", "DECIMAL(10,2)", "DECIMAL(10,4)", NARROWED),
        ("duckdb", "DECIMAL(10,2)", "DOUBLE", NARROWED),
        ("duckdb", "TIMESTAMP", "DATE", NARROWED),
        ("duckdb", "VARCHAR", "ENUM('a', 'b')", NARROWED),
        ("duckdb", "DOUBLE", "VARCHAR", CHANGED),
        ("duckdb", "VARCHAR", "DATE", CHANGED),
        ("duckdb", "BOOLEAN", "INTEGER", CHANGED),
        ("duckdb", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", CHANGED),
        ("duckdb", "STRUCT(a INTEGER)", "STRUCT(b INTEGER)", CHANGED),
        ("duckdb", "STRUCT(a INTEGER)", "STRUCT(a VARCHAR, b DATE)", CHANGED),
        ("duckdb", "INTEGER", "INTEGER[]", CHANGED),
        ("duckdb", "MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, DATE)", CHANGED),
        ("duckdb", "???", "INTEGER", CHANGED),
        ("no such dialect", "INTEGER", "BIGINT", CHANGED),
    ],
)
def test_examples(dialect: str, before: str, after: str, change: TypeChange) -> None:
    assert compare_types(before, after, dialect=dialect) is change


INTEGERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UBIGINT"]
TYPES = st.sampled_from(
    [
        *INTEGERS,
        "FLOAT",
        "DOUBLE",
        "VARCHAR",
        "DATE",
        "TIMESTAMP",
        "BOOLEAN",
        "BLOB",
        "JSON",
        "UUID",
    ]
) | st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"DECIMAL({p},{s})"))


@given(TYPES)
def test_a_type_is_itself(type_: str) -> None:
    assert compare_types(type_, type_.lower(), dialect="duckdb") is SAME


@given(TYPES, TYPES)
def test_swapping_mirrors(one: str, other: str) -> None:
    there = compare_types(one, other, dialect="duckdb")
    back = compare_types(other, one, dialect="duckdb")
    if there in {SAME, CHANGED}:
        assert back is there
    if there is WIDENED:
        assert back is NARROWED
