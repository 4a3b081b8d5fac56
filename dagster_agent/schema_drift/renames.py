"""Which gone column and which new one are the same column under another name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.types import TypeChange, compare_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A column that probably has another name now."""

    before: ColumnSchema
    """As accepted."""
    after: ColumnSchema
    """As observed."""
    confidence: float
    """0 to 1."""
    evidence: str
    """What speaks for it."""


def match_renames(
    gone: Sequence[ColumnSchema],
    new: Sequence[ColumnSchema],
    *,
    baseline: TableSchema,
    observed: TableSchema,
    dialect: str,
    least: float,
) -> tuple[Rename, ...]:
    """Pair columns of equal type, the most confident pair first; each column is used once.

    Three observations count, each as one minus the share of doubt it leaves: similar names (up to
    0.8), the same neighbours in the table (up to 0.55), no other candidate of that type (0.2).

    Returns:
        Pairs of at least the confidence `least`, in the old table order.
    """
    candidates: list[Rename] = []
    for old in gone:
        fitting = [column for column in new if _same_type(old, column, dialect)]
        rivals = [column for column in gone if _same_type(old, column, dialect)]
        alone = len(fitting) == 1 and len(rivals) == 1
        for column in fitting:
            place = _place(old, column, baseline, observed)
            candidates.append(_judge(old, column, place=place, alone=alone))
    taken: set[str] = set()
    pairs: list[Rename] = []
    for rename in sorted(candidates, key=lambda r: (-r.confidence, r.before.name, r.after.name)):
        names = {f"-{rename.before.name}", f"+{rename.after.name}"}
        if rename.confidence >= least and not names & taken:
            taken |= names
            pairs.append(rename)
    return tuple(sorted(pairs, key=lambda r: r.before.position))


def _judge(old: ColumnSchema, new: ColumnSchema, *, place: float, alone: bool) -> Rename:
    likeness = _likeness(old.name, new.name)
    doubt = (1 - 0.8 * max(0.0, (likeness - 0.3) / 0.7)) * (1 - 0.55 * place)
    confidence = 1 - doubt * (0.8 if alone else 1.0)
    evidence = [f"same type {new.type}", f"names {likeness:.0%} alike"]
    if place:
        evidence.append("same place in the table" if place == 1 else "one neighbour is the same")
    if alone:
        evidence.append("no other candidate of that type")
    return Rename(before=old, after=new, confidence=confidence, evidence=", ".join(evidence))


def _same_type(one: ColumnSchema, other: ColumnSchema, dialect: str) -> bool:
    return compare_types(one.type, other.type, dialect=dialect) is TypeChange.SAME


def _likeness(one: str, other: str) -> float:
    """0 to 1: by letters, or by whole words where that says more (`user_id`, `id_of_user`)."""
    letters = SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio()
    words = [set(re.findall(r"[^\W_]+", name.casefold())) for name in (one, other)]
    shared, every = words[0] & words[1], words[0] | words[1]
    return max(letters, len(shared) / len(every) if every else 0.0)


def _place(
    old: ColumnSchema, new: ColumnSchema, baseline: TableSchema, observed: TableSchema
) -> float:
    """Share of the two neighbours (the table's ends count as one) that are the same."""
    before, after = _neighbours(old, baseline), _neighbours(new, observed)
    return sum(one == other for one, other in zip(before, after, strict=True)) / 2


def _neighbours(column: ColumnSchema, schema: TableSchema) -> tuple[str, str]:
    names = ["", *(c.name.casefold() for c in schema.columns), ""]
    at = names.index(column.name.casefold())
    return names[at - 1], names[at + 1]
