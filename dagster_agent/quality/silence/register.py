"""Which silent troubles are known, so that each is told once and closed when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.model import Symptom

ALIVE = "silence/alive"
"""Key in the state store: since when each trouble is known, by its own key."""

_EVERY_TICK = ("queued", "running", "schedule", "sensor", "deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one look has changed."""

    new: tuple[Symptom, ...]
    """Troubles that were not known before, each once."""
    over: tuple[str, ...]
    """Keys of those that are no longer there, sorted."""
    alive: Mapping[str, str]
    """All that are there now: the moment they were seen first (ISO 8601, UTC), by key."""


def key(symptom: Symptom) -> str:
    """What makes it the same trouble again."""
    return f"{symptom.check} {symptom.asset or ''}".strip()


def looked_at_always(trouble: str) -> bool:
    """Whether every look judges troubles of this kind anew: unseen means over."""
    return trouble.removeprefix("silence/").split(" ")[0] in _EVERY_TICK


def register(
    known: Mapping[str, str],
    seen: Sequence[Symptom],
    now: datetime,
    *,
    judged: Callable[[str], bool],
) -> Change:
    """Compare what is seen with what was known.

    Args:
        known: `Change.alive` of the look before.
        seen: What is seen now.
        now: UTC.
        judged: Whether this look would have seen the trouble of that key.
    """
    first = {key(symptom): symptom for symptom in reversed(seen)}
    over = {k for k in known if k not in first and judged(k)}
    alive = {k: since for k, since in known.items() if k not in over}
    new = {k: symptom for k, symptom in first.items() if k not in known}
    alive |= {k: now.isoformat() for k in new}
    return Change(
        new=tuple(new[k] for k in sorted(new)),
        over=tuple(sorted(over)),
        alive=dict(sorted(alive.items())),
    )
