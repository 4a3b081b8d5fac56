"""What passes by itself is tried again, with growing pauses, and then never again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import FindingStatus, IncidentStatus, Symptom, SymptomKind, Verdict
from dagster_agent.ports.orchestrator import RunFacts
from dagster_agent.response import Workspace, take_in
from dagster_agent.response.retrying import due_retries, retries_wait, settle
from dagster_agent.settings import Settings

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
TIMEOUT = "could not connect to server: Connection timed out"
MISSING = 'column "user_id" does not exist'


class Runs:
    """An orchestrator that knows the runs it was given, newest first."""

    def __init__(self, *earlier: str) -> None:
        self.earlier = [
            RunFacts(
                run_id=f"r{n}",
                job="nightly",
                succeeded=not text,
                started_at=None,
                ended_at=None,
                log_tail=text,
            )
            for n, text in enumerate(earlier)
        ]

    def run(self, run_id: str) -> RunFacts | None:
        return None

    def last_good_materialization(self, asset: str, *, before: datetime) -> datetime | None:
        return None

    def recovered(self, symptom: Symptom) -> bool:
        return False

    def earlier_runs(self, run_id: str, *, limit: int) -> Sequence[RunFacts]:
        return self.earlier[:limit]


@pytest.fixture
def workspace(tmp_path: Path, case_project: Path) -> Any:
    def opened(**settings: Any) -> Workspace:
        made = Workspace.open(
            Settings.parse(settings), project_dir=case_project, state_directory=tmp_path / "state"
        )
        made._manifest = Manifest.load(case_project / "target" / "manifest.json")
        return made

    return opened


def failed(text: str, run_id: str = "run-1") -> Symptom:
    return Symptom(
        kind=SymptomKind.RUN_FAILED,
        headline="stg could not be built",
        observed_at=NOW,
        asset="model.case.stg",
        detail=text,
        run_id=run_id,
    )


def test_a_timeout_waits_for_its_retry_and_recovers(workspace) -> None:
    with workspace() as opened:
        assert take_in(opened, [failed(TIMEOUT)], orchestrator=Runs("", ""), now=NOW) == []
        assert retries_wait(opened)
        assert due_retries(opened, now=NOW + timedelta(seconds=59)) == ()
        (retry,) = due_retries(opened, now=NOW + timedelta(seconds=60))
        assert (retry.run_id, retry.attempt) == ("run-1", 1)
        assert due_retries(opened, now=NOW + timedelta(seconds=61)) == ()

        finding = settle(opened, retry.incident_id, "run-2", succeeded=True, now=NOW)

        assert finding is not None
        assert finding.status is FindingStatus.RESOLVED
        assert finding.report.verdict is Verdict.CAUSE_FOUND
        assert finding.report.cause.pattern == "transient_infra"
        assert "retry 1 succeeded" in finding.report.headline
        assert finding.report.evidence[1].result.rows[0][1:3] == ("retry-run", "run run-1 again")
        assert opened.store.incident(retry.incident_id).status is IncidentStatus.RESOLVED
        assert [r.action for r in opened.store.audit()] == ["retry-run", "retry-run"]


def test_it_is_not_retried_for_ever(workspace) -> None:
    with workspace() as opened:
        moment, waits = NOW, []
        take_in(opened, [failed(TIMEOUT)], orchestrator=Runs(), now=moment)
        for number in range(1, 4):
            begun = moment
            while not (due := due_retries(opened, now=moment)):
                moment += timedelta(seconds=1)
            waits.append((moment - begun).total_seconds())
            (retry,) = due
            run_id = f"retry-{number}"
            assert settle(opened, retry.incident_id, run_id, succeeded=False, now=moment) is None
            found = take_in(opened, [failed(TIMEOUT, run_id)], orchestrator=Runs(), now=moment)
        assert waits == [60, 120, 240]
        (incident,) = found
        assert incident.status is IncidentStatus.OPEN
        assert [a.result for a in incident.attempts] == [
            f"failed (run retry-{n})" for n in (1, 2, 3)
        ]
        assert not retries_wait(opened)


@pytest.mark.parametrize(
    ("text", "earlier", "settings"),
    [
        (MISSING, [], {}),
        (TIMEOUT, ["", "", TIMEOUT], {}),
        (TIMEOUT, [], {"incidents": {"max_retries": 0}}),
    ],
    ids=["not retryable", "failed alike before", "switched off"],
)
def test_what_is_investigated_at_once(workspace, text, earlier, settings) -> None:
    with workspace(**settings) as opened:
        found = take_in(opened, [failed(text)], orchestrator=Runs(*earlier), now=NOW)
        assert [i.status for i in found] == [IncidentStatus.OPEN]


def test_the_same_failure_longer_ago_is_forgotten(workspace) -> None:
    with workspace() as opened:
        runs = Runs("", "", "", TIMEOUT)
        assert take_in(opened, [failed(TIMEOUT)], orchestrator=runs, now=NOW) == []


def test_what_the_policy_refuses_is_investigated(workspace) -> None:
    with workspace(autonomy={"tiers": {"retry-run": 4}}) as opened:
        take_in(opened, [failed(TIMEOUT)], orchestrator=Runs(), now=NOW)
        later = NOW + timedelta(minutes=2)
        assert due_retries(opened, now=later) == ()
        (incident,) = take_in(opened, [], orchestrator=Runs(), now=later)
        assert incident.attempts[0].result == "refused by the policy"
