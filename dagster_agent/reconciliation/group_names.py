"""Names of groups (days, segments): the same on both sides, and as they may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from dagster_agent.model import Cell, ResultTable

T = TypeVar("T")

Mask = Callable[[ResultTable], ResultTable]
"""Hides the values of a small table that may not leave the warehouse."""


def by_name(groups: Iterable[tuple[Cell, T]]) -> Mapping[str, T]:
    """Groups of one side by their names, which both sides give alike; none is lost.

    A day is a day whatever type it is kept in, 1.00 is 1, and spaces at the end mean nothing: they
    are how one side pads. Where one side itself tells `DE` from `DE ` both are kept, the longer one
    in quotes.
    """
    found: dict[str, T] = {}
    for value, group in sorted(groups, key=lambda g: (g[0] is not None, len(str(g[0])), str(g[0]))):
        name = _name(value)
        exact = str(value)
        while name in found:
            name = exact = repr(exact)
        found[name] = group
    return found


def _name(value: Cell) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else str(value).strip()


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
