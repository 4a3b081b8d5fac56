"""Which keys of a column's documents came, went, or hold another type, chance excluded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dagster_agent.schema_drift.json_chance import (
    LEVEL,
    all_elsewhere,
    chance_text,
    newly_there,
    share_text,
)
from dagster_agent.schema_drift.json_keys import NULL, ColumnKeys, KeySeen, Path, Spread, path_text
from dagster_agent.schema_drift.json_memory import KnownColumn, KnownKey, first_known, known_key
from dagster_agent.schema_drift.json_query import ANY, EACH
from dagster_agent.schema_drift.types import TypeChange

_OPTIONAL = 0.01
"""A key in a smaller share of the documents may stay away for as long as it likes."""
_LEAST = 10
"""Documents that a failing verdict rests on: a few may be one producer's mistake."""
_LONGER = 2
"""How many times the longest stretch without a key it must be missing: documents come in lots."""
_NEVER = 1 << 60
"""In no document that was looked at."""
_PLAUSIBLE = 0.01
"""Chance from which a key that was not seen before was merely not met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One key that came, went, or holds another type."""

    column: str
    """As the warehouse spells it."""
    path: Path
    """In its documents."""
    kind: Literal["added", "removed", "retyped"]
    """What happened."""
    before: str = ""
    """Its JSON types, as known, joined by `or`."""
    after: str = ""
    """Its JSON types, as found."""
    change: TypeChange = TypeChange.CHANGED
    """Whether what reads the old type can read the new one; of a retyped key."""
    evidence: str = ""
    """In how many documents, before and now, and how likely it is to be chance."""

    @property
    def name(self) -> str:
        """`payload.items[].sku`."""
        return path_text(self.column, self.path)


def key_changes(known: KnownColumn, found: ColumnKeys) -> tuple[KeyChange, ...]:
    """What is different, by path; of what lies in something gone or new, only the outermost.

    Nothing is said of few documents, of keys that were rare, nor of the keys of a map.

    Args:
        known: What was accepted or learned.
        found: A look at the column.
    """
    if not known.documents or not found.documents:
        return ()
    told = [*_removed(known, found), *_added(known, found), *_retyped(known, found)]
    outermost: dict[Path, KeyChange] = {}
    for change in sorted(told, key=lambda each: (len(each.path), each.path)):
        if not any(change.path[:length] in outermost for length in range(len(change.path))):
            outermost[change.path] = change
    return tuple(outermost[path] for path in sorted(outermost))


def learned(
    known: KnownColumn | None,
    found: ColumnKeys,
    changes: Sequence[KeyChange],
    *,
    doubtful: Sequence[KeyChange] = (),
) -> KnownColumn:
    """What is known after a look with which all is well.

    Args:
        known: What was known before.
        found: The look.
        changes: What was told of it, and is right from now on.
        doubtful: What was not told, as too little is known of the table.
    """
    if known is None or not known.documents:
        return first_known(found)
    if not found.documents:
        return known
    changes = [*changes, *(change for change in doubtful if change.kind == "retyped")]
    told = {change.path for change in changes}
    gone = {change.path for change in changes if change.kind == "removed"}
    # what lay in something that is gone, or of another type now, went with it
    keys = {
        path: key
        for path, key in known.keys.items()
        if path in found.keys or not _within(path, told)
    }
    maps = _Maps(known.keys)
    rare: dict[Path, int] = {}
    for path, seen in found.keys.items():
        before, fresh = keys.get(path), known_key(seen, found.documents)
        if _within(path, gone):
            keys[path] = replace(fresh, gone=seen.filled.newest if seen.filled else _NEVER)
        elif before is not None:
            keys[path] = _updated(before, seen, found, retyped=path in told)
        elif _within(path, told) or _unremarkable(path, seen, known, found, maps):
            keys[path] = fresh
        else:
            rare[path] = known.doubtful.get(path, known.documents)
    # a table that was emptied for a moment teaches nothing
    enough = 2 * found.documents >= known.documents
    documents = found.documents if enough else known.documents
    return KnownColumn(documents=documents, keys=keys, doubtful=rare)


def _within(path: Path, outer: set[Path]) -> bool:
    return any(path[:length] in outer for length in range(len(path) + 1))


def _updated(before: KnownKey, seen: KeySeen, found: ColumnKeys, *, retyped: bool) -> KnownKey:
    fresh, filled = known_key(seen, found.documents), seen.filled
    apart = max(before.apart, filled.apart) if filled else before.apart
    if filled is not None:
        # the newest documents that lack it may be the first of many: they are not learned from
        fresh = replace(fresh, among=max(fresh.documents, found.documents - filled.newest + 1))
    if before.gone and (filled is None or filled.newest >= before.gone):
        return replace(fresh, gone=max(before.gone, filled.newest if filled else _NEVER))
    if retyped or before.gone:
        return replace(fresh, apart=apart)
    met = [
        kind
        for kind in fresh.kinds
        if not before.kinds
        or all_elsewhere(seen.kinds[kind].documents, found.documents, before.documents) > _PLAUSIBLE
    ]
    newer = fresh if 2 * fresh.among >= before.among else before
    return replace(
        before,
        documents=newer.documents,
        among=newer.among,
        apart=apart,
        kinds=tuple(sorted({*before.kinds, *met})),
    )


