"""The five stations of an investigation. Each reads what the one before left in the state store.

Stations may run in different processes and on different machines, and a customer's IO manager may
be anything; so nothing passes between them but the investigation's id.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from dagster_agent.connectors.state_stores.codec import decode, encode
from dagster_agent.errors import ConfigError, LeaseHeld
from dagster_agent.incidents import lifecycle
from dagster_agent.investigation import collection, conclusion, diagnosis, proof
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    ConsultationRecord,
    Finding,
    Hypothesis,
    Incident,
    IncidentStatus,
    Lease,
)
from dagster_agent.ports import Narrator, Orchestrator
from dagster_agent.response.acting import hand_over, join_twin, propose, retire_earlier
from dagster_agent.response.detection import detect, engines_of
from dagster_agent.response.listening import ListeningNarrator
from dagster_agent.response.proving import Proving, record_of
from dagster_agent.response.requests import InvestigationRequest, focus_of, incident_for
from dagster_agent.response.workspace import Workspace

_LEASE = timedelta(hours=1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What the first station leaves for the others."""

    dossier: Dossier
    started_at: datetime
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspicions:
    """What diagnosis leaves."""

    hypotheses: tuple[Hypothesis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    """What the sandbox leaves."""

    tested: tuple[proof.Tested, ...]
    consultation: ConsultationRecord | None = None


def collect(
    workspace: Workspace,
    investigation_id: str,
    request: InvestigationRequest,
    *,
    narrator: Narrator,
    now: datetime,
    orchestrator: Orchestrator | None = None,
) -> Incident:
    """Station one: take the incident's lease and collect the evidence.

    Raises:
        ConfigError: Nothing is asked, or what is asked about is not known.
        LeaseHeld: Another run investigates this incident.
    """
    incident = incident_for(workspace, request, orchestrator=orchestrator, now=now)
    lease = workspace.store.acquire_lease(
        f"incident:{incident.id}", holder=investigation_id, ttl=_LEASE, now=now
    )
    if lease is None:
        raise LeaseHeld(
            f"incident {incident.id} is being investigated by another run",
            hint="wait for it, or terminate it first",
        )
    incident = lifecycle.move(incident, IncidentStatus.INVESTIGATING, now=now)
    workspace.store.save_incident(incident)
    narrator.step(
        f"open incident {incident.id}",
        why=incident.title,
        result=f"{len(incident.symptoms)} symptoms",
    )
    narrator = ListeningNarrator(
        narrator=narrator, workspace=workspace, investigation_id=investigation_id
    )
    sources = sources_of(workspace, narrator=narrator, orchestrator=orchestrator, now=now)
    dossier = collection.collect(incident, focus_of(workspace, incident), sources, now=now)
    _leave(
        workspace,
        investigation_id,
        "collect",
        _Opening(dossier=dossier, started_at=now, lease=lease),
    )
    return incident


def sources_of(
    workspace: Workspace,
    *,
    narrator: Narrator,
    orchestrator: Orchestrator | None = None,
    now: datetime,
) -> collection.Sources:
    """Where the evidence of an investigation of this project comes from."""
    return collection.Sources(
        codebase=workspace.codebase,
        warehouse=workspace.warehouse,
        detect=lambda asset: [
            d
            for engine in engines_of(workspace, asset)
            # the score of an asset follows from what the other engines find
            if engine != "quality"
            for d in detect(workspace, asset, engine, now=now)
        ],
        orchestrator=orchestrator,
        narrator=narrator,
        config=workspace.settings.investigation,
        book=workspace.book,
        baseline=workspace.store.baseline,
    )


def diagnose(
    workspace: Workspace, investigation_id: str, *, narrator: Narrator, now: datetime
) -> tuple[Hypothesis, ...]:
    """Station two: form hypotheses."""
    opening = _found(workspace, investigation_id, "collect", _Opening)
    _renew(workspace, opening.lease, now)
    narrator = ListeningNarrator(
        narrator=narrator, workspace=workspace, investigation_id=investigation_id
    )
    hypotheses = diagnosis.diagnose(opening.dossier, workspace.codebase, narrator)
    _leave(workspace, investigation_id, "diagnose", _Suspicions(hypotheses=hypotheses))
    return hypotheses


def prove(
    workspace: Workspace, investigation_id: str, *, narrator: Narrator, now: datetime
) -> tuple[proof.Tested, ...]:
    """Station three: test them in a sandbox."""
    opening = _found(workspace, investigation_id, "collect", _Opening)
    suspicions = _found(workspace, investigation_id, "diagnose", _Suspicions)
    _renew(workspace, opening.lease, now)
    proving = Proving(
        workspace=workspace,
        investigation_id=investigation_id,
        dossier=opening.dossier,
        narrator=narrator,
        now=now,
    )
    tested = proving.test(suspicions.hypotheses)
    consultation = proving.ask(tested)
    record = None
    if consultation is not None:
        _renew(workspace, opening.lease, now)
        tested = (*proving.test(consultation.hypotheses), *tested)
        record = record_of(consultation, workspace.settings.claude.model)
    _leave(workspace, investigation_id, "prove", _Tests(tested=tested, consultation=record))
    return tested


def report(
    workspace: Workspace,
    investigation_id: str,
    *,
    narrator: Narrator,
    now: datetime,
    run_id: str | None = None,
) -> Finding:
    """Station four: write the report and keep it as a finding."""
    opening = _found(workspace, investigation_id, "collect", _Opening)
    tests = _found(workspace, investigation_id, "prove", _Tests)
    written = conclusion.conclude(
        opening.dossier, tests.tested, workspace.manifest, started_at=opening.started_at, now=now
    )
    digest = hashlib.sha256(f"{written.incident_id}:{investigation_id}".encode()).hexdigest()
    finding = Finding(
        id=f"F-{digest[:6]}",
        report=written,
        created_at=now,
        run_id=run_id,
        consultation=tests.consultation,
    )
    workspace.store.save_finding(finding)
    narrator.step(
        f"write finding {finding.id}",
        why=f"verdict {written.verdict}, confidence {written.confidence:.2f}",
        result=written.headline,
    )
    _leave(workspace, investigation_id, "report", finding)
    return finding


def act(
    workspace: Workspace, investigation_id: str, *, narrator: Narrator, now: datetime
) -> Finding:
    """Station five: open the pull request if policy and proof allow, and hand over to people."""
    opening = _found(workspace, investigation_id, "collect", _Opening)
    finding = _found(workspace, investigation_id, "report", Finding)
    try:
        finding = propose(workspace, finding, narrator, now, investigation_id)
        finding = join_twin(workspace, finding, narrator, now)
    finally:
        workspace.store.save_finding(finding)
        retire_earlier(workspace, finding, now)
        hand_over(workspace, finding, now)
        workspace.store.release_lease(opening.lease)
    return finding


def abandon(workspace: Workspace, investigation_id: str, *, now: datetime) -> None:
    """Undo what an unfinished investigation holds: its lease is free, its incident waits.

    The incident does not go back to OPEN: a crash that repeats would be launched for ever. It waits
    for a person in the inbox. Does nothing after a finished investigation.
    """
    for lease in workspace.store.leases(now=now):
        if lease.holder != investigation_id:
            continue
        incident = workspace.store.incident(lease.name.removeprefix("incident:"))
        if incident is not None and incident.status is IncidentStatus.INVESTIGATING:
            waiting = lifecycle.move(incident, IncidentStatus.WAITING, now=now)
            workspace.store.save_incident(waiting)
        workspace.store.release_lease(lease)


def investigate(
    workspace: Workspace,
    request: InvestigationRequest,
    *,
    investigation_id: str,
    narrator: Narrator,
    now: datetime,
    act_on_it: bool,
    orchestrator: Orchestrator | None = None,
) -> Finding:
    """All stations in one process, as the command line runs them.

    Args:
        workspace: The opened project.
        request: What to look at.
        investigation_id: Unique; names the stages kept.
        narrator: Hears each step.
        now: UTC; the investigation's one moment.
        act_on_it: Whether a verified change becomes a pull request.
        orchestrator: What knows about runs.
    """
    try:
        collect(
            workspace,
            investigation_id,
            request,
            narrator=narrator,
            now=now,
            orchestrator=orchestrator,
        )
        diagnose(workspace, investigation_id, narrator=narrator, now=now)
        prove(workspace, investigation_id, narrator=narrator, now=now)
        finding = report(workspace, investigation_id, narrator=narrator, now=now)
        return (
            act(workspace, investigation_id, narrator=narrator, now=now) if act_on_it else finding
        )
    finally:
        abandon(workspace, investigation_id, now=now)


def _renew(workspace: Workspace, lease: Lease, now: datetime) -> None:
    held = workspace.store.acquire_lease(lease.name, holder=lease.holder, ttl=_LEASE, now=now)
    if held is None or held.token != lease.token:
        raise LeaseHeld(f"the lease on {lease.name} was lost", hint="investigate again")


def _leave(workspace: Workspace, investigation_id: str, stage: str, payload: object) -> None:
    workspace.store.save_stage(investigation_id, stage, encode(payload).encode())


def _found(workspace: Workspace, investigation_id: str, stage: str, kind: type[T]) -> T:
    payload = workspace.store.stage(investigation_id, stage)
    if payload is None:
        raise ConfigError(
            f"station {stage!r} of investigation {investigation_id} left nothing",
            hint="run the whole job: a single op cannot be re-run without those before it",
        )
    return decode(kind, payload)
