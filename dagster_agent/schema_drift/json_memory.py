"""What is known of a column's documents: accepted with the schema, learned on while all is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dagster_agent.schema_drift.json_keys import NULL, ColumnKeys, KeySeen, Path

_MOST = 2000
"""Keys remembered of a column, the commonest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key as it is known."""

    documents: int
    """That had it, with more than null in it."""
    among: int
    """Documents looked at then."""
    apart: int = 1
    """The farthest that two of them ever lay apart."""
    kinds: tuple[str, ...] = ()
    """JSON types but null, sorted."""
    since: datetime | None = None
    """UTC; the look at which it was new; None where it was there from the first."""
    away_since: datetime | None = None
    """UTC; the first look at which it was missing, while it is."""
    away_early: bool = False
    """That was when less than a day of documents had been seen."""
    longest_away: timedelta = timedelta()
    """The longest that it ever was missing and came back."""
    gone: int = 0
    """Where it was accepted that it is gone: from which document on, counted from the newest, it
    was still there. It is back when it is in a newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownColumn:
    """The documents of a column as they are known."""

    documents: int
    """Looked at."""
    keys: Mapping[Path, KnownKey]
    """By path."""
    doubtful: Mapping[Path, int] = field(default_factory=lambda: dict[Path, int]())
    """Keys seen too seldom to be called new, with how many documents before had none of them."""


Known = Mapping[str, KnownColumn]
"""By column, as the warehouse spells it."""


def known_key(seen: KeySeen, documents: int) -> KnownKey:
    """A key as its first look found it: that the newest documents lack it is how it is."""
    filled = seen.filled
    return KnownKey(
        documents=filled.documents if filled else 0,
        among=documents,
        apart=max(filled.apart, filled.newest) if filled else 1,
        kinds=tuple(sorted(kind for kind in seen.kinds if kind != NULL)),
    )


def first_known(found: ColumnKeys) -> KnownColumn:
    """All that a look found, taken as right."""
    keys = {path: known_key(seen, found.documents) for path, seen in found.keys.items()}
    return KnownColumn(documents=found.documents, keys=_commonest(keys))


def to_plain(known: Known) -> dict[str, Any]:
    """As the state store keeps it."""
    return {
        name: {
            "documents": column.documents,
            "keys": [_plain_key(path, key) for path, key in sorted(column.keys.items())],
            "doubtful": [[list(path), before] for path, before in sorted(column.doubtful.items())],
        }
        for name, column in sorted(known.items())
    }


def from_plain(kept: Mapping[str, Any]) -> Known:
    """The reverse of `to_plain`."""
    return {
        str(name): KnownColumn(
            documents=int(column["documents"]),
            keys={
                tuple(path): KnownKey(
                    documents=documents,
                    among=among,
                    apart=apart,
                    kinds=tuple(kinds),
                    gone=gone,
                    since=datetime.fromisoformat(new) if new else None,
                    away_since=datetime.fromisoformat(away) if away else None,
                    away_early=early,
                    longest_away=timedelta(seconds=longest),
                )
                for path, documents, among, apart, kinds, gone, new, away, early, longest in (
                    column["keys"]
                )
            },
            doubtful={tuple(path): before for path, before in column["doubtful"]},
        )
        for name, column in kept.items()
    }


def _plain_key(path: Path, key: KnownKey) -> list[Any]:
    moments = [each.isoformat() if each else None for each in (key.since, key.away_since)]
    away = [*moments, key.away_early, key.longest_away.total_seconds()]
    return [list(path), key.documents, key.among, key.apart, list(key.kinds), key.gone, *away]


def _commonest(keys: Mapping[Path, KnownKey]) -> dict[Path, KnownKey]:
    ranked = sorted(keys.items(), key=lambda item: (-item[1].documents, item[0]))
    return dict(sorted(ranked[:_MOST]))
