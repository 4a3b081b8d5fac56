"""`Fixer`: one way to mend a cause, as a value that proposes a change to the dbt project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dagster_agent.repair.fixers as members
from dagster_agent.catalog import Catalog
from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The place in the code that is to be mended."""

    asset: str
    """dbt unique id of the model."""
    path: str
    """The model's file, relative to the dbt project."""
    text: str
    """The file as it is on disk; dbt's `raw_code` lacks the space at both ends."""
    compiled_code: str
    """What dbt made of it."""
    dialect: str
    """sqlglot's name of the dialect."""
    join_ordinal: int | None = None
    """0-based position among all JOIN keywords of `compiled_code`, where a join is at fault."""


Proposal = Callable[[Fault], ProposedChange | NoEdit]
"""Makes the smallest change; runs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixer:
    """A catalogue member; its docstring is its documentation."""

    id: str
    """Public id, stored with findings."""
    propose: Proposal
    """Proposes the change, or says why it cannot."""
    description: str
    """The docstring of the function that was decorated."""


def fixer(*, id: str) -> Callable[[Proposal], Fixer]:  # noqa: A002 - the public name of the field
    """Turn a function into a `Fixer`; registers nothing."""

    def build(propose: Proposal) -> Fixer:
        return Fixer(id=id, propose=propose, description=propose.__doc__ or "")

    return build


def fixers() -> Catalog[Fixer]:
    """All fixers: ours and those of installed entry points."""
    return Catalog(members, Fixer)
