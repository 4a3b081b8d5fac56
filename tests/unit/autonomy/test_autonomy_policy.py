from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_agent.autonomy.config import AutonomyConfig
from dagster_agent.autonomy.policy import ACTIONS, Tier, action, permits
from dagster_agent.errors import ConfigError


@given(approved=st.booleans())
def test_a_more_permissive_tier_permits_all_that_a_stricter_one_does(approved: bool) -> None:
    for permissive, strict in pairwise(Tier):
        assert permits(permissive, approved=approved) >= permits(strict, approved=approved)


@given(tier=st.sampled_from(Tier))
def test_an_approval_never_takes_a_right_away(tier: Tier) -> None:
    assert permits(tier, approved=True) >= permits(tier, approved=False)


def test_what_each_tier_permits() -> None:
    assert [(permits(t, approved=False), permits(t, approved=True)) for t in Tier] == [
        (True, True),
        (True, True),
        (False, True),
        (False, False),
    ]


def test_what_changes_a_production_model_waits_by_default() -> None:
    config = AutonomyConfig()
    assert {name: config.tier(name) for name in ACTIONS} == {
        "retry-run": Tier.DO,
        "ask-claude": Tier.DO,
        "cancel-queued-run": Tier.DO,
        "open-pull-request": Tier.DO,
        "apply-change": Tier.PROPOSE_AND_WAIT,
        "mark-pull-request-ready": Tier.PROPOSE_AND_WAIT,
        "close-pull-request": Tier.PROPOSE_AND_WAIT,
        "accept-schema": Tier.PROPOSE_AND_WAIT,
        "mark-expected": Tier.PROPOSE_AND_WAIT,
    }
    assert all(found.reason for found in ACTIONS.values())


def test_tiers_are_set_by_number_or_name() -> None:
    given_tiers = {"open-pull-request": "alert-only", "accept-schema": 1}
    config = AutonomyConfig.model_validate({"tiers": given_tiers})
    assert config.tier("open-pull-request") is Tier.ALERT_ONLY
    assert config.tier("accept-schema") is Tier.DO
    assert config.tier("close-pull-request") is Tier.PROPOSE_AND_WAIT


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tiers": {"open-pull-reqest": 4}}, "did you mean open-pull-request"),
        ({"tiers": {"open-pull-request": "never"}}, "unknown tier 'never'; known: do, "),
        ({"tiers": {"open-pull-request": 5}}, "open-pull-request"),
        ({"max_per_hour": {"opn": 4}}, "unknown action 'opn'"),
        ({"max_per_hour": {"accept-schema": -1}}, "greater than or equal to 0"),
        ({"pause": True}, "pause"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AutonomyConfig.model_validate(values)


def test_unknown_action_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown action 'zzz'.*known: retry-run, "):
        action("zzz")
