"""`Fixer`: one way to mend a cause, as a value that proposes a change to the dbt project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster_agent.repair.fixers as members
from dagster_agent.catalog import Catalog
from dagster_agent.model import FileEdit, ProposedChange, Relation
from dagster_agent.repair.conversion_edits import Conversion
from dagster_agent.repair.deduplication_edits import OneRowPerKey
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.null_safe_edits import NullGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFault:
    """A column of a table that a model reads, and what became of it."""

    relation: Relation
    """The table."""
    column: str
    """The column as it was called; of a new column, as it is called."""
    new_name: str | None = None
    """What it is called now, where it was renamed."""
    type: str | None = None
    """The type it had, or has where it is new, in the warehouse's own words."""
    new_type: str | None = None
    """The type it has now, where that changed."""
    description: str = ""
    """Of a new column: what the yml is to say of it."""
    never_null: bool = False
    """Of a new column: no row is NULL in it, so the yml may demand that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YmlFile:
    """A yml file that describes models."""

    path: str
    """Relative to the dbt project."""
    text: str | None
    """As it is on disk; None where it is to be created."""


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
    columns: tuple[ColumnFault, ...] = ()
    """Where columns of a table that it reads are at fault. They are mended together: a model that
    lacks two columns is not built with one of them back."""
    known: Mapping[Relation, Sequence[str]] = field(
        default_factory=lambda: dict[Relation, Sequence[str]]()
    )
    """Columns of the tables it reads, those at fault among them, as far as they are known."""
    yml: YmlFile | None = None
    """The file that describes the model, where the change should describe something."""
    one_row_per_key: OneRowPerKey | None = None
    """Which row stays, where rows repeat a key."""
    conversion: Conversion | None = None
    """Which converted amounts to take, where currencies are mixed."""
    null_guards: tuple[NullGuard, ...] = ()
    """What is to be guarded, where NULL takes rows or values away. They are guarded together."""

    def mended(self, *, title: str, rationale: str, text: str) -> ProposedChange:
        """The change that gives the model's file another text."""
        return ProposedChange(
            title=title,
            rationale=rationale,
            edits=(FileEdit(path=self.path, before=self.text, after=text),),
            assets=(self.asset,),
        )


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
