from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import LeaseHeld
from dagster_agent.incidents import intake
from dagster_agent.incidents.config import IncidentsConfig
from dagster_agent.incidents.intake import Intake, waiting
from dagster_agent.incidents.lifecycle import move
from dagster_agent.model import Incident, IncidentStatus, Severity, Symptom, SymptomKind
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seen(name: str | None, hours: float = 0, **changes: object) -> Symptom:
    known = Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline=f"{name} is wrong",
        observed_at=NOW + hours * HOUR,
        asset=name and f"model.shop.{name}",
        check="rows",
        run_id="run-1",
    )
    return dataclasses.replace(known, **changes)


class Desk:
    """A store and a manifest, with the clock on it."""

    def __init__(self, manifest: Manifest) -> None:
        self.store = MemoryStore()
        self.manifest = manifest
        self.config = IncidentsConfig()

    def take_in(self, *symptoms: Symptom, hours: float = 0) -> Intake:
        return intake.take_in(
            symptoms,
            store=self.store,
            manifest=self.manifest,
            now=NOW + hours * HOUR,
            config=self.config,
        )

    def put(self, incident: Incident, status: IncidentStatus, **more: datetime) -> None:
        self.store.save_incident(move(incident, status, now=NOW, **more))

    def assets(self) -> list[str | None]:
        return [i.asset and i.asset.rsplit(".", 1)[1] for i in self.store.incidents()]


@pytest.fixture
def desk(manifest: Manifest) -> Desk:
    return Desk(manifest)


ANY_SYMPTOM = st.builds(
    seen,
    st.sampled_from(["raw_orders", "stg_orders", "stg_customers", "fct_orders", "gone", None]),
    st.integers(0, 30),
    kind=st.sampled_from(SymptomKind),
    check=st.sampled_from(["rows", "keys", None]),
    run_id=st.sampled_from(["run-1", "run-2", None]),
    severity=st.sampled_from(Severity),
)
BATCHES = st.lists(st.lists(ANY_SYMPTOM, max_size=6), max_size=4)


@given(batches=BATCHES, seed=st.integers())
def test_no_symptom_is_lost_and_a_batch_twice_opens_nothing(
    manifest: Manifest, batches: list[list[Symptom]], seed: int
) -> None:
    desk = Desk(manifest)
    shaken = random.Random(seed)  # noqa: S311
    for batch in batches:
        desk.take_in(*batch)
        for incident in desk.store.incidents(open_only=True):
            if incident.status is IncidentStatus.OPEN and shaken.random() < 0.3:
                desk.put(incident, IncidentStatus.WAITING)
        again = desk.take_in(*shaken.sample(batch, len(batch)))
        assert again.opened == ()
    kept = [s for i in desk.store.incidents() for s in i.symptoms]
    assert all(symptom in kept for batch in batches for symptom in batch)


@given(batch=st.lists(ANY_SYMPTOM, max_size=8), seed=st.integers())
def test_the_order_of_a_batch_does_not_matter(
    manifest: Manifest, batch: list[Symptom], seed: int
) -> None:
    first, second = Desk(manifest), Desk(manifest)
    first.take_in(*batch)
    second.take_in(*random.Random(seed).sample(batch, len(batch)))  # noqa: S311
    assert first.store.incidents() == second.store.incidents()


def test_one_incident_per_story(desk: Desk) -> None:
    taken = desk.take_in(seen("fct_orders", 0.1), seen("stg_orders"), seen("stg_flights"))
    assert sorted(map(str, desk.assets())) == ["stg_flights", "stg_orders"]
    assert len(taken.opened) == 2
    assert taken.joined == ()
    story = next(i for i in taken.opened if i.asset == "model.shop.stg_orders")
    assert story.title == "stg_orders is wrong"
    assert story.assets == ("model.shop.fct_orders", "model.shop.stg_orders")
    assert story.opened_at == story.updated_at == NOW
    assert story.id[:2] == "I-"
    assert len(story.id) == 8


