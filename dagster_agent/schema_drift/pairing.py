"""Which columns of two schemas are the same ones, and which of them changed places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from dagster_agent.model import ColumnSchema

Pairs = Sequence[tuple[ColumnSchema, ColumnSchema]]
"""Columns as accepted and as observed, in the accepted order."""


def pair_columns(
    before: Sequence[ColumnSchema], after: Sequence[ColumnSchema]
) -> tuple[Pairs, Sequence[ColumnSchema], Sequence[ColumnSchema]]:
    """Columns that stayed, those gone, those new.

    Columns are the same when their names are, letter case ignored where no name matches exactly.
    """
    left = {column.name: column for column in after}
    partners: dict[str, ColumnSchema] = {}
    for spelled in (str, str.casefold):
        spellings = {spelled(name): name for name in left}
        for column in before:
            name = spellings.get(spelled(column.name))
            if column.name not in partners and name in left:
                partners[column.name] = left.pop(name)
    pairs = [(column, partners[column.name]) for column in before if column.name in partners]
    gone = [column for column in before if column.name not in partners]
    return pairs, gone, [column for column in after if column.name in left]


def moved_columns(pairs: Pairs) -> tuple[str, ...]:
    """The fewest columns whose move explains the new order: those outside the longest run."""
    positions = [new.position for _, new in pairs]
    tails: list[int] = []  # by length of run: index of the smallest position that ends one
    before: list[int] = []  # by index: index of the one before it in its run, or -1
    for index, position in enumerate(positions):
        length = bisect_left(tails, position, key=positions.__getitem__)
        before.append(tails[length - 1] if length else -1)
        tails[length : length + 1] = [index]
    kept: set[int] = set()
    index = tails[-1] if tails else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return tuple(new.name for index, (_, new) in enumerate(pairs) if index not in kept)
