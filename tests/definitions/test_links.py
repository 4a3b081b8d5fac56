from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import yaml

from dagster_agent.definitions.links import (
    Place,
    accept_link,
    decision_config,
    decision_links,
    follow_up_links,
    investigation_config,
)
from dagster_agent.definitions.names import Names
from dagster_agent.model import DecisionKind, Finding, FindingStatus, Report, Verdict

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = Names("agent")
HERE = Place(location="shop")


def finding(status: FindingStatus = FindingStatus.OPEN) -> Finding:
    report = Report(
        incident_id="I-77",
        asset=None,
        verdict=Verdict.CANNOT_TELL,
        confidence=0.0,
        headline="h",
        evidence=(),
        started_at=NOW,
        finished_at=NOW,
    )
    return Finding(id="F-3abd25", report=report, created_at=NOW, status=status, run_id="r-1")


def target(link: str) -> tuple[str, str, object]:
    title, _, address = link[1:].removesuffix(")").partition("](")
    parts = urlsplit(address)
    return title, parts.path, yaml.safe_load(parse_qs(parts.query)["config"][0])


def test_a_finding_offers_every_decision_with_the_form_filled_in() -> None:
    approve, reject, snooze = decision_links(finding(), HERE, NAMES).split(" · ")
    assert target(approve) == (
        "Approve",
        "/locations/shop/jobs/agent_decide/playground/setup",
        decision_config("F-3abd25", DecisionKind.APPROVE),
    )
    assert target(reject)[2] == decision_config("F-3abd25", DecisionKind.REJECT)
    assert target(snooze)[0] == "Snooze one day"
    again, run = follow_up_links(finding(), HERE, NAMES).split(" · ")
    assert target(again) == (
        "Ask again with a hint",
        "/locations/shop/jobs/agent_investigate/playground/setup",
        investigation_config(incident_id="I-77", hint=""),
    )
    assert run == "[Show the run](/runs/r-1)"


def test_links_are_short_enough_to_be_shown_at_once() -> None:
    place = Place(location="a_code_location_with_a_long_name")
    assert len(decision_links(finding(), place, NAMES)) < 1000


def test_what_is_decided_is_not_offered_again() -> None:
    links = decision_links(finding(FindingStatus.APPROVED), HERE, NAMES).split(" · ")
    assert [link.split("]")[0] for link in links] == ["[Reject", "[Snooze one day"]
    assert decision_links(finding(FindingStatus.REJECTED), HERE, NAMES) == ""


def test_an_unknown_place_is_said_in_words_instead_of_a_broken_link() -> None:
    nowhere = Place(location=None)
    by_hand = decision_links(finding(), nowhere, NAMES)
    assert "`agent_decide` with `finding_id: F-3abd25`" in by_hand
    assert "](" not in by_hand
    again, run = follow_up_links(finding(), nowhere, NAMES).split(" · ")
    assert "`agent_investigate` with `incident_id: I-77`" in again
    assert run == "[Show the run](/runs/r-1)"
    assert "asset: a/b" in accept_link("a/b", nowhere, NAMES)


def test_names_of_places_and_answers_are_escaped() -> None:
    place = Place(location="my shop/ü", repository="classic")
    address = place.launchpad("agent_decide", {"x": "a & b: #1)"})
    assert address is not None
    assert address.startswith("/locations/classic%40my%20shop%2F%C3%BC/jobs/agent_decide/")
    assert ")" not in address
    assert yaml.safe_load(parse_qs(urlsplit(address).query)["config"][0]) == {"x": "a & b: #1)"}