def _removed(known: KnownColumn, found: ColumnKeys) -> Iterator[KeyChange]:
    maps = _Maps(found.keys)
    for path, key in known.keys.items():
        optional = key.documents < _OPTIONAL * key.among
        if not path or path[-1] in (ANY, EACH) or key.gone or optional:
            continue
        missing = _missing(path, found)
        chance = all_elsewhere(key.documents, key.among, missing)
        if missing < _LEAST or chance > LEVEL or not _longer(missing, key, found):
            continue
        if maps.have(path):
            continue
        seen = found.keys.get(path)
        yield KeyChange(
            column=found.column,
            path=path,
            kind="removed",
            before=_kinds(key.kinds),
            after=NULL if seen is not None and NULL in seen.kinds else "",
            evidence=f"{share_text(key.documents, key.among)} of the documents had it, and none"
            f" of the newest {missing:,} has ({chance_text(chance)})",
        )


def _longer(missing: int, key: KnownKey, found: ColumnKeys) -> bool:
    """Whether it is missing for much longer than between two documents, or in all of them."""
    return missing > _LONGER * key.apart or missing >= found.documents


def _missing(path: Path, found: ColumnKeys) -> int:
    """The newest documents without it, from the newest one that has what it lies in."""
    beyond = found.documents + 1
    parent, seen = found.keys.get(path[:-1]), found.keys.get(path)
    outer = parent.filled if parent else None
    filled = seen.filled if seen else None
    first = outer.newest if outer else beyond
    return (filled.newest if filled else beyond) - first


def _added(known: KnownColumn, found: ColumnKeys) -> Iterator[KeyChange]:
    maps = _Maps(known.keys)
    for path, seen in found.keys.items():
        if not path or path in known.keys or path[-1] in (ANY, EACH) or maps.have(path):
            continue
        chance = _chance_of_new(path, seen, known, found)
        if chance > LEVEL or seen.filled is None:
            continue
        yield KeyChange(
            column=found.column,
            path=path,
            kind="added",
            after=_kinds(seen.kinds),
            evidence=f"{seen.filled.documents:,} of {found.documents:,} documents have it",
        )


def _chance_of_new(path: Path, seen: KeySeen, known: KnownColumn, found: ColumnKeys) -> float:
    filled = seen.filled
    if filled is None:
        return 1.0
    before = known.doubtful.get(path, known.documents)
    return newly_there(filled.documents, filled.oldest, found.documents, before)


def _unremarkable(
    path: Path, seen: KeySeen, known: KnownColumn, found: ColumnKeys, maps: _Maps
) -> bool:
    """Learned without a word: a map's key, elements, or what had merely not been met."""
    if path[-1:] in ((ANY,), (EACH,)) or maps.have(path):
        return True
    return _chance_of_new(path, seen, known, found) > _PLAUSIBLE


def _retyped(known: KnownColumn, found: ColumnKeys) -> Iterator[KeyChange]:
    for path, seen in found.keys.items():
        key, filled = known.keys.get(path), seen.filled
        if key is None or filled is None or not key.kinds:
            continue
        for kind, spread in seen.kinds.items():
            if kind == NULL or _holds(key.kinds, kind) or spread.documents < _LEAST:
                continue
            chance = newly_there(spread.documents, spread.oldest, found.documents, key.documents)
            if chance > LEVEL or _over(spread, filled):
                continue
            old = [s.newest for k, s in seen.kinds.items() if k in key.kinds]
            kinds = [k for k in seen.kinds if k != NULL] if _mixed(spread.newest, old) else [kind]
            yield KeyChange(
                column=found.column,
                path=path,
                kind="retyped",
                before=_kinds(key.kinds),
                after=_kinds(kinds),
                change=_change(key.kinds, kind),
                evidence=f"{spread.documents:,} of {found.documents:,} documents have the new type,"
                f" and none of {key.documents:,} before had ({chance_text(chance)})",
            )


def _over(spread: Spread, filled: Spread) -> bool:
    """The new type has been away for longer than it ever was: somebody reverted it."""
    away = spread.newest - filled.newest
    return away >= _LEAST and away > _LONGER * spread.apart


def _mixed(newest: int, old: Sequence[int]) -> bool:
    """The old types still come: not all of the newest documents have the new one."""
    return bool(old) and min(old) < newest + _LEAST


def _holds(kinds: Sequence[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _change(before: Sequence[str], kind: str) -> TypeChange:
    """A whole number is a number; all else is another kind of values."""
    return TypeChange.WIDENED if kind == "number" and "integer" in before else TypeChange.CHANGED


def _kinds(kinds: Sequence[str] | Mapping[str, object]) -> str:
    return " or ".join(sorted(kind for kind in kinds if kind != NULL))


class _Maps:
    """Where maps are among some paths."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._maps = tuple(path for path in self._paths if ANY in path)

    def have(self, path: Path) -> bool:
        """Whether it is a map's key: told here as `*`, or itself one that these are told of."""
        others = self._paths if ANY in path else self._maps
        return any(
            len(other) == len(path)
            and other != path
            and all(a == b or ANY in (a, b) for a, b in zip(path, other, strict=True))
            for other in others
        )
