"""Functions of PostgreSQL that only read their arguments."""

from __future__ import annotations

from dagster_agent.sql.guard import read_only


def test_the_bits_of_a_double_may_be_read() -> None:
    sql = "SELECT ENCODE(FLOAT8SEND(x), 'hex') FROM t"
    assert read_only(sql, "postgres") == sql
