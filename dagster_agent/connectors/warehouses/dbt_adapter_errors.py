"""What dbt adapters say, in our own words: the one table, for all of them."""

from __future__ import annotations

from dagster_agent.connectors.warehouses.sqlstate_errors import Trouble

TROUBLES = (
    Trouble(
        states=("28",),
        pattern=r"authentication failed|invalid credentials|incorrect username or password"
        r"|access token|not authenticated|role \".*\" does not exist",
        message="the login is refused: {said}",
        hint="run `dbt debug` with the same target",
    ),
    Trouble(
        states=("57014",),
        pattern=r"statement timeout|query timed out|deadline exceeded",
        message="the statement was interrupted: {said}",
        hint="narrow the statement",
    ),
    Trouble(
        states=("40", "55P03"),
        pattern=r"deadlock|could not serialize|lock timeout|set lock on file",
        message="the data is held by another session: {said}",
        hint="let that session (a dbt run?) finish, then try again",
        retryable=True,
    ),
    Trouble(
        states=("53", "57P"),
        vague_states=("08",),
        pattern=r"connection (refused|reset|timed out)|could not (connect|translate)"
        r"|failed to (connect|resolve)|server closed the connection|service unavailable|max retries"
        r"|temporarily unavailable|network is unreachable|name or service not known",
        message="the warehouse cannot be reached: {said}",
        hint="run `dbt debug` with the same target",
        retryable=True,
    ),
    Trouble(
        states=("42501",),
        pattern=r"permission denied|access denied|insufficient privileges|does not have permission",
        message="permission denied: {said}",
        hint="ask for read access for the role of the dbt profile",
    ),
    Trouble(
        states=("42703",),
        pattern=r"invalid identifier|referenced column|unrecognized name|unresolved_column"
        r"|column .* (does not exist|not found|cannot be resolved)",
        message="no such column: {said}",
        hint="compare the statement with the table's present columns",
    ),
    Trouble(
        states=("42P01", "42S02", "3F000", "3D000"),
        pattern=r"(table|view|relation|schema|catalog|database|dataset)\b.*"
        r"(does not exist|not found)|not found: (table|dataset)|table_or_view_not_found"
        r"|cross-database references",
        message="no such table: {said}",
        hint="build it with dbt, or correct the name",
    ),
    Trouble(
        states=("25006",),
        message="the session only reads: {said}",
        hint="send a statement that changes nothing",
    ),
)
"""See `translated`; what matches no row is passed on with the warehouse's own words."""
