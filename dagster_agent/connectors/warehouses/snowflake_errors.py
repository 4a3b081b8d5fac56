"""Snowflake's errors in our own words: the one table.

By SQLSTATE and words, never by Snowflake's own numbers: those differ between releases and fakes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

from dagster_agent.connectors.warehouses.sqlstate_errors import Trouble, translated

TROUBLES = (
    Trouble(
        pattern=r"token has expired|session (no longer exists|has expired)",
        message="the session has ended: {said}",
        hint="try again: a new one is opened",
        retryable=True,
    ),
    Trouble(
        states=("28", "390"),
        pattern=r"incorrect username or password|jwt token is invalid|authentication (token|failed)"
        r"|user .* (is|has been) (temporarily )?(locked|disabled)|\bMFA\b|role .* is not granted"
        r"|role .* specified in the connect string",
        message="Snowflake refuses the login: {said}",
        hint="correct `user`, the password or key, and `role` of the dbt profile's target",
    ),
    Trouble(
        states=("57014",),
        pattern=r"statement (or warehouse )?timeout|reached its .*timeout|execution canceled",
        message="the statement was interrupted after {seconds} s",
        hint="raise `statement_seconds`, or narrow the statement",
    ),
    Trouble(
        pattern=r"no active warehouse",
        message="no virtual warehouse: {said}",
        hint="give `warehouse` in the dbt profile's target, and USAGE on it to the role",
    ),
    Trouble(
        states=("42501",),
        pattern=r"insufficient privileges",
        message="permission denied: {said}",
        hint="grant SELECT on it, and USAGE on its schema and database, to the profile's role",
    ),
    Trouble(
        pattern=r"invalid identifier|referenced column",
        message="no such column: {said}",
        hint="compare the statement with the table's present columns; names without quotes are"
        " upper case",
    ),
    Trouble(
        states=("42S02", "02000"),
        pattern=r"does not exist or not authorized",
        message="no such table: {said}",
        hint="build it with dbt, correct the name, or grant the profile's role access to it",
    ),
    Trouble(
        vague_states=("08",),
        pattern=r"could not connect|failed to connect|connection (refused|reset|aborted|was closed)"
        r"|\btimed? ?out\b|network (error|failure|is (unreachable|down))|max retries"
        r"|\bhttps?\b\D{0,20}\b5\d\d\b|service unavailable|bad gateway|name or service not known",
        message="Snowflake cannot be reached: {said}",
        hint="check `account` of the dbt profile's target, and the network",
        retryable=True,
    ),
    Trouble(
        states=("40", "55"),
        pattern=r"has locked (table|partition)|\bthis lock\b|\block (timeout|wait|conflict)"
        r"|\bdeadlock|\blocked by\b|aborted because",
        message="the table is held by another statement: {said}",
        hint="let that statement finish, then try again",
        retryable=True,
    ),
)
"""See `translated`; what matches no row is passed on with Snowflake's own words."""


@contextlib.contextmanager
def own_errors(name: str, *, secrets: Sequence[str], seconds: float) -> Generator[None]:
    """Turns what the connector raises into `ConnectorError`s.

    Args:
        name: The warehouse's name.
        secrets: Values that must not be shown.
        seconds: Time limit of a statement.
    """
    from snowflake.connector.errors import Error

    try:
        yield
    except (Error, OSError) as problem:
        state = str(getattr(problem, "sqlstate", "") or "")
        raise translated(
            TROUBLES, problem, state=state, name=name, secrets=secrets, seconds=seconds
        ) from None
