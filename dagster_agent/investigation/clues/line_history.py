"""Which commit wrote a line? Read from the file's commits."""

from __future__ import annotations

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.codebase import Codebase


def commit_that_wrote(codebase: Codebase, path: str, line: str) -> Commit | None:
    """The newest commit that put a line into a file that was there before; space evened out.

    Args:
        codebase: Code and history.
        path: File relative to the dbt project.
        line: The line as it is now.

    Returns:
        None when the line came with the file, or there is no history within reach.
    """
    wanted = _even(line)
    for commit, after, before in codebase.versions(path):
        if after is None or before is None:
            continue
        if wanted in _lines(after) and wanted not in _lines(before):
            return commit
    return None


def _lines(text: str) -> frozenset[str]:
    return frozenset(_even(line) for line in text.splitlines())


def _even(line: str) -> str:
    return " ".join(line.split()).casefold()
