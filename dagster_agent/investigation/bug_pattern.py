"""`BugPattern`: one way in which data pipelines break, as a value that proposes hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster_agent.investigation.bug_patterns as members
from dagster_agent.catalog import Catalog
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Hypothesis

Proposal = Callable[[Dossier, Codebase], Iterator[Hypothesis]]
"""Reads the evidence and yields hypotheses, the likeliest first. Runs no query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BugPattern:
    """A catalogue member; its docstring is its documentation."""

    id: str
    """Public id, stored with findings."""
    propose: Proposal
    """Forms the hypotheses."""
    description: str
    """The docstring of the function that was decorated."""
    answers: frozenset[str] = frozenset()
    """Checks whose failure only this pattern, and others that name the same check, can explain."""


def bug_pattern(
    *,
    id: str,  # noqa: A002 - the public name of the field
    answers: tuple[str, ...] = (),
) -> Callable[[Proposal], BugPattern]:
    """Turn a function into a `BugPattern`; registers nothing."""

    def build(propose: Proposal) -> BugPattern:
        told = propose.__doc__ or ""
        return BugPattern(id=id, propose=propose, description=told, answers=frozenset(answers))

    return build


def bug_patterns() -> Catalog[BugPattern]:
    """All bug patterns: ours and those of installed entry points."""
    return Catalog(members, BugPattern)
