"""What people say to an investigation: it hears each message once, bounded and without secrets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_agent.errors import ConfigError, InvestigationStopped
from dagster_agent.model import Incident, IncidentStatus, Symptom, SymptomKind
from dagster_agent.response import steering
from dagster_agent.response.requests import InvestigationRequest, incident_for
from dagster_agent.response.stages import abandon
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings
from dagster_agent.testing.memory_store import MemoryStore
from dagster_agent.testing.recording_narrator import RecordingNarrator

NOW = datetime(2026, 11, 21, 3, 15, tzinfo=UTC)
INCIDENT = "I-1a2b3c"


def say(store: MemoryStore, message: str, *, to: str = "run-1", by: str = "Mara") -> None:
    steering.steer(store, to, message=message, by=by, at=NOW)


def texts(found: tuple[steering.SteeringMessage, ...]) -> list[str]:
    return [said.message for said in found]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A real workspace whose investigation `run-1` holds the lease of its incident."""
    project = tmp_path / "jaffle"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: jaffle\nversion: '1.0'\nprofile: jaffle\n")
    (project / "profiles.yml").write_text(
        "jaffle:\n  target: dev\n  outputs:\n"
        "    dev: {type: duckdb, path: jaffle.duckdb, password: hunter2-and-more}\n"
    )
    with Workspace.open(
        Settings(), project_dir=project, profiles_dir=project, state_directory=tmp_path / "state"
    ) as opened:
        incident = Incident(
            id=INCIDENT,
            fingerprint="f" * 16,
            title="fct_orders lost rows",
            asset="model.jaffle.fct_orders",
            symptoms=(
                Symptom(
                    kind=SymptomKind.CHECK_FAILED, headline="fct_orders lost rows", observed_at=NOW
                ),
            ),
            opened_at=NOW,
            updated_at=NOW,
            status=IncidentStatus.INVESTIGATING,
        )
        opened.store.save_incident(incident)
        hour = timedelta(hours=1)
        lease = opened.store.acquire_lease(
            f"incident:{INCIDENT}", holder="run-1", ttl=hour, now=NOW
        )
        assert lease is not None
        yield opened


def test_each_message_is_heard_once_in_order_and_by_the_one_that_is_meant() -> None:
    store = MemoryStore()
    say(store, "look at the ERP load")
    say(store, "and at the join")
    say(store, "not for you", to="run-11")
    assert texts(steering.unheard(store, "run-1")) == ["look at the ERP load", "and at the join"]
    assert steering.unheard(store, "run-1") == ()
    say(store, "one more")
    assert texts(steering.unheard(store, "run-1")) == ["one more"]
    assert texts(steering.unheard(store, "run-11")) == ["not for you"]


def test_who_said_it_is_in_the_audit_log() -> None:
    store = MemoryStore()
    say(store, "look at the ERP load")
    (record,) = store.audit()
    assert (record.actor, record.action, record.subject) == ("Mara", "steer", "run-1")
    assert record.detail == {"message": "look at the ERP load"}


def test_a_message_is_text_from_outside() -> None:
    store = MemoryStore()
    steering.steer(
        store,
        "run-1",
        message="password=tr0ub4dor is\x1bhunter2-and-more\u202ehere\x00",
        by=" Mara\n\tthe second ",
        at=NOW,
        secrets=("hunter2-and-more",),
    )
    (said,) = steering.unheard(store, "run-1")
    assert said.message == "password=[redacted] is [redacted] here"
    assert said.by == "Mara the second"
    assert said.at == NOW


def test_a_long_message_is_cut_and_says_so() -> None:
    store = MemoryStore()
    say(store, "x" * 3000, by="y" * 500)
    (said,) = steering.unheard(store, "run-1")
    assert said.message == "x" * 2000 + " … (cut)"
    assert len(said.by) < 100


@pytest.mark.parametrize("nothing", ["", "  \n ", "\x00"])
def test_an_empty_message_is_refused(nothing: str) -> None:
    with pytest.raises(ConfigError, match="the message is empty"):
        say(MemoryStore(), nothing)


