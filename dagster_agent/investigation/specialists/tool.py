"""`Tool`: one thing that a specialist may look at, as a value with typed arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

import dagster_agent.investigation.tools as members
from dagster_agent.catalog import Catalog
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.specialists.proposal import Proposal
from dagster_agent.model import Asset, Relation, ResultTable
from dagster_agent.ports import Warehouse


class ToolError(DagsterAgentError):
    """A tool cannot do what was asked. The message goes back to the model as it is."""


class ToolArguments(BaseModel):
    """What every call says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(description="Why you need this now, in one sentence. People read it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What tools read. None of it can be written through."""

    codebase: Codebase
    """Code and history."""
    warehouse: Warehouse
    """Data, behind the read-only guard."""
    dossier: Dossier
    """What was collected before."""
    now: datetime
    """UTC."""
    secrets: tuple[str, ...] = ()
    """Values that never leave."""
    proposals: dict[str, Proposal] = field(default_factory=lambda: dict[str, Proposal]())
    """What was proposed so far, by id: the one thing that tools add to."""

    @property
    def manifest(self) -> Manifest:
        """Of the project."""
        return self.codebase.manifest

    def asset(self, name: str) -> Asset:
        """What the model means by a name.

        Raises:
            ToolError: Nothing, or several things; near matches are named.
        """
        try:
            return self.manifest.find(name)
        except ConfigError as error:
            raise ToolError(error.message, hint=error.hint) from None

    def relation(self, asset: Asset) -> Relation:
        """Where its rows are.

        Raises:
            ToolError: It is ephemeral.
        """
        if asset.relation is None:
            raise ToolError(f"{asset.name} is ephemeral: it has no table", hint="look at its SQL")
        return asset.relation


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a tool found."""

    data: Any
    """For the model: mappings, sequences, texts and numbers; redacted and cut by the toolbox."""
    summary: str
    """For people, in the run's log: one line with numbers."""
    query: str | None = None
    """The SQL that was run, where there was one."""
    table: ResultTable | None = None
    """Its masked result, for the report."""


A = TypeVar("A", bound=ToolArguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A catalogue member; its docstring is what the model is told."""

    id: str
    """Public id; the model knows it with underscores."""
    arguments: type[ToolArguments]
    """Validates what the model gives."""
    run: Callable[[Any, Bench], ToolOutput]
    """Looks; raises ToolError, or another error of ours."""
    evidence: str
    """`Evidence.kind` of what it shows."""
    description: str
    """The docstring of the function that was decorated."""

    @property
    def name(self) -> str:
        """As the model calls it."""
        return self.id.replace("-", "_")


def tool(
    *,
    id: str,  # noqa: A002 - the public name of the field
    arguments: type[A],
    evidence: str = "code",
) -> Callable[[Callable[[A, Bench], ToolOutput]], Tool]:
    """Turn a function into a `Tool`; registers nothing."""

    def build(run: Callable[[A, Bench], ToolOutput]) -> Tool:
        description = inspect.cleandoc(run.__doc__ or "")
        return Tool(id=id, arguments=arguments, run=run, evidence=evidence, description=description)

    return build


def tools() -> Catalog[Tool]:
    """All tools: ours and those of installed entry points."""
    return Catalog(members, Tool)
