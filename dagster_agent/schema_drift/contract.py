"""What the yml promises of a table's columns, and where the table differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dagster_agent.model import TableSchema
from dagster_agent.schema_drift.types import TypeChange, compare_types, same_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One column that is not as promised."""

    column: str
    """Its name in the yml, or in the table where the yml has none."""
    promised: str
    """Type in the yml; empty for a column that was not promised."""
    found: str
    """Type in the table; empty for one that is not there."""
    serious: bool
    """It is missing or of another kind, as opposed to wider, narrower or too many."""


def breaches(types: Mapping[str, str], observed: TableSchema, *, dialect: str) -> Iterator[Breach]:
    """Where a table breaks an enforced contract, in the order of the yml, then of the table.

    Args:
        types: Type by column as the contract gives it; nothing is broken without any.
        observed: The table.
        dialect: sqlglot's name of the dialect of the types.
    """
    known = {name.casefold() for name in types}
    for name, promised in types.items():
        column = observed.column(name)
        if column is None:
            yield Breach(column=name, promised=promised, found="", serious=True)
        elif not same_kind(promised, column.type, dialect=dialect):
            change = compare_types(promised, column.type, dialect=dialect)
            serious = change is TypeChange.CHANGED
            yield Breach(column=name, promised=promised, found=column.type, serious=serious)
    for column in observed.columns if types else ():
        if column.name.casefold() not in known:
            yield Breach(column=column.name, promised="", found=column.type, serious=False)
