"""`Proposal`: what a specialist would change, and what would prove it. Only recorded."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.model import Invariant, ProposedChange, Recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change that passed the edit policy, or the claim that no code is wrong."""

    id: str
    """`P1`, `P2`, ..."""
    change: ProposedChange | None
    """None: the data that arrived is wrong, and no code is."""
    recheck: Recheck
    """What is to be red without it and green with it."""
    invariant: Invariant | None
    """Only with `Recheck.INVARIANT`."""
