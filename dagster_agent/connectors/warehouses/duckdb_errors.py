"""DuckDB's exceptions in our own words: the one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConnectorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One row: what DuckDB raises, and what that means to the person who reads it."""

    raised: str
    """Name of DuckDB's exception class; a subclass does not match."""
    pattern: str
    """Regular expression found in the message."""
    message: str
    """What to say; `{said}` is DuckDB's own first line, groups of the pattern by name."""
    hint: str
    """The next step."""
    retryable: bool = False
    """Whether the same call may go through later."""


_LOCKED_HINT = "let the run finish or close that connection, then try again"

TRANSLATIONS = (
    Translation(
        raised="IOException",
        pattern=r"Could not set lock on file \"(?P<file>[^\"]+)\"(?:.*\(PID (?P<pid>\d+)\))?",
        message="DuckDB file '{file}' is held by another process (PID {pid})",
        hint=_LOCKED_HINT,
        retryable=True,
    ),
    Translation(
        raised="ResourceInUseException",
        pattern=r"database file \"(?P<file>[^\"]+)\" is already attached",
        message="DuckDB file '{file}' is held open for writing by this very process",
        hint=_LOCKED_HINT,
        retryable=True,
    ),
    Translation(
        raised="IOException",
        pattern=r"not a valid DuckDB database file|version number",
        message="this DuckDB cannot read the file: {said}",
        hint="use the duckdb release that wrote it, or a newer one",
    ),
    Translation(
        raised="IOException",
        pattern=r"No such file or directory|does not exist",
        message="a file is missing: {said}",
        hint="run `dbt build` once, or correct the path in the dbt profile",
        retryable=True,
    ),
    Translation(
        raised="InterruptException",
        pattern=r"",
        message="the statement was interrupted after {seconds:g} s",
        hint="raise `statement_seconds`, or narrow the statement",
    ),
    Translation(
        raised="OSError",  # what a stream raises that pyarrow reads
        pattern=r"^INTERRUPT Error",
        message="the statement was interrupted after {seconds:g} s",
        hint="raise `statement_seconds`, or narrow the statement",
    ),
    Translation(
        raised="OSError",
        pattern=r"^Out of Memory Error",
        message="out of memory: {said}",
        hint="raise `memory_limit` in the profile's settings",
        retryable=True,
    ),
    Translation(
        raised="PermissionException",
        pattern=r"file system operations are disabled|external_access",
        message="the statement reads files outside the database: {said}",
        hint="set `warehouse: {allow_external: true}` if views over files are meant to be read",
    ),
    Translation(
        raised="CatalogException",
        pattern=r"(Table|View) with name",
        message="no such table: {said}",
        hint="build it with dbt, or correct the name",
    ),
    Translation(
        raised="BinderException",
        pattern=r"Referenced (column|table) |does not have a column|not found in FROM",
        message="no such column: {said}",
        hint="compare the statement with the table's present columns",
    ),
    Translation(
        raised="BinderException",
        pattern=r"Catalog \"?(?P<catalog>[^\"]+)\"? does not exist",
        message="no such database: {said}",
        hint="attach it under `attach:` in the dbt profile",
    ),
    Translation(
        raised="OutOfMemoryException",
        pattern=r"",
        message="out of memory: {said}",
        hint="raise `memory_limit` in the profile's settings",
        retryable=True,
    ),
)
"""First match wins; whatever matches no row is passed on with DuckDB's own words."""

_NAMES = frozenset({"CatalogException", "BinderException"})


def translate(
    problem: Exception, *, name: str, seconds: float, unread: Sequence[str] = ()
) -> ConnectorError:
    """Our error for one of DuckDB's.

    Args:
        problem: What DuckDB raised.
        name: The warehouse's name, for the message.
        seconds: The statement's time limit.
        unread: Catalogs of the profile that are not attached, each with its reason.
    """
    missing = f"; not attached: {', '.join(unread)}" if unread else ""
    said = spoken(problem)
    for row in TRANSLATIONS:
        found = re.search(row.pattern, str(problem), re.DOTALL)
        if type(problem).__name__ == row.raised and found:
            words = {key: value or "unknown" for key, value in found.groupdict().items()}
            message = row.message.format(said=said, seconds=seconds, **words)
            hint = row.hint + (missing if row.raised in _NAMES else "")
            return ConnectorError(f"{name}: {message}", hint=hint, retryable=row.retryable)
    return ConnectorError(f"{name}: {said}", hint="DuckDB refused the statement; see its words")


def spoken(problem: Exception) -> str:
    """DuckDB's message in one line, without its picture of the statement."""
    text = str(problem).partition("\n\nLINE ")[0]
    return " ".join(text.split())
