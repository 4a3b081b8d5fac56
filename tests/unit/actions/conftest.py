"""A dbt project in a real repository with a bare remote, and a finding with a proven fix."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_agent.git.repository import GitRepository
from dagster_agent.model import (
    BlastRadius,
    Cause,
    Evidence,
    FileEdit,
    Finding,
    ProposedChange,
    Report,
    ResultTable,
    TableDiff,
    Verdict,
    Verification,
    VerificationStep,
)

BEFORE = "select f.*\nfrom flights f\njoin planes p on f.tailnum = p.tailnum\n"
AFTER = "select f.*\nfrom flights f\nleft join planes p on f.tailnum = p.tailnum\n"
NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in the checkout, or in the bare remote with `bare=True`."""

    def call(*args: str, bare: bool = False) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *identity, *args],
            cwd=tmp_path / ("remote.git" if bare else "checkout"),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    return call


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> GitRepository:
    (tmp_path / "remote.git").mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main", bare=True)
    model = tmp_path / "checkout" / "dbt" / "models" / "stg_flights.sql"
    model.parent.mkdir(parents=True)
    model.write_text(BEFORE)
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Join planes")
    git("remote", "add", "origin", str(tmp_path / "remote.git"))
    git("push", "--quiet", "origin", "main")
    return GitRepository(tmp_path / "checkout")


@pytest.fixture
def finding() -> Finding:
    change = ProposedChange(
        title="Keep flights whose plane is unknown",
        rationale="A left join keeps every flight; nothing reads the columns of `planes`.",
        edits=(FileEdit(path="models/stg_flights.sql", before=BEFORE, after=AFTER),),
        assets=("model.flights.stg_flights",),
    )
    verification = Verification(
        steps=(
            VerificationStep(
                name="reproduce", passed=True, detail="284,170 of 336,776 rows", seconds=2.5
            ),
            VerificationStep(name="recheck", passed=True, detail="336,776 rows", seconds=1.6),
        ),
        tests_passed=61,
        data_diff=(
            TableDiff(
                asset="model.flights.stg_flights",
                rows_before=284170,
                rows_after=336776,
                rows_added=52606,
                rows_removed=0,
                columns_added=("plane_known",),
            ),
        ),
        before=ResultTable(columns=("rows",), rows=((284170,),)),
        after=ResultTable(columns=("rows",), rows=((336776,),)),
    )
    report = Report(
        incident_id="I-3F2A1C",
        asset="model.flights.stg_flights",
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline="stg_flights lost 15.6 % of its rows since Tuesday 06:12 UTC",
        evidence=(
            Evidence(
                kind="row-accounting",
                statement="336,776 rows in, 284,170 out; all are lost at join 1 (`planes`)",
                id="E1",
            ),
            Evidence(kind="timeline", statement="one commit", id="E2", source="3f2a1c9"),
        ),
        started_at=NOW,
        finished_at=NOW,
        cause=Cause(
            files=("models/stg_flights.sql",),
            mechanism="A left join to `planes` became an inner join",
            pattern="inner-join-drops-rows",
            line=3,
            commit="3f2a1c9",
        ),
        ruled_out=("the load (E1)",),
        blast_radius=BlastRadius(
            models=("model.flights.daily", "model.flights.stg_flights"),
            exposures=("On-time dashboard (@ops-analytics)",),
            statement="Departures per day are understated by 144.",
        ),
        change=change,
        verification=verification,
    )
    return Finding(id="F-0a1b2c", report=report, created_at=NOW)
