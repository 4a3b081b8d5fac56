"""Which gone column and which new one are the same column under another name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dagster_agent.model import ColumnSchema, TableSchema
from dagster_agent.schema_drift.fingerprints import Samples
from dagster_agent.schema_drift.types import TypeChange, compare_types

_SAME_VALUES = 0.9
"""Share of doubt that is gone when all sampled values are the same."""
_OTHER_VALUES = 0.6
"""Factor of a confidence when none of the values is, while other columns kept theirs."""
_FEW = 0.05


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clues:
    """What is known of a pair besides its names."""

    place: float
    """Share of neighbours that are the same."""
    alone: bool
    """Neither has another candidate."""
    shared: float | None
    """Share of sampled values that are the same; None where that is not known."""
    steady: bool
    """Other columns kept their values."""


def match_renames(
    gone: Sequence[ColumnSchema],
    new: Sequence[ColumnSchema],
    *,
    baseline: TableSchema,
    observed: TableSchema,
    dialect: str,
    least: float,
    samples: Samples | None = None,
) -> tuple[Rename, ...]:
    """Pair columns of equal type, the most confident pair first; each column is used once.

    Observations count as one minus the share of doubt they leave: the same sampled values (up to
    0.9), similar names (up to 0.8), the same neighbours in the table (up to 0.55), no other
    candidate of that type (0.2). Values that have nothing in common speak against it, unless those
    of the columns that stayed were replaced as well.

    Returns:
        Pairs of at least the confidence `least`, in the old table order.
    """
    samples = samples or Samples()
    steady = samples.steady()
    candidates: list[Rename] = []
    for old in gone:
        fitting = [column for column in new if _same_type(old, column, dialect)]
        rivals = [column for column in gone if _same_type(old, column, dialect)]
        for column in fitting:
            clues = _Clues(
                place=_place(old, column, baseline, observed),
                alone=len(fitting) == 1 and len(rivals) == 1,
                shared=samples.overlap(old.name, column.name),
                steady=steady,
            )
            candidates.append(_judge(old, column, clues))
    taken: set[str] = set()
    pairs: list[Rename] = []
    for rename in sorted(candidates, key=_rank):
        names = {f"-{rename.before.name}", f"+{rename.after.name}"}
        if rename.confidence >= least and not names & taken:
            taken |= names
            pairs.append(rename)
    return tuple(sorted(pairs, key=lambda r: r.before.position))


def _rank(rename: Rename) -> tuple[float, str, str]:
    """The same for a pair whichever of the two schemas is the old one."""
    first, second = sorted((rename.before.name, rename.after.name))
    return -rename.confidence, first, second


def _judge(old: ColumnSchema, new: ColumnSchema, clues: _Clues) -> Rename:
    likeness = _likeness(old.name, new.name)
    doubt = (1 - 0.8 * max(0.0, (likeness - 0.3) / 0.7)) * (1 - 0.55 * clues.place)
    doubt *= 0.8 if clues.alone else 1.0
    evidence = [f"same type {new.type}", f"names {likeness:.0%} alike"]
    if clues.place:
        told = "same place in the table" if clues.place == 1 else "one neighbour is the same"
        evidence.append(told)
    if clues.alone:
        evidence.append("no other candidate of that type")
    factor = 1.0
    if clues.shared is not None and clues.shared >= _FEW:
        doubt *= 1 - _SAME_VALUES * clues.shared
        evidence.append(f"{clues.shared:.0%} of sampled values the same")
    elif clues.shared is not None and clues.steady:
        factor = _OTHER_VALUES
        evidence.append("but none of the sampled values the same")
    return Rename(
        before=old, after=new, confidence=(1 - doubt) * factor, evidence=", ".join(evidence)
    )


def _same_type(one: ColumnSchema, other: ColumnSchema, dialect: str) -> bool:
    return compare_types(one.type, other.type, dialect=dialect) is TypeChange.SAME


def _likeness(one: str, other: str) -> float:
    """0 to 1: by letters, or by whole words where that says more (`user_id`, `id_of_user`)."""
    folded = one.casefold(), other.casefold()
    # the ratio depends on which text comes first
    letters = max(
        SequenceMatcher(None, *names, autojunk=False).ratio() for names in (folded, folded[::-1])
    )
    words = [set(re.findall(r"[^\W_]+", name)) for name in folded]
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
