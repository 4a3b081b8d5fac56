"""What a dbt contract promises of a model's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dagster_agent.dbt.manifest_file import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One constraint, of a column or of the whole model."""

    type: str
    """`not_null`, `unique`, `primary_key`, `foreign_key`, `check` or `custom`."""
    columns: tuple[str, ...]
    """Columns it is about; of a `check` on the model there may be none."""
    expression: str | None = None
    """SQL of a `check`; what follows `references` of an older `foreign_key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Types and constraints as written in the yml."""

    enforced: bool = False
    """Whether dbt refuses to build the model otherwise; no warehouse enforces all constraints."""
    types: Mapping[str, str]
    """Type by column, where the contract is enforced; else it is documentation."""
    constraints: tuple[Constraint, ...] = ()
    """Those of columns in column order, then those of the model."""


def contract(node: Node) -> Contract:
    """Read a node's; empty for one that has none."""
    enforced = bool((node.config.contract or {}).get("enforced"))
    columns = (node.columns or {}).values()
    types = {column.name: column.data_type for column in columns if column.data_type}
    return Contract(
        enforced=enforced,
        types=types if enforced else {},
        constraints=tuple(_constraints(node)),
    )


def _constraints(node: Node) -> Iterator[Constraint]:
    for column in (node.columns or {}).values():
        for given in column.constraints or ():
            yield _constraint(given, (column.name,))
    for given in node.constraints or ():
        yield _constraint(given, tuple(str(name) for name in given.get("columns") or ()))


def _constraint(given: Mapping[str, Any], columns: tuple[str, ...]) -> Constraint:
    expression = given.get("expression")
    return Constraint(
        type=str(given.get("type", "")),
        columns=columns,
        expression=str(expression) if expression else None,
    )
