"""What every `StateStore` must do: SQLite, PostgreSQL and the fake.

This file is long because it is the contract of one port, which a new store has to meet whole.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.state_stores.audit_chain import verify_chain
from dagster_agent.model import (
    AuditRecord,
    Baseline,
    BlastRadius,
    Cause,
    ColumnSchema,
    Decision,
    DecisionKind,
    Detection,
    DetectionStatus,
    Evidence,
    FileEdit,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Lease,
    MetricPoint,
    ProposedChange,
    PullRequest,
    PullRequestState,
    Question,
    Relation,
    Report,
    ResultTable,
    Severity,
    Symptom,
    SymptomKind,
    TableDiff,
    TableSchema,
    Verdict,
    Verification,
    VerificationStep,
)
from dagster_agent.ports import StateStore
from dagster_agent.ports.state_store import KEPT_POINTS
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "memory", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database()
    opened = open_store(url)
    yield opened
    opened.close()


def symptom(**changes: object) -> Symptom:
    known = Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline="stg_flüge lost 15.6 % of its rows",
        observed_at=NOW,
        asset="model.flights.stg_flüge",
        check='row "count"',
        run_id="3f2a",
        metrics={"rows": 284170.0, "share": math.inf},
    )
    return dataclasses.replace(known, **changes)


def incident(number: int = 1, **changes: object) -> Incident:
    known = Incident(
        id=f"I-{number:06x}",
        fingerprint=f"fp{number}",
        title="stg_flüge lost rows",
        asset="model.flights.stg_flüge",
        symptoms=(symptom(), symptom(asset=None, check=None, kind=SymptomKind.RUN_FAILED)),
        opened_at=NOW + number * MINUTE,
        updated_at=NOW + number * MINUTE,
    )
    return dataclasses.replace(known, **changes)


EVERY_CELL = ResultTable(
    columns=("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"),
    rows=(
        (
            None,
            True,
            2**70,
            1.5,
            Decimal("1.20"),
            "2026-01-01",
            b"\x00\xff",
            date(2026, 1, 1),
            datetime(2026, 1, 1, 2, 3, 4, 5),  # noqa: DTZ001 - warehouses know naive timestamps
            time(1, 2, 3, 4),
            timedelta(days=-3, microseconds=7),
        ),
        (
            False,
            0,
            -1,
            -math.inf,
            Decimal("-0.000"),
            "nul \x00, half a pair \ud800, '\"",
            b"",
            date.max,
            datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            time(1, tzinfo=UTC),
            timedelta(0),
        ),
    ),
    truncated=True,
)


def finding(number: int = 1, **changes: object) -> Finding:
    evidence = Evidence(
        kind="row-accounting", statement="52,606 lost", id="E1", query="select 1", result=EVERY_CELL
    )
    report = Report(
        incident_id="I-000001",
        asset="model.flights.stg_flüge",
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline="lost rows",
        evidence=(evidence,),
        started_at=NOW,
        finished_at=NOW + MINUTE,
        cause=Cause(files=("models/stg.sql",), mechanism="inner join", pattern="x", line=24),
        ruled_out=("the load (E4)",),
        blast_radius=BlastRadius(models=("a", "b"), exposures=("dash (ops)",), statement="144"),
        change=ProposedChange(
            title="Keep flights",
            rationale="one word",
            edits=(FileEdit(path="models/stg.sql", before=None, after="select 1\n"),),
            assets=("a",),
        ),
        verification=Verification(
            steps=(VerificationStep(name="apply", passed=True, detail="ok", seconds=0.25),),
            tests_passed=61,
            data_diff=(
                TableDiff(asset="a", rows_before=1, rows_after=2, rows_added=1, rows_removed=0),
            ),
            before=EVERY_CELL,
            after=None,
        ),
        question=Question(text="?", options=("yes", "no"), why="authority"),
    )
    known = Finding(
        id=f"F-{number:06x}",
        report=report,
        created_at=NOW + number * MINUTE,
        pull_request=PullRequest(
            number=7,
            url="file:///x",
            branch="agent/i-1",
            base="main",
            title="t",
            head_sha="abc",
            state=PullRequestState.DRAFT,
        ),
        run_id="run",
    )
    return dataclasses.replace(known, **changes)


def test_incident_comes_back_as_it_was(store: StateStore) -> None:
    snoozed = incident(status=IncidentStatus.SNOOZED, snoozed_until=NOW + timedelta(days=1))
    store.save_incident(snoozed)
    assert store.incident("I-000001") == snoozed
    assert store.incident("I-ffffff") is None


def test_saving_an_incident_again_replaces_it(store: StateStore) -> None:
    store.save_incident(incident())
    store.save_incident(incident(title="later"))
    assert [i.title for i in store.incidents()] == ["later"]


def test_incidents_are_listed_newest_first_and_closed_ones_apart(store: StateStore) -> None:
    same_moment = {"opened_at": NOW}
    store.save_incident(incident(1, **same_moment))
    store.save_incident(incident(2, **same_moment))
    store.save_incident(incident(3, status=IncidentStatus.RESOLVED))
    store.save_incident(incident(4, status=IncidentStatus.DISMISSED))
    assert [i.id for i in store.incidents()] == ["I-000004", "I-000003", "I-000002", "I-000001"]
    assert [i.id for i in store.incidents(open_only=True)] == ["I-000002", "I-000001"]


def test_open_incident_is_found_by_fingerprint_until_it_is_closed(store: StateStore) -> None:
    for status in (IncidentStatus.OPEN, IncidentStatus.INVESTIGATING, IncidentStatus.WAITING):
        store.save_incident(incident(status=status))
        found = store.open_incident("fp1")
        assert found is not None
        assert found.status is status
    store.save_incident(incident(status=IncidentStatus.RESOLVED))
    assert store.open_incident("fp1") is None
    assert store.open_incident("other") is None


def test_finding_with_every_kind_of_cell_comes_back_as_it_was(store: StateStore) -> None:
    store.save_finding(finding())
    kept = store.finding("F-000001")
    assert kept == finding()
    assert kept is not None
    assert kept.report.evidence[0].result is not None
    for before, after in zip(EVERY_CELL.rows, kept.report.evidence[0].result.rows, strict=True):
        assert [type(cell) for cell in after] == [type(cell) for cell in before]
        assert str(after[4]) == str(before[4])  # the scale of a decimal survives
    assert kept.report.verification is not None
    assert kept.report.verification.verified


def test_findings_by_asset_and_openness_newest_first(store: StateStore) -> None:
    for number, status in enumerate(FindingStatus, start=1):
        store.save_finding(finding(number, status=status))
    other = dataclasses.replace(finding().report, asset=None)
    store.save_finding(finding(9, report=other))
    assert [f.id for f in store.findings()] == [f"F-00000{n}" for n in (9, 5, 4, 3, 2, 1)]
    assert [f.status for f in store.findings(asset="model.flights.stg_flüge", open_only=True)] == [
        FindingStatus.SNOOZED,
        FindingStatus.APPROVED,
        FindingStatus.OPEN,
    ]


def test_decisions_are_kept_in_order(store: StateStore) -> None:
    first = Decision(
        finding_id="F-1", kind=DecisionKind.SNOOZE, decided_by="ana", decided_at=NOW, comment="é"
    )
    second = dataclasses.replace(first, kind=DecisionKind.APPROVE, decided_at=NOW + MINUTE)
    other = dataclasses.replace(first, finding_id="F-2", decided_at=NOW + 2 * MINUTE)
    for decision in (other, second, first):
        store.add_decision(decision)
    assert list(store.decisions()) == [first, second, other]
    assert list(store.decisions("F-1")) == [first, second]
    assert list(store.decisions("F-3")) == []


def test_latest_detection_is_the_newest_and_of_equals_the_last_saved(store: StateStore) -> None:
    def detection(minutes: int, headline: str) -> Detection:
        return Detection(
            detector="reconciliation/row-count",
            asset="a",
            status=DetectionStatus.FAILED,
            headline=headline,
            observed_at=NOW + minutes * MINUTE,
            severity=Severity.ERROR,
            metrics={"lost": 52606.0, "bad": math.inf},
            sample=EVERY_CELL,
        )

    for minutes, headline in ((2, "newest"), (2, "corrected"), (1, "late")):
        store.save_detection(detection(minutes, headline))
    assert store.latest_detection("a", "reconciliation/row-count") == detection(2, "corrected")
    assert store.latest_detection("a", "schema-drift") is None
    assert store.latest_detection("b", "reconciliation/row-count") is None


def test_newest_accepted_baseline_counts(store: StateStore) -> None:
    def baseline(minutes: int) -> Baseline:
        return Baseline(
            asset="a",
            schema=TableSchema(
                relation=Relation(database='d"b', name="t"),
                columns=(ColumnSchema(name="Größe", type="DECIMAL(10,2)", position=minutes),),
            ),
            accepted_at=NOW + minutes * MINUTE,
            accepted_by="first-sight",
        )

    assert store.baseline("a") is None
    store.save_baseline(baseline(2))
    store.save_baseline(baseline(1))
    assert store.baseline("a") == baseline(2)


def test_metric_history_is_the_newest_points_oldest_first(store: StateStore) -> None:
    points = [
        MetricPoint(asset="a", metric="row_count", value=float(n), at=NOW + n * MINUTE)
        for n in range(5)
    ]
    store.add_metrics(points)
    store.add_metrics([dataclasses.replace(points[4], value=-4.5)])
    store.add_metrics([])
    history = store.metric_history("a", "row_count", limit=2)
    assert [(p.at, p.value) for p in history] == [
        (NOW + 3 * MINUTE, 3.0),
        (NOW + 4 * MINUTE, -4.5),
    ]
    assert store.metric_history("a", "null_share.x") == []
    store.add_metrics([dataclasses.replace(points[0], metric="bytes")])
    store.add_metrics([dataclasses.replace(points[0], asset="b")])
    every = store.metric_histories("a", limit=2)
    assert {name: [p.value for p in found] for name, found in every.items()} == {
        "bytes": [0.0],
        "row_count": [3.0, -4.5],
    }
    assert store.metric_histories("nobody") == {}


def test_metrics_that_are_no_numbers_survive(store: StateStore) -> None:
    store.add_metrics([MetricPoint(asset="a", metric="m", value=math.nan, at=NOW)])
    store.add_metrics([MetricPoint(asset="a", metric="m", value=-math.inf, at=NOW + MINUTE)])
    first, second = store.metric_history("a", "m")
    assert math.isnan(first.value)
    assert second.value == -math.inf


def test_stages_hold_bytes(store: StateStore) -> None:
    assert store.stage("I-1", "collect") is None
    store.save_stage("I-1", "collect", b"\x00first")
    store.save_stage("I-1", "collect", b'{"second": "\xc3\xa9"}')
    store.save_stage("I-1", "diagnose", b"")
    assert store.stage("I-1", "collect") == b'{"second": "\xc3\xa9"}'
    assert store.stage("I-1", "diagnose") == b""


def test_small_facts(store: StateStore) -> None:
    assert store.get("cursor") is None
    store.put("cursor", {"success": 12, "failure": None, "paths": ["a", "ü"]})
    assert store.get("cursor") == {"success": 12, "failure": None, "paths": ["a", "ü"]}
    store.put("cursor", 2**70)
    assert store.get("cursor") == 2**70
    store.put("cursor", None)
    assert store.get("cursor") is None


def take(store: StateStore, holder: str, now: datetime, name: str = "incident:I-1") -> Lease | None:
    return store.acquire_lease(name, holder=holder, ttl=10 * MINUTE, now=now)


def test_lease_is_exclusive_until_it_is_given_back(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    assert first == Lease(
        name="incident:I-1", holder="run-1", token=1, expires_at=NOW + 10 * MINUTE
    )
    assert take(store, "run-2", NOW + MINUTE) is None
    assert take(store, "run-2", NOW, name="incident:I-2") is not None
    assert [lease.name for lease in store.leases(now=NOW)] == ["incident:I-1", "incident:I-2"]
    store.release_lease(first)
    assert [lease.name for lease in store.leases(now=NOW)] == ["incident:I-2"]
    second = take(store, "run-2", NOW + MINUTE)
    assert second is not None
    assert second.token == 2


def test_expired_lease_is_taken_over_and_its_holder_can_do_no_harm(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    assert first is not None
    assert take(store, "run-2", NOW + 10 * MINUTE - timedelta(microseconds=1)) is None
    second = take(store, "run-2", NOW + 10 * MINUTE)
    assert second is not None
    assert second.token == first.token + 1
    store.release_lease(first)
    assert list(store.leases(now=NOW + 10 * MINUTE)) == [second]


def test_renewing_keeps_the_token_and_moves_the_end(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    renewed = take(store, "run-1", NOW + 5 * MINUTE)
    assert first is not None
    assert renewed == dataclasses.replace(first, expires_at=NOW + 15 * MINUTE)
    store.release_lease(first)
    assert store.leases(now=NOW) == []


def test_a_lease_holds_until_it_ends_and_a_renewal_counts(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    assert first is not None
    assert store.holds(first, now=NOW + 10 * MINUTE - timedelta(microseconds=1))
    assert not store.holds(first, now=NOW + 10 * MINUTE)
    take(store, "run-1", NOW + 5 * MINUTE)
    assert store.holds(first, now=NOW + 10 * MINUTE)
    store.release_lease(first)
    assert not store.holds(first, now=NOW)
    assert not store.holds(dataclasses.replace(first, name="never taken"), now=NOW)


def test_a_token_is_stale_once_somebody_else_had_the_lease(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    second = take(store, "run-2", NOW + 10 * MINUTE)
    assert first is not None
    assert second is not None
    assert not store.holds(first, now=NOW + 10 * MINUTE)
    assert store.holds(second, now=NOW + 10 * MINUTE)
    store.release_lease(second)
    third = take(store, "run-1", NOW + 11 * MINUTE)
    assert third is not None
    assert not store.holds(first, now=NOW + 11 * MINUTE)  # the same holder, but not the same right
    assert store.holds(third, now=NOW + 11 * MINUTE)
    assert [first.token, second.token, third.token] == [1, 2, 3]


def test_ones_own_expired_lease_is_taken_anew_under_a_greater_token(store: StateStore) -> None:
    first = take(store, "run-1", NOW)
    second = take(store, "run-1", NOW + 10 * MINUTE)
    assert first is not None
    assert second is not None
    assert second.token == first.token + 1
    assert not store.holds(first, now=NOW + 10 * MINUTE)


class LeaseMachine(RuleBasedStateMachine):
    """Two workers, a clock that only moves on: never two holders, and every token is greater."""

    opened: ClassVar[StateStore]
    names: ClassVar[Iterator[int]] = itertools.count()
    looks: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.name = f"lease-{next(self.names)}"
        self.now = NOW
        self.known: list[Lease] = []
        self.greatest = 0

    @rule(holder=st.sampled_from(["a", "b"]))
    def acquire(self, holder: str) -> None:
        before = [lease for lease in self.known if self.opened.holds(lease, now=self.now)]
        lease = take(self.opened, holder, self.now, name=self.name)
        if lease is None:
            assert before
            assert all(held.holder != holder for held in before)
            return
        if before:
            assert lease.token == before[0].token
        else:
            assert lease.token > self.greatest
        self.greatest = lease.token
        self.known.append(lease)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.opened.release_lease(data.draw(st.sampled_from(self.known)))

    @invariant()
    def one_token_is_good_at_most(self) -> None:
        good = {lease.token for lease in self.known if self.opened.holds(lease, now=self.now)}
        listed = {i.token for i in self.opened.leases(now=self.now) if i.name == self.name}
        assert good == listed
        assert len(good) <= 1
        type(self).looks += 1


def test_leases_under_any_sequence_of_events(store: StateStore) -> None:
    class Machine(LeaseMachine):
        opened = store

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=8, stateful_step_count=12, deadline=None)
    )
    assert Machine.looks > 8  # the invariant was held against more than the first states


def test_entries_are_numbered_and_come_in_the_order_of_their_numbers(store: StateStore) -> None:
    assert store.entries("steer/run-1") == {}
    keys = [store.append("steer/run-1", {"say": n, "text": "é"}) for n in range(1, 12)]
    assert keys == [f"steer/run-1/{n}" for n in range(1, 12)]
    assert store.append("steer/run-1/", "slash or not") == "steer/run-1/12"
    store.append("steer/run-10", "another's")
    store.append("Steer/run-1", "another's, too")
    entries = store.entries("steer/run-1")
    assert list(entries) == [f"steer/run-1/{n}" for n in range(1, 13)]
    assert list(entries.values())[-2:] == [{"say": 11, "text": "é"}, "slash or not"]
    assert store.get("steer/run-1/2") == {"say": 2, "text": "é"}
    assert store.entries("steer/run-1/") == entries
    assert list(store.entries("steer")) == [*entries, "steer/run-10/1"]


def test_entries_are_all_facts_below_the_prefix_and_no_other(store: StateStore) -> None:
    for key in ("a", "a/", "a/x", "a/10", "a/9", "a/9/ü", "a/%", "a_/1", "a0", "a.b/1", "ab/1"):
        store.put(key, key)
    assert list(store.entries("a")) == ["a/9", "a/9/ü", "a/10", "a/", "a/%", "a/x"]
    assert store.entries("a_") == {"a_/1": "a_/1"}
    assert store.entries("%") == {}


def test_a_key_is_never_given_twice_and_never_overwrites(store: StateStore) -> None:
    store.put("q/2", "put by hand")
    assert [store.append("q", n) for n in range(2)] == ["q/1", "q/3"]
    assert store.entries("q") == {"q/1": 0, "q/2": "put by hand", "q/3": 1}
    store.append("q", None)
    assert store.entries("q")["q/4"] is None


def append(store: StateStore, number: int, **detail: object) -> AuditRecord:
    return store.append_audit(
        at=NOW + number * MINUTE,
        actor="agent",
        action="open-pull-request",
        subject=f"I-{number}",
        allowed=bool(number % 2),
        detail=detail,
    )


def test_audit_log_is_a_chain(store: StateStore) -> None:
    first = append(store, 1, rows=2**70, at=NOW, share=Decimal("0.1"), odd=math.nan, names={"é"})
    second = append(store, 2)
    assert list(store.audit()) == [first, second]
    assert (first.sequence, first.previous_hash) == (1, "")
    assert (second.sequence, second.previous_hash) == (2, first.hash)
    assert first.at == NOW + MINUTE
    assert first.detail == {
        "rows": 2**70,
        "at": "2026-11-03T06:12:00.123456Z",
        "share": "0.1",
        "odd": "nan",
        "names": ["é"],
    }
    assert verify_chain(store.audit()) is None


def test_audit_of_another_time_zone_verifies(store: StateStore) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=-8)))
    store.append_audit(at=local, actor="a", action="b", subject="c", allowed=True, detail={})
    assert store.audit()[0].at == NOW
    assert verify_chain(store.audit()) is None


def test_audit_log_is_read_in_pages(store: StateStore) -> None:
    assert store.audit_head() == (0, "")
    kept = [append(store, number) for number in range(1, 8)]
    assert list(store.audit(after=0, limit=3)) == kept[:3]
    assert list(store.audit(after=3, limit=3)) == kept[3:6]
    assert list(store.audit(after=6, limit=3)) == kept[6:]
    assert list(store.audit(after=7, limit=3)) == []
    assert list(store.audit(after=5)) == kept[5:]
    assert list(store.audit(limit=0)) == []
    assert list(store.audit(since=NOW + 6 * MINUTE)) == kept[5:]
    assert list(store.audit(since=NOW + 2 * MINUTE, after=3, limit=1)) == kept[3:4]
    assert store.audit_head() == (7, kept[-1].hash)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    details=st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            max_size=3,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_audit_log_only_grows_and_verifies(
    store: StateStore, details: list[dict[str, object]]
) -> None:
    for detail in details:
        before = list(store.audit())
        append(store, len(before), given=detail)
        after = list(store.audit())
        assert after[:-1] == before
        assert [r.sequence for r in after] == list(range(1, len(after) + 1))
        assert verify_chain(after) is None


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_tampering_is_detected_where_it_is(data: st.DataObject) -> None:
    store = MemoryStore()
    for number in range(1, 6):
        append(store, number, rows=number)
    records = list(store.audit())
    at = data.draw(st.integers(0, 4), label="record")
    change = data.draw(st.sampled_from(["field", "reseal", "remove", "swap", "insert"]))
    changed = dataclasses.replace(
        records[at],
        **data.draw(
            st.sampled_from(
                [
                    {"actor": "ana"},
                    {"allowed": not records[at].allowed},
                    {"at": NOW},
                    {"detail": {"rows": "x"}},
                    {"subject": ""},
                    {"action": "decide"},
                    {"hash": "0" * 64},
                ]
            )
        ),
    )
    if change == "field":
        records[at] = changed
        assert verify_chain(records) == at + 1
    elif change == "reseal":
        from dagster_agent.connectors.state_stores.audit_chain import sealed

        records[at] = sealed(dataclasses.replace(changed, actor="mallory"))
        expected = at + 2 if at < 4 else None
        assert verify_chain(records) == expected  # the newest can only be checked by its successor
    elif change == "remove":
        del records[at]
        assert verify_chain(records) == (at + 1 if at < 4 else None)
    elif change == "swap":
        other = data.draw(st.integers(0, 4).filter(lambda n: n != at))
        records[at], records[other] = records[other], records[at]
        assert verify_chain(records) == min(at, other) + 1
    else:
        records.insert(at, changed)
        assert verify_chain(records) == at + (1 if changed != store.audit()[at] else 2)


def detected(minutes: int, asset: str = "a", detector: str = "d", pair: str = "") -> Detection:
    return Detection(
        detector=detector,
        asset=asset,
        pair=pair,
        status=DetectionStatus.PASSED,
        headline=f"after {minutes}",
        observed_at=NOW + minutes * MINUTE,
    )


@pytest.mark.parametrize("names", [("ledger", "bank"), ("bank", "ledger"), ("帳簿", "a/b'\n")])
def test_pairs_of_a_detector_are_kept_apart(store: StateStore, names: tuple[str, str]) -> None:
    first, second = names
    for detection in (detected(0, pair=first), detected(1, pair=second), detected(2)):
        store.save_detection(detection)
    assert store.latest_detection("a", "d", pair=first) == detected(0, pair=first)
    assert store.latest_detection("a", "d", pair=second) == detected(1, pair=second)
    assert store.latest_detection("a", "d") == detected(2)
    assert store.latest_detection("a", "d", pair="another") is None
    assert store.prune(before=NOW + 9 * MINUTE) == 0
    store.save_detection(detected(3, pair=first))
    assert store.prune(before=NOW + 9 * MINUTE) == 1
    assert store.latest_detection("a", "d", pair=first) == detected(3, pair=first)
    assert store.latest_detection("a", "d", pair=second) == detected(1, pair=second)


def test_prune_leaves_the_latest_detection_of_each(store: StateStore) -> None:
    for detection in (
        *(detected(n) for n in range(4)),
        detected(1, asset="b"),
        detected(0, detector="other"),
        detected(0, detector="other"),  # of two at the same moment the one saved last counts
    ):
        store.save_detection(detection)
    assert store.prune(before=NOW + 3 * MINUTE) == 4
    assert store.latest_detection("a", "d") == detected(3)
    assert store.latest_detection("b", "d") == detected(1, asset="b")
    assert store.latest_detection("a", "other") == detected(0, detector="other")
    assert store.prune(before=NOW + 3 * MINUTE) == 0
    assert store.prune(before=NOW + 9 * MINUTE) == 0


def test_prune_leaves_the_points_that_a_history_shows(store: StateStore) -> None:
    def points(metric: str, count: int) -> list[MetricPoint]:
        return [
            MetricPoint(asset="a", metric=metric, value=float(n), at=NOW + n * MINUTE)
            for n in range(count)
        ]

    store.add_metrics(points("long", KEPT_POINTS + 20))
    store.add_metrics(points("short", 3))
    assert store.prune(before=NOW + 5 * MINUTE) == 5
    assert store.prune(before=NOW + timedelta(days=99)) == 15
    kept = store.metric_history("a", "long", limit=10_000)
    assert [p.value for p in kept] == [float(n) for n in range(20, KEPT_POINTS + 20)]
    assert len(store.metric_history("a", "short")) == 3


def test_prune_leaves_the_stages_of_investigations_that_go_on(store: StateStore) -> None:
    hour = timedelta(hours=1)
    now = datetime.now(UTC)  # stages are as old as their writing
    for investigation in ("done", "holds a lease"):
        store.save_stage(investigation, "collect", b"{}")
        store.save_stage(investigation, "report", b"{}")
    store.acquire_lease("incident:I-1", holder="holds a lease", ttl=9 * hour, now=now)
    assert store.prune(before=now - hour) == 0
    assert store.stage("done", "collect") == b"{}"
    assert store.prune(before=now + hour) == 2
    assert store.stage("done", "collect") is None
    assert store.stage("done", "report") is None
    assert store.stage("holds a lease", "report") == b"{}"
    assert store.prune(before=now + 10 * hour) == 2


def test_prune_never_takes_what_people_rely_on(store: StateStore) -> None:
    store.save_incident(incident(status=IncidentStatus.RESOLVED))
    store.save_finding(finding(status=FindingStatus.REJECTED))
    decision = Decision(
        finding_id="F-1", kind=DecisionKind.REJECT, decided_by="ana", decided_at=NOW
    )
    store.add_decision(decision)
    append(store, 1)
    store.put("cursor", 1)
    store.append("steer/run", "stop")
    assert store.prune(before=NOW + timedelta(days=9999)) == 0
    assert store.incident("I-000001") is not None
    assert store.finding("F-000001") is not None
    assert list(store.decisions()) == [decision]
    assert len(store.audit()) == 1
    assert store.get("cursor") == 1
    assert store.entries("steer/run") == {"steer/run/1": "stop"}
