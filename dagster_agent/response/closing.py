"""The end of an incident: what was red is green again, seen by the check that was red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dagster_agent.incidents import lifecycle
from dagster_agent.model import (
    SILENT_KINDS,
    Detection,
    DetectionStatus,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Symptom,
    SymptomKind,
)
from dagster_agent.ports import Orchestrator
from dagster_agent.quality.silence import register
from dagster_agent.response.pairs import pair_names
from dagster_agent.response.workspace import Workspace

_CLOSABLE = (IncidentStatus.WAITING, IncidentStatus.SNOOZED)
_OPEN = (FindingStatus.OPEN, FindingStatus.APPROVED, FindingStatus.SNOOZED)


def close_recovered(
    workspace: Workspace, *, orchestrator: Orchestrator | None, now: datetime
) -> tuple[Finding, ...]:
    """Close the incidents of which every symptom is gone: merged, reverted, or passed by itself.

    A symptom is gone when its own check has passed since it was seen, its dbt test passes, the
    asset that could not be built was built, or a silence is no longer seen. A question is never
    closed by this.

    Args:
        workspace: The opened project.
        orchestrator: Knows runs and dbt tests; None: incidents of failed runs stay open.
        now: UTC.

    Returns:
        Findings that are resolved by it, as they are now.
    """
    closed: list[Finding] = []
    for incident in workspace.store.incidents(open_only=True):
        if incident.status not in _CLOSABLE or not incident.symptoms:
            continue
        if not all(_gone(symptom, workspace, orchestrator) for symptom in _latest(incident)):
            continue
        workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.RESOLVED, now=now))
        closed += _resolved(workspace, incident, now)
    return tuple(closed)


def _latest(incident: Incident) -> list[Symptom]:
    """Of each check and pair of each asset the newest occurrence."""
    newest = {(s.kind, s.asset, s.check, s.pair): s for s in incident.symptoms}
    return list(newest.values())


def _gone(symptom: Symptom, workspace: Workspace, orchestrator: Orchestrator | None) -> bool:
    if symptom.kind in SILENT_KINDS:
        return register.key(symptom) not in (workspace.store.get(register.ALIVE) or {})
    if symptom.kind is SymptomKind.QUESTION or symptom.asset is None:
        return False
    if symptom.kind is SymptomKind.CHECK_FAILED and symptom.check:
        results = list(_results(workspace, symptom.asset, symptom.check, symptom.pair))
        if results:
            since = [d for d in results if d.observed_at > symptom.observed_at]
            return bool(since) and all(d.status is DetectionStatus.PASSED for d in since)
    return orchestrator is not None and orchestrator.recovered(symptom)


def _results(workspace: Workspace, asset: str, check: str, pair: str | None) -> Iterator[Detection]:
    """The newest of the check; of every pair where it is not known which one was red."""
    names = [pair or ""]
    if pair is None and check.startswith("reconciliation/"):
        names += pair_names(workspace, asset)
    for name in names:
        found = workspace.store.latest_detection(asset, check, pair=name)
        if found is not None:
            yield found


def _resolved(workspace: Workspace, incident: Incident, now: datetime) -> list[Finding]:
    found = [
        replace(finding, status=FindingStatus.RESOLVED, snoozed_until=None)
        for finding in workspace.store.findings(open_only=True)
        if finding.report.incident_id == incident.id and finding.status in _OPEN
    ]
    for finding in found:
        workspace.store.save_finding(finding)
    workspace.store.append_audit(
        at=now,
        actor="agent",
        action="close-incident",
        subject=incident.id,
        allowed=True,
        detail={"reason": "every symptom is gone", "findings": [f.id for f in found]},
    )
    return found
