"""Is a key away for longer than it has been before?

Documents come in lots: at night, once a week, after a campaign. What a look at the newest documents
misses then comes back, and how long that took is remembered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from dagster_agent.schema_drift.json_keys import Path
from dagster_agent.schema_drift.json_memory import KnownColumn, KnownKey

_LONGER = 2
"""How many times the longest absence is longer than usual."""
_DAY = timedelta(days=1)
"""For how long what went on the first day may stay away: it comes at night, as likely as not."""


def stays_away(key: KnownKey, now: datetime) -> bool:
    """Whether a key that is missing is so for longer than it ever was and came back."""
    gone_at = key.away_since or now
    if key.since is not None and gone_at - key.since < _DAY:
        return False  # it came in one lot, and may in the next
    usual = max(_LONGER * key.longest_away, _DAY if key.away_early else timedelta())
    return not usual or now - gone_at > usual


def absences(
    known: KnownColumn,
    before: KnownColumn | None,
    missing: Collection[Path],
    *,
    now: datetime,
    trained: bool,
) -> KnownColumn:
    """What is known, with who went away at this look and who is back.

    Args:
        known: What is known but for that.
        before: What was before this look.
        missing: Keys that this look missed, whether that was told or not.
        now: UTC.
        trained: A day of documents was seen.
    """

    def kept(key: KnownKey, missing: bool) -> KnownKey:
        if missing and key.away_since is None:
            return replace(key, away_since=now, away_early=not trained)
        if missing or key.away_since is None:
            return key
        longest = max(key.longest_away, now - key.away_since)
        return replace(key, away_since=None, away_early=False, longest_away=longest)

    keys = {path: kept(key, path in missing) for path, key in known.keys.items()}
    if before is not None and before.documents:
        new = keys.keys() - before.keys.keys()
        keys |= {path: replace(keys[path], since=now) for path in new}
    return replace(known, keys=dict(sorted(keys.items())))
