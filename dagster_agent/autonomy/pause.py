"""The pause switch that works at once, in every process, without a deployment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dagster_agent.ports import StateStore

_KEY = "autonomy/paused"


def pause(store: StateStore, *, by: str, reason: str, now: datetime) -> None:
    """Stop every action until somebody resumes.

    Args:
        store: The state that all processes of the agent share.
        by: Who pauses.
        reason: Why; shown with every action that is refused.
        now: UTC.
    """
    store.put(_KEY, {"by": by, "reason": reason, "at": now})
    _record(store, "pause", by=by, detail={"reason": reason}, now=now)


def resume(store: StateStore, *, by: str, now: datetime) -> None:
    """Let the policy decide again."""
    store.put(_KEY, None)
    _record(store, "resume", by=by, detail={}, now=now)


def paused(store: StateStore) -> str | None:
    """Who paused when and why, as one sentence; None when nobody did."""
    found = store.get(_KEY)
    return f"paused by {found['by']} at {found['at']}: {found['reason']}" if found else None


def _record(
    store: StateStore, action: str, *, by: str, detail: dict[str, Any], now: datetime
) -> None:
    store.append_audit(
        at=now, actor=by, action=action, subject="autonomy", allowed=True, detail=detail
    )
