"""When did a join become what it is? Read from the file's commits."""

from __future__ import annotations

import re

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.codebase import Codebase

_JOIN = r"(?P<kind>(?:\b(?:left|right|full|inner|cross|outer)\s+)*)\bjoin\s+"


def commit_that_narrowed(codebase: Codebase, path: str, joined: str) -> Commit | None:
    """The newest commit that turned a left or full join to `joined` into an inner join.

    Compares the text of the file before and after each commit, so it needs no parse of Jinja.

    Args:
        codebase: Code and history.
        path: Model file relative to the dbt project.
        joined: What is joined, as the file writes it after the word JOIN: `planes` or
            `{{ ref('stg_planes') }}`.

    Returns:
        None when no commit within reach did it: it was always so, or there is no history.
    """
    for commit, after, before in codebase.versions(path):
        if after is None or before is None:
            continue
        if "inner" in join_kinds(after, joined) and _kept_rows(join_kinds(before, joined)):
            if "inner" in join_kinds(before, joined) and not _fewer_kept(before, after, joined):
                continue
            return commit
    return None


def join_kinds(text: str, joined: str) -> tuple[str, ...]:
    """Kinds of the joins to `joined`, in text order: `inner`, `left`, `right`, `full`, `cross`."""
    target = r"\s*".join(re.escape(part) for part in joined.split())
    pattern = re.compile(_JOIN + target + r"(?![\w.])", re.IGNORECASE)
    return tuple(_kind(match.group("kind")) for match in pattern.finditer(text))


def _kind(words: str) -> str:
    found = words.casefold().split()
    return next((k for k in ("left", "right", "full", "cross") if k in found), "inner")


def _kept_rows(kinds: tuple[str, ...]) -> bool:
    return "left" in kinds or "full" in kinds


def _fewer_kept(before: str, after: str, joined: str) -> bool:
    """Whether fewer joins to the same thing keep all rows than before."""
    kept = [sum(k in ("left", "full") for k in join_kinds(t, joined)) for t in (before, after)]
    return kept[1] < kept[0]
