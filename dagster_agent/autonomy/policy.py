"""The four tiers, and the actions that exist."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from dagster_agent.errors import ConfigError


class Tier(IntEnum):
    """What the agent may do about something, from the most to the least permissive."""

    DO = 1
    """Do it."""
    DO_AND_NOTIFY = 2
    """Do it and tell people at once."""
    PROPOSE_AND_WAIT = 3
    """Do it when a person has approved."""
    ALERT_ONLY = 4
    """Never; say what a person would have to do."""

    @property
    def label(self) -> str:
        """As it is written in settings: `propose-and-wait`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that changes the world, or what the agent takes as right."""

    id: str
    """Public and stable: it stands in settings and in the audit log."""
    tier: Tier
    """Unless the settings say otherwise."""
    max_per_hour: int
    """Unless the settings say otherwise."""
    reason: str
    """Why this tier."""


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        action.id: action
        for action in (
            Action(
                id="retry-run",
                tier=Tier.DO,
                max_per_hour=20,
                reason="the same run again does nothing that its schedule would not do",
            ),
            Action(
                id="ask-claude",
                tier=Tier.DO,
                max_per_hour=30,
                reason="it only reads, and was switched on with a budget of its own",
            ),
            Action(
                id="cancel-queued-run",
                tier=Tier.DO,
                max_per_hour=60,
                reason="it was switched on with `schema_drift.cancel_queued`, and a run that waits"
                " can be launched again",
            ),
            Action(
                id="open-pull-request",
                tier=Tier.DO,
                max_per_hour=10,
                reason="a draft on a branch of its own changes nothing until a person merges it",
            ),
            Action(
                id="apply-change",
                tier=Tier.PROPOSE_AND_WAIT,
                max_per_hour=10,
                reason="it changes a production model without a review",
            ),
            Action(
                id="mark-pull-request-ready",
                tier=Tier.PROPOSE_AND_WAIT,
                max_per_hour=60,
                reason="it asks reviewers for their time and may start an automatic merge",
            ),
            Action(
                id="close-pull-request",
                tier=Tier.PROPOSE_AND_WAIT,
                max_per_hour=60,
                reason="a person may be working on it",
            ),
            Action(
                id="accept-schema",
                tier=Tier.PROPOSE_AND_WAIT,
                max_per_hour=200,
                reason="it turns a red check green; only the owner knows whether it was intended",
            ),
            Action(
                id="mark-expected",
                tier=Tier.PROPOSE_AND_WAIT,
                max_per_hour=200,
                reason="it makes a check take an unusual value as ordinary; only its owner knows",
            ),
        )
    }
)


def action(action_id: str) -> Action:
    """The action of that id.

    Raises:
        ConfigError: There is none; names near matches.
    """
    if action_id in ACTIONS:
        return ACTIONS[action_id]
    near = difflib.get_close_matches(action_id, ACTIONS, n=2)
    raise ConfigError(
        f"unknown action {action_id!r}",
        hint=f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(ACTIONS)}",
    )


def permits(tier: Tier, *, approved: bool) -> bool:
    """Whether it may be done now. A more permissive tier permits all that a stricter one does."""
    if tier is Tier.PROPOSE_AND_WAIT:
        return approved
    return tier < Tier.PROPOSE_AND_WAIT
