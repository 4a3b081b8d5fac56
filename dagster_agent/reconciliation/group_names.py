"""Names of groups (days, segments) as they may be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from dagster_agent.model import Cell, ResultTable

Mask = Callable[[ResultTable], ResultTable]
"""Hides the values of a small table that may not leave the warehouse."""


def shown_names(mask: Mask, column: str, names: Sequence[str]) -> Mapping[str, str]:
    """What may be shown of the values of a column that is grouped by, by the value's text.

    Days and numbers are masked as what they are, not as the text that names them here.
    """
    table = ResultTable(columns=(column,), rows=tuple((_value_of(name),) for name in names))
    hidden = mask(table).rows
    return {name: str(value) for name, (value,) in zip(names, hidden, strict=True)}


def _value_of(text: str) -> Cell:
    for read in (date.fromisoformat, Decimal):
        try:
            return read(text)
        except (ValueError, ArithmeticError):
            continue
    return text
