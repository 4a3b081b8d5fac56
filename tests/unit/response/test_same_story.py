"""Two investigations that come to the same cause end as one finding with one decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_agent.errors import ConfigError
from dagster_agent.incidents import intake
from dagster_agent.model import (
    DecisionKind,
    FileEdit,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    ProposedChange,
    PullRequest,
    PullRequestState,
    Report,
    Symptom,
    SymptomKind,
    Verdict,
)
from dagster_agent.response.acting import hand_over, join_twin, retire_earlier
from dagster_agent.response.decisions import decide
from dagster_agent.response.inbox import inbox
from dagster_agent.response.workspace import Workspace
from dagster_agent.testing.recording_narrator import RecordingNarrator
from tests.memory_workspace import memory_workspace

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ENRICHED, ORDERS = "model.shop.int_orders_enriched", "model.shop.fct_orders"
LOST = Symptom(
    kind=SymptomKind.CHECK_FAILED,
    headline="int_orders_enriched lost 4,504 of 50,352 rows",
    observed_at=NOW,
    asset=ENRICHED,
    check="reconciliation/row-accounting",
)
FEWER = replace(
    LOST,
    headline="fct_orders on 2026-11-20: row_count fell by 9 %",
    observed_at=NOW + timedelta(hours=2),
    asset=ORDERS,
    check="anomaly/daily",
)
ASKED = Symptom(
    kind=SymptomKind.QUESTION,
    headline="why did revenue drop on Tuesday?",
    observed_at=NOW + timedelta(hours=3),
    asset=ORDERS,
)
EDIT = FileEdit(path="models/int_orders_enriched.sql", before="inner join", after="left join")


def pull_request(number: int, state: PullRequestState = PullRequestState.DRAFT) -> PullRequest:
    return PullRequest(
        number=number,
        url=f"file:///remote/{number}",
        branch="agent/left-join",
        base="main",
        title="Keep orders without a customer",
        head_sha="4f060b1",
        state=state,
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with memory_workspace(tmp_path) as (opened, _):
        yield opened


def told(
    workspace: Workspace,
    number: int,
    *symptoms: Symptom,
    edit: FileEdit = EDIT,
    request: PullRequest | None,
) -> Finding:
    """An incident that is investigated, and its finding with a change."""
    incident = Incident(
        id=f"I-{number}",
        fingerprint=str(number),
        title=symptoms[0].headline,
        asset=symptoms[0].asset,
        symptoms=symptoms,
        opened_at=NOW,
        updated_at=NOW,
        status=IncidentStatus.INVESTIGATING,
    )
    report = Report(
        incident_id=incident.id,
        asset=ENRICHED,
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline=LOST.headline,
        evidence=(),
        started_at=NOW,
        finished_at=NOW,
        change=ProposedChange(
            title="Keep orders without a customer",
            rationale="",
            edits=(edit,),
            assets=(ENRICHED,),
        ),
    )
    finding = Finding(id=f"F-{number}", report=report, created_at=NOW, pull_request=request)
    workspace.store.save_incident(incident)
    workspace.store.save_finding(finding)
    return finding


def concluded(workspace: Workspace, finding: Finding) -> Finding:
    """As the last station leaves it."""
    finding = join_twin(workspace, finding, RecordingNarrator(), NOW)
    workspace.store.save_finding(finding)
    retire_earlier(workspace, finding, NOW)
    hand_over(workspace, finding, NOW)
    return finding


def status(workspace: Workspace, number: int) -> IncidentStatus:
    incident = workspace.store.incident(f"I-{number}")
    assert incident is not None
    return incident.status


@pytest.mark.parametrize("request_", [pull_request(2), None], ids=["pull request", "no git"])
def test_a_later_symptom_of_the_same_cause_goes_to_the_earlier_finding(
    workspace: Workspace, request_: PullRequest | None
) -> None:
    first = concluded(workspace, told(workspace, 1, LOST, request=request_))
    assert (first.status, status(workspace, 1)) == (FindingStatus.OPEN, IncidentStatus.WAITING)
    second = concluded(workspace, told(workspace, 2, FEWER, request=request_))
    assert (second.status, status(workspace, 2)) == (
        FindingStatus.RESOLVED,
        IncidentStatus.RESOLVED,
    )
    assert second.resolved_because == (
        "same cause and same change as finding F-1, which is decided there"
    )
    home = workspace.store.incident("I-1")
    assert home is not None
    assert home.symptoms == (LOST, FEWER), "it closes only when both are gone"
    assert [finding.id for finding in inbox(workspace, now=NOW).waiting] == ["F-1"]
    (entry,) = (r for r in workspace.store.audit() if r.action == "merge-incident")
    assert (entry.subject, entry.detail["into"]) == ("I-2", "I-1")


def test_a_question_is_answered_and_keeps_no_incident_open(workspace: Workspace) -> None:
    concluded(workspace, told(workspace, 1, LOST, request=pull_request(2)))
    answer = concluded(workspace, told(workspace, 2, ASKED, request=pull_request(2)))
    assert answer.status is FindingStatus.RESOLVED
    home = workspace.store.incident("I-1")
    assert home is not None
    assert home.symptoms == (LOST,)


def test_a_decision_on_the_second_is_pointed_to_the_first(workspace: Workspace) -> None:
    concluded(workspace, told(workspace, 1, LOST, request=None))
    concluded(workspace, told(workspace, 2, FEWER, request=None))
    with pytest.raises(ConfigError, match="already resolved") as refused:
        decide(workspace, "F-2", DecisionKind.APPROVE, decided_by="mia", now=NOW)
    assert "finding F-1" in str(refused.value.hint)


def test_while_others_take_in_symptoms_it_stays_open(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WAIT_SECONDS", 0.0)
    concluded(workspace, told(workspace, 1, LOST, request=pull_request(2)))
    finding = told(workspace, 2, FEWER, request=pull_request(2))
    held = workspace.store.acquire_lease(
        "incident-intake", holder="another process", ttl=timedelta(minutes=1), now=NOW
    )
    assert held is not None
    second = concluded(workspace, finding)
    assert (second.status, status(workspace, 2)) == (FindingStatus.OPEN, IncidentStatus.WAITING)


@pytest.mark.parametrize("why", ["other change", "other pull request", "rejected", "closed"])
def test_what_is_not_told_elsewhere_stays_open(workspace: Workspace, why: str) -> None:
    first = concluded(workspace, told(workspace, 1, LOST, request=pull_request(2)))
    if why == "rejected":
        workspace.store.save_finding(replace(first, status=FindingStatus.REJECTED))
    if why == "closed":
        incident = workspace.store.incident("I-1")
        assert incident is not None
        workspace.store.save_incident(replace(incident, status=IncidentStatus.RESOLVED))
    edit = replace(EDIT, after="full join") if why == "other change" else EDIT
    number = 3 if why == "other pull request" else 2
    second = concluded(
        workspace, told(workspace, 2, FEWER, edit=edit, request=pull_request(number))
    )
    assert (second.status, status(workspace, 2)) == (FindingStatus.OPEN, IncidentStatus.WAITING)


@pytest.mark.parametrize("earlier", [None, pull_request(2)])
def test_who_asks_again_has_the_newest_answer_alone(
    workspace: Workspace, earlier: PullRequest | None
) -> None:
    first = concluded(workspace, told(workspace, 1, LOST, request=earlier))
    report = replace(first.report, headline="the ERP load was late")
    concluded(workspace, replace(first, id="F-9", report=report, pull_request=pull_request(2)))
    assert [finding.id for finding in inbox(workspace, now=NOW).waiting] == ["F-9"]
    retired = workspace.store.finding("F-1")
    assert retired is not None
    assert retired.resolved_because == "looked into again: finding F-9 takes its place"
    (entry,) = (r for r in workspace.store.audit() if r.action == "replace-finding")
    assert (entry.subject, entry.detail["by"]) == ("F-1", "F-9")


@pytest.mark.parametrize("why", ["approved", "a pull request of its own"])
def test_what_still_binds_somebody_is_not_replaced(workspace: Workspace, why: str) -> None:
    first = concluded(workspace, told(workspace, 1, LOST, request=pull_request(2)))
    if why == "approved":
        workspace.store.save_finding(replace(first, status=FindingStatus.APPROVED))
    number = 2 if why == "approved" else 3
    concluded(workspace, replace(first, id="F-9", pull_request=pull_request(number)))
    kept = workspace.store.finding("F-1")
    assert kept is not None
    assert kept.status in (FindingStatus.OPEN, FindingStatus.APPROVED)
