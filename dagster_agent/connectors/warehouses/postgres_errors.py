"""PostgreSQL's errors in our own words: the one table, for both drivers."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

from dagster_agent.connectors.warehouses.postgres_grants import DENIED, with_grant
from dagster_agent.connectors.warehouses.postgres_session import PostgresSessions
from dagster_agent.connectors.warehouses.sqlstate_errors import Trouble, translated

_ROLE_HINT = "ask for SELECT on it and USAGE on its schema for the role of the dbt profile"

TROUBLES = (
    Trouble(
        states=("28",),
        pattern=r"authentication failed|no password supplied|role \".*\" does not exist"
        r"|no pg_hba.conf entry|not permitted to log in",
        message="the server refuses the login: {said}",
        hint="correct `user`, `password` and `role` of the dbt profile's target",
    ),
    Trouble(
        states=("3D000",),
        pattern=r"database \".*\" does not exist|cross-database references",
        message="no such database: {said}",
        hint="one connection reads one database: correct `dbname`, or the relation's name",
    ),
    Trouble(
        states=("57014",),
        pattern=r"canceling statement due to statement timeout",
        message="the statement was interrupted after {seconds} s",
        hint="raise `statement_seconds`, or narrow the statement",
    ),
    Trouble(
        states=("55P03",),
        pattern=r"canceling statement due to lock timeout",
        message="the table is held by another session: {said}",
        hint="let that session (a dbt run?) finish, then try again",
        retryable=True,
    ),
    Trouble(
        states=("40", "25P03", "25P04"),
        message="the transaction was given up: {said}",
        hint="try again",
        retryable=True,
    ),
    Trouble(
        states=("53",),
        message="the server has too little left: {said}",
        hint="try again when it is less busy",
        retryable=True,
    ),
    Trouble(
        states=("08", "57P"),
        pattern=r"connection refused|could not (connect|translate|receive|send)"
        r"|failed to resolve|no such file or directory|timeout expired|connection timeout"
        r"|server closed the connection|the connection is (closed|lost)|connection reset"
        r"|terminating connection|is starting up|is shutting down|network is unreachable"
        r"|no connection to the server|ssl (error|syscall)",
        message="the server cannot be reached: {said}",
        hint="check that it runs, and `host` and `port` of the dbt profile's target",
        retryable=True,
    ),
    Trouble(states=("42501",), message="permission denied: {said}", hint=_ROLE_HINT),
    Trouble(
        states=("42P01", "3F000"),
        message="no such table: {said}",
        hint="build it with dbt, or correct the name",
    ),
    Trouble(
        states=("42703",),
        message="no such column: {said}",
        hint="compare the statement with the table's present columns",
    ),
    Trouble(
        states=("25006",),
        message="the session only reads: {said}",
        hint="send a statement that changes nothing",
    ),
)
"""See `translated`; what matches no row is passed on with the server's own words."""


@contextlib.contextmanager
def own_errors(
    name: str, *, secrets: Sequence[str], seconds: float, sessions: PostgresSessions | None = None
) -> Generator[None]:
    """Turns what both drivers and pyarrow raise into `ConnectorError`s.

    Args:
        name: The warehouse's name.
        secrets: Values that must not be shown.
        seconds: Time limit of a statement.
        sessions: Tell which grant a refused role lacks; None: nobody does.
    """
    import psycopg

    kinds = (psycopg.Error, OSError, *_adbc_errors())
    try:
        yield
    except kinds as problem:
        state = getattr(problem, "sqlstate", None) or ""
        # the driver's own text may quote the connection's parameters: it is not chained
        error = translated(
            TROUBLES, problem, state=str(state), name=name, secrets=secrets, seconds=seconds
        )
        if state == DENIED and sessions is not None:
            error = with_grant(error, sessions)
        raise error from None


def _adbc_errors() -> tuple[type[Exception], ...]:
    try:
        from adbc_driver_manager.dbapi import Error
    except ImportError:
        return ()
    return (Error,)
