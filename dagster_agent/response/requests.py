"""What is asked of an investigation, and the incident and focus that it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.incidents import intake
from dagster_agent.model import Incident, Severity, Symptom, SymptomKind
from dagster_agent.ports import Orchestrator
from dagster_agent.response.steering import NOBODY, keep_hint
from dagster_agent.response.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationRequest:
    """At least one of incident, asset, run or question says what to look at."""

    incident_id: str | None = None
    """`I-...` of an incident that is already known."""
    asset: str | None = None
    """dbt name, unique id, `source.table` or relation."""
    run_id: str | None = None
    """Dagster run that failed."""
    question: str | None = None
    """In a person's words."""
    hint: str | None = None
    """What a person knows that the data does not say; goes into the record."""


def incident_for(
    workspace: Workspace,
    request: InvestigationRequest,
    *,
    orchestrator: Orchestrator | None,
    now: datetime,
) -> Incident:
    """The incident that a request means; opened when it is not known yet.

    Raises:
        ConfigError: Nothing is asked, or the incident, asset or run is not known.
    """
    if request.incident_id:
        known = _known_incident(workspace, request.incident_id)
        _keep_hint(workspace, known, request, now)
        return known
    symptom = _symptom(workspace, request, orchestrator, now)
    if symptom is None:
        raise ConfigError(
            "nothing to investigate: asset, run_id, question and incident_id are all empty",
            hint="fill one of them",
        )
    taken = intake.take_in(
        [symptom],
        store=workspace.store,
        manifest=workspace.manifest,
        now=now,
        config=workspace.settings.incidents,
    )
    (incident,) = (*taken.opened, *taken.joined)
    _keep_hint(workspace, incident, request, now)
    return incident


def focus_of(workspace: Workspace, incident: Incident) -> str | None:
    """dbt unique id to begin at; None when the incident names no asset that is known."""
    if incident.asset is not None and incident.asset in workspace.manifest.assets:
        return incident.asset
    for symptom in incident.symptoms:
        if symptom.kind is SymptomKind.QUESTION:
            return asset_in_question(workspace.manifest, symptom.detail)
    return None


def asset_in_question(manifest: Manifest, question: str) -> str | None:
    """The asset that a question speaks of: the one whose name shares most words with it.

    Words are compared without case and plural s; an exact name wins; models win over sources, and
    at a tie the asset furthest downstream, which is what people look at.
    """
    words = _words(question)
    best: tuple[float, int, str] | None = None
    for uid, asset in manifest.assets.items():
        named = _words(asset.name) - {"fct", "dim", "stg", "int", "mart", "raw"}
        if not named or not named & words:
            continue
        exact = 2.0 if asset.name.casefold() in question.casefold() else 0.0
        share = len(named & words) / len(named) + exact
        model = 1 if asset.resource_type == "model" else 0
        rank = (share + model, len(manifest.upstream(uid)), uid)
        if best is None or rank > best:
            best = rank
    return best[2] if best else None


def _words(text: str) -> set[str]:
    return {w.casefold().removesuffix("s") for w in re.split(r"[\W_]+", text) if w}


def _known_incident(workspace: Workspace, incident_id: str) -> Incident:
    incident = workspace.store.incident(incident_id)
    if incident is None:
        known = ", ".join(i.id for i in workspace.store.incidents()[:5]) or "none yet"
        raise ConfigError(
            f"there is no incident {incident_id!r}", hint=f"latest incidents: {known}"
        )
    return incident


def _keep_hint(
    workspace: Workspace, incident: Incident, request: InvestigationRequest, now: datetime
) -> None:
    if request.hint:
        keep_hint(
            workspace.store,
            incident.id,
            message=request.hint,
            by=NOBODY,
            at=now,
            secrets=workspace.secrets,
        )


def _symptom(
    workspace: Workspace,
    request: InvestigationRequest,
    orchestrator: Orchestrator | None,
    now: datetime,
) -> Symptom | None:
    asset = workspace.manifest.find(request.asset).unique_id if request.asset else None
    said = " ".join(t for t in (request.question, request.hint) if t)
    if request.run_id:
        facts = orchestrator.run(request.run_id) if orchestrator else None
        if facts is None:
            raise ConfigError(
                f"run {request.run_id!r} is not known", hint="copy the id from the run's page"
            )
        return Symptom(
            kind=SymptomKind.QUESTION if facts.succeeded else SymptomKind.RUN_FAILED,
            headline=f"run {request.run_id[:8]} of {facts.job} "
            + ("succeeded, and is looked into by hand" if facts.succeeded else "failed"),
            observed_at=now,
            asset=asset,
            detail=said or facts.log_tail,
            run_id=request.run_id,
        )
    if not (asset or said):
        return None
    if asset is None and request.question:
        asset = asset_in_question(workspace.manifest, request.question)
    name = workspace.manifest.asset(asset).name if asset else "the project"
    return Symptom(
        kind=SymptomKind.QUESTION,
        headline=request.question or f"{name} is looked into by hand",
        observed_at=now,
        asset=asset,
        detail=said,
        severity=Severity.INFO,
    )
