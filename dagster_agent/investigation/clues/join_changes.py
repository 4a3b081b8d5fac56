"""Which commit brought a join, or changed what it finds? Read from the file's commits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.codebase import Codebase

_END = r"(?=\b(?:left|right|full|inner|cross|join|where|group|order|qualify|limit|union)\b|\)|\Z)"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinChange:
    """A commit that touched a join."""

    commit: Commit
    """The newest one that did."""
    introduced: bool
    """The join was not there before; False where it found other rows before."""


def commit_that_joined(codebase: Codebase, path: str, joined: str) -> JoinChange | None:
    """The newest commit that introduced a join, or changed its condition or its CTE.

    Compares the text of the file before and after each commit, so it needs no parse of Jinja.

    Args:
        codebase: Code and history.
        path: Model file relative to the dbt project.
        joined: What is joined, as the file writes it after the word JOIN.

    Returns:
        None when no commit within reach did it: it was always so, or there is no history.
    """
    for commit, after, before in codebase.versions(path):
        if after is None or before is None:
            continue
        now, then = join_texts(after, joined), join_texts(before, joined)
        if now and now != then:
            return JoinChange(commit=commit, introduced=not then)
    return None


def join_texts(text: str, joined: str) -> tuple[str, ...]:
    """The conditions of all joins to `joined` and, if there are any, the CTE of that name; space
    and letter case evened out. The kind of join does not count."""
    text = _COMMENT.sub(" ", text)
    target = r"\s*".join(re.escape(part) for part in joined.split())
    clauses = re.findall(rf"\bjoin\s+{target}(?![\w.])(.*?){_END}", text, re.DOTALL | re.IGNORECASE)
    if not clauses:
        return ()
    return tuple(_even(part) for part in (*clauses, _cte(text, joined)))


def _cte(text: str, name: str) -> str:
    head = re.search(rf"(?<![\w.]){re.escape(name)}\s+as\s*\(", text, re.IGNORECASE)
    if head is None:
        return ""
    depth = 1
    for offset in range(head.end(), len(text)):
        depth += {"(": 1, ")": -1}.get(text[offset], 0)
        if depth == 0:
            return text[head.end() : offset]
    return text[head.end() :]


def _even(text: str) -> str:
    return " ".join(text.split()).casefold()
