"""Tables of very many columns: first groups of columns are compared by their hashes.

What tells of one column takes some 800 characters of a statement: of 2,000 columns that is more
than the guard reads, and PostgreSQL selects no more than 1,664 expressions. So a group of columns
stands as one column, its hash; where some groups differ, their columns are compared one by one
while the hash of all others keeps rows what they are: no pair of rows is equal that is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell
from dagster_agent.reconciliation.canonical import ValueKind
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumn, ComparedColumns
from dagster_agent.reconciliation.row_comparison.difference import PlanChosen, RowDifference
from dagster_agent.reconciliation.row_comparison.result import KINDS
from dagster_agent.reconciliation.row_comparison.row_hash import row_hash

WIDE = 100
"""Compared columns from which it is cheaper."""
_TOGETHER = 128
"""Columns that one statement tells of."""
_TOLERANT_TOGETHER = 380
"""The same where a tolerance decides: whether a row differs is for one statement to say. It has
four expressions for each."""
_LINES = 20
"""Columns that are shown of one row."""
_OTHERS = ""
"""Name of the column that stands for all that are not told of: no real one has it."""

Compare = Callable[[ComparedColumns, float | None], RowDifference]
"""Compares two tables by these columns; the share of their rows that is expected to differ."""


def compare_wide(
    columns: ComparedColumns, expected_share: float | None, dialect: str, compare: Compare
) -> RowDifference:
    """Compare tables of one store.

    Args:
        columns: More than `WIDE`.
        expected_share: As of `comparing.compare_rows`.
        dialect: sqlglot's name.
        compare: What compares a few columns.

    Raises:
        ConfigError: More columns with a tolerance differ than can be judged together.
    """
    if not columns.keys:
        shown = _told(columns, columns.values[:_LINES], dialect)
        return compare(shown, expected_share)
    size = max(2, math.isqrt(len(columns.values)) // 2)
    groups = _cut(columns.values, size)
    grouped = [_hash_of(str(n), group, dialect) for n, group in enumerate(groups)]
    first = compare(replace(columns, values=tuple(grouped)), expected_share)
    differing = {column.column for column in first.columns}
    told = f"{len(columns.values):,} columns, compared in {len(groups)} groups first"
    if not differing:
        return replace(first, plan=replace(first.plan, reason=f"{first.plan.reason}; {told}"))
    suspects = [c for n, group in enumerate(groups) if str(n) in differing for c in group]
    share = first.differing / max(1, first.rows_ours, first.rows_theirs)

    def each(wanted: Sequence[ComparedColumn]) -> list[RowDifference]:
        return [compare(_told(columns, some, dialect), share) for some in _together(wanted)]

    found = each(suspects)
    if len(found) == 1 and any(c.column == _OTHERS for c in found[0].columns):
        # several rows of one key were paired otherwise than before
        found = each(columns.values)
    told = f"{told}, then {len(suspects):,} columns of the {len(differing)} that differ"
    return _merged(first, found, told)


def _cut(columns: Sequence[ComparedColumn], size: int) -> list[Sequence[ComparedColumn]]:
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _together(columns: Sequence[ComparedColumn]) -> list[Sequence[ComparedColumn]]:
    """Cut into what one statement can tell of."""
    tolerant = sum(column.tolerant for column in columns)
    if not tolerant:
        return _cut(columns, _TOGETHER)
    if len(columns) <= _TOLERANT_TOGETHER:
        return [columns]
    raise ConfigError(
        f"some value differs in up to {len(columns):,} columns, {tolerant:,} of which have a "
        f"tolerance; at most {_TOLERANT_TOGETHER} can be judged together then",
        hint="list fewer `columns`, or split them among several entries of `reconcile`",
    )


def _hash_of(name: str, columns: Sequence[ComparedColumn], dialect: str) -> ComparedColumn:
    """Columns as one: values differ if and only if some of theirs do."""
    ours, theirs = (
        row_hash([c.ours if mine else c.theirs for c in columns], dialect) for mine in (True, False)
    )
    kind = ValueKind(name="other")
    return ComparedColumn(
        name=name, kind=kind, ours=ours, theirs=theirs, native=True, text=False, hashed=True
    )


def _told(
    columns: ComparedColumns, some: Sequence[ComparedColumn], dialect: str
) -> ComparedColumns:
    """Some columns, and one for all others."""
    chosen = {column.name for column in some}
    others = [column for column in columns.values if column.name not in chosen]
    rest = [_hash_of(_OTHERS, others, dialect)] if others else []
    return replace(columns, values=(*some, *rest))


def _merged(first: RowDifference, found: Sequence[RowDifference], told: str) -> RowDifference:
    """The answer for all columns.

    Args:
        first: Of the groups; right about rows where no tolerance counts.
        found: Of columns, one or more statements.
        told: What was done.
    """
    whole = found[0] if len(found) == 1 else first
    every = [first, *found]
    plan = PlanChosen(
        name=first.plan.name,
        reason=f"{first.plan.reason}; {told}",
        bytes_moved=sum(each.plan.bytes_moved for each in every),
        statements=sum(each.plan.statements for each in every),
        rows_fetched=sum(each.plan.rows_fetched for each in every),
    )
    changed = (row for each in found for row in each.examples.rows if row[0] == "changed")
    rows = (row for row in whole.examples.rows if row[0] != "changed")
    shown = sorted((*rows, *_few(changed)), key=lambda row: KINDS.index(str(row[0])))
    columns = (column for each in found for column in each.columns)
    return replace(
        whole,
        columns=tuple(column for column in columns if column.column != _OTHERS),
        examples=replace(whole.examples, rows=tuple(shown)),
        plan=plan,
        queries=tuple(query for each in every for query in each.queries),
    )


def _few(rows: Iterable[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """Lines of one key together, no more of them than are shown."""
    by_key: dict[tuple[Cell, ...], list[tuple[Cell, ...]]] = {}
    for row in rows:
        by_key.setdefault(row[1:-3], []).append(row)
    for lines in by_key.values():
        yield from lines[:_LINES]
