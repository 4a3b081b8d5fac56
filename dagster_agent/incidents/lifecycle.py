"""Where an incident may go from where it stands."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from dagster_agent.errors import ConfigError
from dagster_agent.model import Incident, IncidentStatus

_OPEN = IncidentStatus.OPEN
_RETRYING = IncidentStatus.RETRYING
_INVESTIGATING = IncidentStatus.INVESTIGATING
_WAITING = IncidentStatus.WAITING
_SNOOZED = IncidentStatus.SNOOZED
_RESOLVED = IncidentStatus.RESOLVED
_DISMISSED = IncidentStatus.DISMISSED

TRANSITIONS = {
    _OPEN: frozenset({_RETRYING, _INVESTIGATING, _WAITING, _SNOOZED, _RESOLVED, _DISMISSED}),
    # to itself: the next retry
    _RETRYING: frozenset({_RETRYING, _OPEN, _INVESTIGATING, _SNOOZED, _RESOLVED, _DISMISSED}),
    # to itself: the run that investigated it died, another one takes over
    _INVESTIGATING: frozenset({_INVESTIGATING, _OPEN, _WAITING, _SNOOZED, _RESOLVED, _DISMISSED}),
    _WAITING: frozenset({_INVESTIGATING, _SNOOZED, _RESOLVED, _DISMISSED}),
    _SNOOZED: frozenset({_SNOOZED, _OPEN, _INVESTIGATING, _WAITING, _RESOLVED, _DISMISSED}),
    # a person says that it never was one
    _RESOLVED: frozenset({_DISMISSED}),
    _DISMISSED: frozenset[IncidentStatus](),
}
"""From each status to those it may change to. What comes back after it was closed is new."""


def move(
    incident: Incident,
    status: IncidentStatus,
    *,
    now: datetime,
    snoozed_until: datetime | None = None,
) -> Incident:
    """The incident in its new status.

    Args:
        incident: As it stands.
        status: Where it goes.
        now: UTC.
        snoozed_until: UTC; only with SNOOZED.

    Raises:
        ConfigError: It cannot go there from where it stands.
    """
    if status not in TRANSITIONS[incident.status]:
        raise ConfigError(
            f"incident {incident.id} is {incident.status} and cannot become {status}",
            hint="investigate its asset: that opens a new incident",
        )
    until = snoozed_until if status is IncidentStatus.SNOOZED else None
    return dataclasses.replace(incident, status=status, updated_at=now, snoozed_until=until)
