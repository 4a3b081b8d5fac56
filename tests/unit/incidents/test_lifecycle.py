from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.errors import ConfigError
from dagster_agent.incidents.lifecycle import TRANSITIONS, move
from dagster_agent.model import OPEN_STATUSES, Incident, IncidentStatus

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)


def incident(status: IncidentStatus) -> Incident:
    return Incident(
        id="I-3f2a1c",
        fingerprint="f",
        title="t",
        asset=None,
        symptoms=(),
        opened_at=NOW,
        updated_at=NOW,
        status=status,
        snoozed_until=NOW if status is IncidentStatus.SNOOZED else None,
    )


@given(path=st.lists(st.sampled_from(IncidentStatus), max_size=8))
def test_what_is_closed_is_never_opened_again(path: list[IncidentStatus]) -> None:
    now = incident(IncidentStatus.OPEN)
    closed = False
    for status in path:
        if status in TRANSITIONS[now.status]:
            now = move(now, status, now=NOW)
        closed = closed or now.status not in OPEN_STATUSES
        assert (now.status not in OPEN_STATUSES) == closed


def test_every_status_has_its_transitions_and_can_be_closed_while_open() -> None:
    assert set(TRANSITIONS) == set(IncidentStatus)
    for status in OPEN_STATUSES:
        assert {IncidentStatus.RESOLVED, IncidentStatus.DISMISSED} <= TRANSITIONS[status]


def test_the_usual_way() -> None:
    later = NOW + timedelta(minutes=1)
    now = incident(IncidentStatus.OPEN)
    for status in (
        IncidentStatus.INVESTIGATING,
        IncidentStatus.WAITING,
        IncidentStatus.INVESTIGATING,
        IncidentStatus.WAITING,
        IncidentStatus.RESOLVED,
    ):
        now = move(now, status, now=later)
    assert (now.status, now.updated_at, now.opened_at) == (IncidentStatus.RESOLVED, later, NOW)


def test_illegal_moves_say_what_stands_and_what_to_do() -> None:
    with pytest.raises(ConfigError, match="I-3f2a1c is dismissed and cannot become waiting") as e:
        move(incident(IncidentStatus.DISMISSED), IncidentStatus.WAITING, now=NOW)
    assert e.value.hint


def test_snooze_has_an_end_that_is_forgotten_afterwards() -> None:
    until = NOW + timedelta(days=1)
    snoozed = move(
        incident(IncidentStatus.WAITING), IncidentStatus.SNOOZED, now=NOW, snoozed_until=until
    )
    assert snoozed.snoozed_until == until
    woken = move(snoozed, IncidentStatus.OPEN, now=NOW)
    assert woken.snoozed_until is None