@pytest.mark.parametrize(
    ("message", "stops"),
    [
        ("stop", True),
        (" STOP! ", True),
        ("Abort.", True),
        ("stop looking at fct_orders", False),
        ("do not stop", False),
        ("stopwatch", False),
    ],
)
def test_stop_alone_stops(message: str, stops: bool) -> None:
    store = MemoryStore()
    say(store, message)
    (said,) = steering.unheard(store, "run-1")
    assert said.stops is stops


def test_a_hint_is_repeated_in_the_log_and_kept_with_the_incident(workspace: Workspace) -> None:
    narrator = RecordingNarrator()
    assert steering.heard(workspace, "run-1", narrator) == []
    steering.steer(workspace.store, "run-1", message="look at\nthe ERP load", by="Mara", at=NOW)
    assert steering.heard(workspace, "run-1", narrator) == ["look at\nthe ERP load"]
    (step,) = narrator.steps
    assert step.what == "[human] Mara: look at the ERP load"
    assert step.result == f"kept as a hint with {INCIDENT}"
    assert texts(steering.hints(workspace.store, INCIDENT)) == ["look at\nthe ERP load"]
    assert steering.heard(workspace, "run-1", narrator) == []


def test_what_claude_would_read_has_no_secret_of_the_profile(workspace: Workspace) -> None:
    steering.steer(workspace.store, "run-1", message="try hunter2-and-more", by="", at=NOW)
    narrator = RecordingNarrator()
    assert steering.heard(workspace, "run-1", narrator) == ["try [redacted]"]
    assert narrator.steps[0].what.startswith("[human] someone: ")


def test_stop_keeps_the_hints_and_leaves_the_incident_to_a_person(workspace: Workspace) -> None:
    narrator = RecordingNarrator()
    steering.steer(workspace.store, "run-1", message="stop", by="Mara", at=NOW)
    steering.steer(workspace.store, "run-1", message="it is the ERP load", by="Ada", at=NOW)
    with pytest.raises(InvestigationStopped, match="Mara stopped the investigation"):
        steering.heard(workspace, "run-1", narrator)
    assert [step.what for step in narrator.steps] == [
        "[human] Mara: stop",
        "[human] Ada: it is the ERP load",
    ]
    assert texts(steering.hints(workspace.store, INCIDENT)) == ["it is the ERP load"]
    abandon(workspace, "run-1", now=NOW)
    incident = workspace.store.incident(INCIDENT)
    assert incident is not None
    assert incident.status is IncidentStatus.WAITING
    assert not workspace.store.leases(now=NOW)
    # said once: the next investigation is not stopped by it
    assert steering.heard(workspace, "run-1", narrator) == []


def test_a_message_to_a_run_that_holds_no_incident_is_heard_all_the_same(
    workspace: Workspace,
) -> None:
    steering.steer(workspace.store, "run-2", message="hello", by="Mara", at=NOW)
    narrator = RecordingNarrator()
    assert steering.heard(workspace, "run-2", narrator) == ["hello"]
    assert narrator.steps[0].result == "kept as a hint with this run"


def test_running_are_those_that_hold_an_incident(workspace: Workspace) -> None:
    hour = timedelta(hours=1)
    workspace.store.acquire_lease("action:I-1", holder="x", ttl=hour, now=NOW)
    (running,) = steering.running(workspace.store, now=NOW)
    assert running == steering.RunningInvestigation(
        investigation_id="run-1", incident_id=INCIDENT, title="fct_orders lost rows"
    )
    assert steering.running(workspace.store, now=NOW + 2 * hour) == ()


def test_asking_again_with_a_hint_keeps_the_hint(workspace: Workspace) -> None:
    request = InvestigationRequest(incident_id=INCIDENT, hint="the ERP load was late")
    incident = incident_for(workspace, request, orchestrator=None, now=NOW)
    assert incident.id == INCIDENT
    assert texts(steering.hints(workspace.store, INCIDENT)) == ["the ERP load was late"]
    incident_for(workspace, InvestigationRequest(incident_id=INCIDENT), orchestrator=None, now=NOW)
    assert len(steering.hints(workspace.store, INCIDENT)) == 1
