"""Which commit added a filter? Read from the file's conditions before and after each commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.repair.jinja_text import literal_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFilter:
    """A condition that a commit brought in."""

    commit: Commit
    """Who, when, and in which words."""
    conditions: tuple[str, ...]
    """The new conditions as SQL, Jinja as it was written."""


def added_filters(codebase: Codebase, path: str) -> Iterator[AddedFilter]:
    """Commits that added conditions to a model's WHERE or QUALIFY, newest first.

    Args:
        codebase: Code and history.
        path: Model file relative to the dbt project.

    Yields:
        Nothing for commits whose text cannot be read as SQL around its Jinja.
    """
    for commit, after, before in codebase.versions(path):
        if after is None or before is None:
            continue
        new, old = conditions(after, codebase.dialect), conditions(before, codebase.dialect)
        if new is None or old is None:
            continue
        added = tuple((new - old).elements())
        if added:
            yield AddedFilter(commit=commit, conditions=added)


def conditions(template: str, dialect: str) -> Counter[str] | None:
    """The conditions that a template's queries filter by, each as often as it stands there.

    Returns:
        Normalised SQL of every conjunct; None where the text around the Jinja is no SQL.
    """
    literal = literal_sql(template)
    if literal is None:
        return None
    try:
        trees = sqlglot.parse(literal.text, dialect=dialect)
    except SqlglotError:
        return None
    found: Counter[str] = Counter()
    for tree in trees:
        for clause in tree.find_all(exp.Where, exp.Qualify) if tree else ():
            parts = (part for part in _conjuncts(clause.this) if not _takes_one_of_many(part))
            found.update(part.sql(dialect) for part in parts)
    return found


def _takes_one_of_many(condition: exp.Expr) -> bool:
    """Such as `row_number() over (...) = 1`: it removes repetitions, not what is unwanted."""
    return condition.find(exp.Window) is not None


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition.unnest()
