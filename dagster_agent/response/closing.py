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
from dagster_agent.response.pairs import pair_names, was_taken_out
from dagster_agent.response.workspace import Workspace

_CLOSABLE = (IncidentStatus.WAITING, IncidentStatus.SNOOZED)
_OPEN = (FindingStatus.OPEN, FindingStatus.APPROVED, FindingStatus.SNOOZED)


def close_recovered(
    workspace: Workspace, *, orchestrator: Orchestrator | None, now: datetime
) -> tuple[Finding, ...]:
    """Close the incidents of which every symptom is gone: merged, reverted, or passed by itself.

    A symptom is gone when its own check has passed since it was seen, its dbt test passes, the
    asset that could not be built was built, a silence is no longer seen, or the pair that was red
    was taken out of the project. A question is never closed by this. Why is kept with the findings
    and in the audit log.

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
        reasons = [_gone(symptom, workspace, orchestrator) for symptom in _latest(incident)]
        if not all(reasons):
            continue
        workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.RESOLVED, now=now))
        told = "; ".join(dict.fromkeys(filter(None, reasons)))
        closed += _resolved(workspace, incident, told, now)
    return tuple(closed)


def _latest(incident: Incident) -> list[Symptom]:
    """Of each check and pair of each asset the newest occurrence."""
    newest = {(s.kind, s.asset, s.check, s.pair): s for s in incident.symptoms}
    return list(newest.values())


def _gone(symptom: Symptom, workspace: Workspace, orchestrator: Orchestrator | None) -> str | None:
    """Why the symptom is gone; None where it is not."""
    if symptom.kind in SILENT_KINDS:
        seen = register.key(symptom) in (workspace.store.get(register.ALIVE) or {})
        return None if seen else "it is no longer seen"
    if symptom.kind is SymptomKind.QUESTION or symptom.asset is None:
        return None
    if symptom.kind is SymptomKind.CHECK_FAILED and symptom.check:
        if _not_compared(symptom, symptom.asset, workspace):
            name = symptom.asset.split(".")[-1]
            return f"{name} is no longer compared with {symptom.pair}, as the project is now"
        results = list(_results(workspace, symptom.asset, symptom.check, symptom.pair))
        if results:
            since = [d for d in results if d.observed_at > symptom.observed_at]
            passed = since and all(d.status is DetectionStatus.PASSED for d in since)
            return "the check that was red passes" if passed else None
    recovered = orchestrator is not None and orchestrator.recovered(symptom)
    return "what failed has succeeded since" if recovered else None


def _not_compared(symptom: Symptom, asset: str, workspace: Workspace) -> bool:
    reconciled = symptom.check is not None and symptom.check.startswith("reconciliation/")
    return reconciled and was_taken_out(workspace, asset, symptom.pair or "")


def _results(workspace: Workspace, asset: str, check: str, pair: str | None) -> Iterator[Detection]:
    """The newest of the check; of every pair where it is not known which one was red."""
    names = [pair or ""]
    if pair is None and check.startswith("reconciliation/"):
        names += pair_names(workspace, asset)
    for name in names:
        found = workspace.store.latest_detection(asset, check, pair=name)
        if found is not None:
            yield found


def _resolved(
    workspace: Workspace, incident: Incident, reason: str, now: datetime
) -> list[Finding]:
    found = [
        replace(finding, status=FindingStatus.RESOLVED, snoozed_until=None, resolved_because=reason)
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
        detail={"reason": reason, "findings": [f.id for f in found]},
    )
    return found
