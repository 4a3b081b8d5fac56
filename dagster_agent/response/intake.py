"""Symptoms in, incidents that deserve an investigation out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dagster_agent.incidents import intake
from dagster_agent.model import Detection, DetectionStatus, Incident, Symptom, SymptomKind
from dagster_agent.ports import Orchestrator
from dagster_agent.response import asking, retrying
from dagster_agent.response.workspace import Workspace


def take_in(
    workspace: Workspace,
    symptoms: Sequence[Symptom],
    *,
    now: datetime,
    orchestrator: Orchestrator | None = None,
) -> list[Incident]:
    """Group symptoms into incidents, remember them all, and say which to investigate now.

    Args:
        workspace: The opened project.
        symptoms: In any order.
        now: UTC.
        orchestrator: Where it can make runs again: what passes by itself then waits for a retry.

    Returns:
        Incidents not yet investigated, worst first, capped per call; the others wait for the next
        call and are not lost.
    """
    config = workspace.settings.incidents
    intake.take_in(
        symptoms, store=workspace.store, manifest=workspace.lineage, now=now, config=config
    )
    asking.ask(workspace, now=now)
    if orchestrator is not None:
        retrying.triage(workspace, orchestrator=orchestrator, now=now)
    waiting = intake.waiting(workspace.store, limit=config.max_investigations_per_tick)
    return list(waiting)


def symptoms_of(detections: Iterable[Detection]) -> list[Symptom]:
    """The symptoms in detector results: only what failed; untrained and could-not-run are none."""
    return [
        Symptom(
            kind=SymptomKind.CHECK_FAILED,
            headline=detection.headline,
            observed_at=detection.observed_at,
            asset=detection.asset,
            check=detection.detector,
            severity=detection.severity,
            metrics=detection.metrics,
            pair=detection.pair,
        )
        for detection in detections
        if detection.status is DetectionStatus.FAILED
    ]
