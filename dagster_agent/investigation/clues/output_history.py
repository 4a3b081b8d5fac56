"""When did a model stop putting out a column, and what did it put out instead?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dagster_agent.errors import QueryRefused
from dagster_agent.git.repository import Commit
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.repair.jinja_text import literal_sql
from dagster_agent.sql.columns import Origin
from dagster_agent.sql.lineage import column_origin, output_columns

_SILENT = re.compile(r"\{\{-?\s*config\b")
"""Expressions that render to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChange:
    """A commit after which a model no longer puts out a column."""

    commit: Commit
    added: tuple[str, ...]
    """Output columns that the same commit brought in."""
    same: str | None
    """The one of them that copies what the old column copied."""


def commit_that_took(codebase: Codebase, path: str, column: str) -> OutputChange | None:
    """The newest commit after which the file's query puts out no column of that name any more.

    Reads the SQL that stands literally in the file, with Jinja as names; where a version cannot be
    read so, its commit is passed over.

    Args:
        codebase: Code and history.
        path: Model file relative to the dbt project.
        column: Letter case ignored.
    """
    for commit, after, before in codebase.versions(path):
        if after is None or before is None:
            continue
        old, new = (_Written(text, codebase.dialect) for text in (before, after))
        if not new.outputs or old.name(column) is None or new.name(column) is not None:
            continue
        added = tuple(name for name in new.outputs if old.name(name) is None)
        copied = old.origin(column)
        same = [n for n in added if copied is not None and new.origin(n) == copied]
        return OutputChange(commit=commit, added=added, same=same[0] if len(same) == 1 else None)
    return None


class _Written:
    """The query of one version of a file."""

    def __init__(self, text: str, dialect: str) -> None:
        self._dialect = dialect
        self._sql = _sql(text)
        try:
            self.outputs = output_columns(self._sql, dialect) if self._sql else ()
        except QueryRefused:
            self.outputs = ()

    def name(self, column: str) -> str | None:
        """The output column of that name, letter case ignored."""
        return next((n for n in self.outputs if n.casefold() == column.casefold()), None)

    def origin(self, column: str) -> Origin | None:
        """What the output column copies; tables are stand-ins for Jinja here."""
        found = column_origin(self._sql, self._dialect, column)
        return (found[0], found[1].casefold()) if found is not None else None


def _sql(text: str) -> str:
    literal = literal_sql(text)
    if literal is None:
        return ""
    sql = literal.text
    for start, end in literal.expressions:
        if _SILENT.match(text, start):
            sql = sql[:start] + " " * (end - start) + sql[end:]
    return sql