def test_the_same_trouble_next_day_joins_while_it_is_open_and_is_new_after(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    taken = desk.take_in(seen("stg_orders", 24), hours=24)
    assert taken.opened == ()
    assert [i.id for i in taken.joined] == [first.id]
    assert taken.joined[0].updated_at == NOW + 24 * HOUR
    desk.put(taken.joined[0], IncidentStatus.RESOLVED)
    (second,) = desk.take_in(seen("stg_orders", 48), hours=48).opened
    assert second.id != first.id
    assert second.fingerprint == first.fingerprint


def test_a_consequence_joins_the_open_incident_upstream(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    taken = desk.take_in(seen("daily_revenue", 1), hours=1)
    assert taken.opened == ()
    assert [i.id for i in taken.joined] == [first.id]
    assert taken.joined[0].asset == "model.shop.stg_orders"


def test_what_was_looked_into_explains_nothing_new(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    desk.put(first, IncidentStatus.WAITING)
    assert len(desk.take_in(seen("daily_revenue", 1), hours=1).opened) == 1
    another = seen("stg_orders", 1, check="another check")
    assert [i.id for i in desk.take_in(another, hours=1).joined] == [first.id]
    again = desk.take_in(seen("stg_orders", 2), hours=2)
    assert [i.id for i in again.joined] == [first.id]


def test_trouble_downstream_long_after_is_a_new_incident(desk: Desk) -> None:
    desk.take_in(seen("stg_orders"))
    assert len(desk.take_in(seen("daily_revenue", 7), hours=7).opened) == 1


def test_a_cause_seen_after_its_consequence_takes_over_an_incident_nobody_looked_into(
    desk: Desk,
) -> None:
    (first,) = desk.take_in(seen("fct_orders")).opened
    taken = desk.take_in(seen("stg_orders", 1), seen("fct_orders", 1), hours=1)
    assert taken.opened == ()
    assert [(i.id, i.asset, i.title) for i in taken.joined] == [
        (first.id, "model.shop.stg_orders", "stg_orders is wrong")
    ]


def test_a_cause_seen_after_the_investigation_is_an_incident_of_its_own(desk: Desk) -> None:
    (first,) = desk.take_in(seen("fct_orders")).opened
    desk.put(first, IncidentStatus.WAITING)
    taken = desk.take_in(seen("stg_orders", 1), seen("fct_orders", 1), hours=1)
    assert [i.asset for i in taken.opened] == ["model.shop.stg_orders"]
    assert [i.id for i in taken.joined] == [first.id]
    assert [len(i.symptoms) for i in (*taken.opened, *taken.joined)] == [1, 2]


def test_checks_join_the_failed_run_they_were_seen_in(desk: Desk) -> None:
    failed = seen(None, kind=SymptomKind.RUN_FAILED, check=None)
    (first,) = desk.take_in(failed).opened
    taken = desk.take_in(seen("stg_orders", 1), hours=1)
    assert [(i.id, i.asset) for i in taken.joined] == [(first.id, "model.shop.stg_orders")]
    later = desk.take_in(seen(None, 2, kind=SymptomKind.RUN_FAILED, check=None, headline="again"))
    assert [i.id for i in later.joined] == [first.id]


def test_a_question_opens_its_own_incident_even_about_a_broken_asset(desk: Desk) -> None:
    desk.take_in(seen("stg_orders"))
    question = seen("stg_orders", kind=SymptomKind.QUESTION, check=None, detail="why?")
    (asked,) = desk.take_in(question).opened
    assert asked.asset == "model.shop.stg_orders"
    assert desk.take_in(dataclasses.replace(question, run_id="other")).joined[0].id == asked.id


def test_snoozed_incidents_stay_quiet_until_the_end_of_the_snooze(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    desk.put(first, IncidentStatus.SNOOZED, snoozed_until=NOW + 24 * HOUR)
    (joined,) = desk.take_in(seen("stg_orders", 23), hours=23).joined
    assert joined.status is IncidentStatus.SNOOZED
    assert waiting(desk.store, limit=5) == ()
    (joined,) = desk.take_in(seen("stg_orders", 24), hours=24).joined
    assert (joined.status, joined.snoozed_until) == (IncidentStatus.OPEN, None)
    assert [i.id for i in waiting(desk.store, limit=5)] == [first.id]


def test_waiting_is_capped_worst_first_and_comes_back_until_it_is_looked_into(desk: Desk) -> None:
    names = ["stg_flights", "stg_customers", "raw_orders", "a", "b", "c", "d"]
    for hours, name in enumerate(names):
        severity = Severity.ERROR if name in ("c", "raw_orders") else Severity.WARN
        desk.take_in(seen(name, hours, severity=severity), hours=hours)
    limit = IncidentsConfig().max_investigations_per_tick
    first = waiting(desk.store, limit)
    assert [i.title.split()[0] for i in first] == [
        "raw_orders",
        "c",
        "stg_flights",
        "stg_customers",
        "a",
    ]
    for incident in first:
        desk.put(incident, IncidentStatus.INVESTIGATING)
    assert [i.title.split()[0] for i in waiting(desk.store, limit)] == ["b", "d"]


def test_an_investigation_that_died_is_handed_to_a_person(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    desk.put(first, IncidentStatus.INVESTIGATING)
    held = desk.store.acquire_lease(f"incident:{first.id}", holder="run", ttl=HOUR, now=NOW)
    assert held is not None
    desk.take_in()
    assert [i.status for i in desk.store.incidents()] == [IncidentStatus.INVESTIGATING]
    desk.take_in(hours=1)
    assert [i.status for i in desk.store.incidents()] == [IncidentStatus.WAITING]


def test_an_incident_keeps_the_first_and_the_newest_occurrences(desk: Desk) -> None:
    desk.config = IncidentsConfig(max_symptoms_per_fingerprint=3)
    for hours in range(6):
        desk.take_in(seen("stg_orders", hours), hours=hours)
    (incident,) = desk.store.incidents()
    assert [s.observed_at for s in incident.symptoms] == [NOW + n * HOUR for n in (0, 4, 5)]


def test_an_id_that_is_taken_is_not_overwritten(desk: Desk) -> None:
    (first,) = desk.take_in(seen("stg_orders")).opened
    desk.put(first, IncidentStatus.DISMISSED)
    (second,) = desk.take_in(seen("stg_orders")).opened
    assert first.id != second.id
    assert len(desk.store.incidents()) == 2


def test_two_processes_do_not_take_in_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_WAIT_SECONDS", 0.1)
    other = desk.store.acquire_lease("incident-intake", holder="other", ttl=HOUR, now=NOW)
    assert other is not None
    with pytest.raises(LeaseHeld, match="another process"):
        desk.take_in(seen("stg_orders"))
    assert desk.store.incidents() == []
    desk.store.release_lease(other)
    assert len(desk.take_in(seen("stg_orders")).opened) == 1
    assert desk.store.leases(now=NOW) == []
