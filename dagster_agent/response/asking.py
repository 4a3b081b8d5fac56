"""Troubles that no investigation can find the cause of: a person is asked, with what was seen.

A run that waits for a slot, a schedule that is switched off, a source whose load has stopped: code,
rows and history of the project do not tell why. The finding says what was seen and asks the owner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.incidents import grouping, lifecycle
from dagster_agent.model import (
    UNTESTED_CONFIDENCE_CAP,
    Asset,
    BlastRadius,
    Cause,
    Evidence,
    Finding,
    Incident,
    IncidentStatus,
    Question,
    Report,
    Symptom,
    SymptomKind,
    Verdict,
)
from dagster_agent.response.workspace import Workspace

UNPUBLISHED = "asking/unpublished"
"""Key in the state store: ids of findings that were written here and not shown yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """What a kind of trouble is asked about."""

    pattern: str
    """Named as the cause."""
    text: str
    """The question."""
    options: tuple[str, ...]
    """To choose from."""
    why: str
    """Why the agent cannot tell."""


_LOAD_STOPPED = _Ask(
    pattern="source-stale",
    text="Why has {name} received nothing, and will it be loaded again?",
    options=(
        "the load is broken: it will be mended",
        "the data is late for once: wait",
        "it is loaded at other times now: declare its freshness anew",
    ),
    why="the service that loads it is not connected to the agent",
)
_ASKED: Mapping[SymptomKind, _Ask] = {
    SymptomKind.RUN_STUCK: _Ask(
        pattern="run-stuck",
        text="Shall it be waited for?",
        options=(
            "free what it waits for",
            "terminate the run and launch it again",
            "it is known why: wait",
        ),
        why="whether a run may be ended is not the agent's to decide",
    ),
    SymptomKind.AUTOMATION_SILENT: _Ask(
        pattern="automation-silent",
        text="Is it meant to be off?",
        options=("mend it, or switch it on again", "it is meant to be off"),
        why="nothing in the project tells who switched it off, or what its error means",
    ),
    SymptomKind.STALE: _Ask(
        pattern="silent-run",
        text="Was the run meant to do so?",
        options=("run it again", "it is meant to be so"),
        why="the run ended well and left no error to follow",
    ),
}


def ask(workspace: Workspace, *, now: datetime) -> tuple[Finding, ...]:
    """Hand open incidents that an investigation cannot help with to a person.

    Their findings are remembered as unpublished until the next tick that can show them.

    Args:
        workspace: The opened project.
        now: UTC.
    """
    found: list[Finding] = []
    for incident in workspace.store.incidents(open_only=True):
        if incident.status is not IncidentStatus.OPEN:
            continue
        asked = [_ask_about(symptom, workspace) for symptom in incident.symptoms]
        known = [each for each in asked if each is not None]
        if not known or len(known) < len(asked):
            continue
        finding = _finding(incident, known[0], workspace, now)
        workspace.store.save_finding(finding)
        workspace.store.save_incident(lifecycle.move(incident, IncidentStatus.WAITING, now=now))
        found.append(finding)
    if found:
        before: Sequence[str] = workspace.store.get(UNPUBLISHED) or []
        workspace.store.put(UNPUBLISHED, [*before, *(finding.id for finding in found)])
    return tuple(found)


def unpublished(workspace: Workspace) -> tuple[Finding, ...]:
    """Findings that were written here and not shown yet; they count as shown from here on."""
    ids: Sequence[str] = workspace.store.get(UNPUBLISHED) or []
    if ids:
        workspace.store.put(UNPUBLISHED, [])
    known = (workspace.store.finding(finding_id) for finding_id in ids)
    return tuple(finding for finding in known if finding is not None)


def _ask_about(symptom: Symptom, workspace: Workspace) -> _Ask | None:
    """None where an investigation may find more."""
    if symptom.kind is not SymptomKind.CHECK_FAILED:
        return _ASKED.get(symptom.kind)
    late = (symptom.check or "").split("/")[0] == "freshness"
    asset = workspace.lineage.assets.get(symptom.asset or "")
    return _LOAD_STOPPED if late and asset and asset.resource_type == "source" else None


def _finding(incident: Incident, asked: _Ask, workspace: Workspace, now: datetime) -> Finding:
    asset = workspace.lineage.assets.get(incident.asset or "")
    lead = min(incident.symptoms, key=grouping.urgency)
    owner = f"{asset.owner}: " if asset is not None and asset.owner else ""
    name = asset.name if asset is not None else "it"
    report = Report(
        incident_id=incident.id,
        asset=incident.asset,
        verdict=Verdict.NARROWED,
        confidence=UNTESTED_CONFIDENCE_CAP,
        headline=lead.headline,
        evidence=_evidence(incident, workspace),
        started_at=now,
        finished_at=now,
        cause=Cause(
            files=(asset.path,) if asset is not None and asset.path else (),
            mechanism=lead.headline,
            pattern=asked.pattern,
        ),
        blast_radius=_blast_radius(asset, workspace) if asset is not None else None,
        question=Question(
            text=owner + asked.text.format(name=name), options=asked.options, why=asked.why
        ),
    )
    digest = hashlib.sha256(f"{incident.id}:asked".encode()).hexdigest()
    return Finding(id=f"F-{digest[:6]}", report=report, created_at=now)


def _evidence(incident: Incident, workspace: Workspace) -> tuple[Evidence, ...]:
    """Each symptom once, with the rows and the query of its check where there are any."""
    found: list[Evidence] = []
    told = {(s.kind, s.asset, s.check, s.pair): s for s in incident.symptoms}
    for symptom in told.values():
        known = (
            workspace.store.latest_detection(symptom.asset, symptom.check, pair=symptom.pair or "")
            if symptom.asset and symptom.check
            else None
        )
        query = next((e.query for e in known.evidence if e.query), None) if known else None
        found.append(
            Evidence(
                id=f"E{len(found) + 1}",
                kind="freshness" if known is not None else "run",
                statement=symptom.headline,
                query=query,
                result=known.sample if known is not None else None,
                source=f"run {symptom.run_id}" if symptom.run_id else None,
            )
        )
    return tuple(found)


def _blast_radius(asset: Asset, workspace: Workspace) -> BlastRadius:
    manifest = workspace.lineage
    below = manifest.downstream(asset.unique_id)
    exposures = tuple(
        f"{e.name} ({e.owner})" if e.owner else e.name
        for e in manifest.exposures_of([asset.unique_id])
    )
    read = f", {len(exposures)} exposures: {', '.join(exposures[:3])}" if exposures else ""
    return BlastRadius(
        models=tuple(sorted((asset.unique_id, *below))),
        exposures=exposures,
        statement=f"{len(below)} models are built from {asset.name}{read}",
    )
