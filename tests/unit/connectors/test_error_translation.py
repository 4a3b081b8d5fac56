"""A customer's names never decide what an error means; a known SQLSTATE does."""

from __future__ import annotations

import pytest

from dagster_agent.connectors.warehouses import (
    dbt_adapter_errors,
    postgres_errors,
    snowflake_errors,
)
from dagster_agent.connectors.warehouses.sqlstate_errors import Trouble, translated

Table = tuple[Trouble, ...]
SNOWFLAKE, POSTGRES, DBT = (
    module.TROUBLES for module in (snowflake_errors, postgres_errors, dbt_adapter_errors)
)


@pytest.mark.parametrize(
    ("table", "state", "text", "words", "retryable"),
    [
        (SNOWFLAKE, "42000", "invalid identifier 'CLOCK_IN'", "no such column", False),
        (SNOWFLAKE, "42000", "invalid identifier '\"network error\"'", "no such column", False),
        (SNOWFLAKE, "42S02", "Object 'RAW.NETWORK_EVENTS' does not exist or not authorized.", "no such table", False),  # noqa: E501
        (SNOWFLAKE, "42000", "Object 'RAW.\"max retries\"' does not exist or not authorized.", "no such table", False),  # noqa: E501
        (SNOWFLAKE, "42501", "Insufficient privileges to operate on table 'TIMEOUT LOCK'", "permission denied", False),  # noqa: E501
        (SNOWFLAKE, "42601", "Unknown function MY_TIMEOUT", "Unknown function", False),
        (SNOWFLAKE, "42601", "Unknown function LOCK", "Unknown function", False),
        (SNOWFLAKE, "22018", "Numeric value 'network error' is not recognized", "is not recognized", False),  # noqa: E501
        (SNOWFLAKE, "42000", "error at position 503, see https://docs", "position 503", False),
        (SNOWFLAKE, "40001", "Statement 'a' has locked table 'B' and this lock is held", "held by another", True),  # noqa: E501
        (SNOWFLAKE, "", "Statement 'a' has locked table 'B' in transaction 1", "held by another", True),  # noqa: E501
        (SNOWFLAKE, "08001", "Session no longer exists. New login required.", "session has ended", True),  # noqa: E501
        (SNOWFLAKE, "390114", "Authentication token has expired.", "session has ended", True),
        (SNOWFLAKE, "08001", "Role 'X' specified in the connect string does not exist or not authorized.", "refuses the login", False),  # noqa: E501
        (SNOWFLAKE, "", "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "cannot be reached", True),  # noqa: E501
        (SNOWFLAKE, "", "Couldn't finish: network error, didn't answer", "cannot be reached", True),
        (SNOWFLAKE, "", "HTTP 503: try later", "cannot be reached", True),
        (POSTGRES, "42P01", 'relation "connection refused" does not exist', "no such table", False),
        (POSTGRES, "22P02", 'invalid input syntax for type integer: "connection reset"', "invalid input", False),  # noqa: E501
        (POSTGRES, "22012", "division by zero\nLINE 1: select 'connection reset'", "division", False),  # noqa: E501
        (POSTGRES, "", 'FATAL: role "connection reset" does not exist', "refuses the login", False),
        (DBT, "", "Referenced column `lock timeout` not found", "no such column", False),
        (DBT, "08001", "Incorrect username or password was specified.", "login is refused", False),
        (DBT, "08001", "something else", "cannot be reached", True),
    ],
)  # fmt: skip
def test_what_an_error_means(
    table: Table, state: str, text: str, words: str, retryable: bool
) -> None:
    problem = RuntimeError(text)
    told = translated(table, problem, state=state, name="shop", secrets=[], seconds=9)
    assert words in told.message
    assert told.retryable is retryable
    assert told.hint
