"""`sweep`: look at a whole project with no failure to start from, and investigate what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.incidents import intake
from dagster_agent.model import Detection, DetectionStatus, Finding, IncidentStatus
from dagster_agent.ports import Narrator
from dagster_agent.response.detection import detect_all, watched_assets
from dagster_agent.response.intake import symptoms_of
from dagster_agent.response.requests import InvestigationRequest
from dagster_agent.response.stages import investigate
from dagster_agent.response.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep saw."""

    detections: tuple[Detection, ...]
    """Every detector's result on every asset."""
    findings: tuple[Finding, ...]
    """One per incident; empty when all is well."""

    def count(self, status: DetectionStatus) -> int:
        """How many detector results have that status."""
        return sum(detection.status is status for detection in self.detections)

    def could_not_run(self) -> Mapping[str, int]:
        """Why checks could not run, with how many; most frequent first."""
        silent = DetectionStatus.COULD_NOT_RUN
        reasons = Counter(d.headline for d in self.detections if d.status is silent)
        return dict(reasons.most_common())


def sweep(
    workspace: Workspace,
    *,
    assets: Sequence[str] = (),
    narrator: Narrator,
    now: datetime,
    act_on_it: bool = False,
) -> Sweep:
    """Run every detector, group what failed, and investigate each incident.

    Args:
        workspace: The opened project.
        assets: dbt unique ids to look at; all by default.
        narrator: Hears each step.
        now: UTC.
        act_on_it: Whether verified changes become pull requests.
    """
    watched = assets or watched_assets(workspace)
    detections = detect_all(workspace, watched, now=now)
    symptoms = symptoms_of(detections)
    narrator.step(
        f"ran {len(detections)} checks on {len(watched)} assets",
        why="what no test was written for shows in counts, keys, schemas and profiles",
        result=f"{len(symptoms)} of them fail",
    )
    taken = intake.take_in(
        symptoms,
        store=workspace.store,
        manifest=workspace.manifest,
        now=now,
        config=workspace.settings.incidents,
    )
    findings = [
        investigate(
            workspace,
            InvestigationRequest(incident_id=incident.id),
            investigation_id=f"sweep-{incident.id}-{now:%Y%m%d%H%M%S}",
            narrator=narrator,
            now=now,
            act_on_it=act_on_it,
        )
        for incident in (*taken.opened, *taken.joined)
        if incident.status not in (IncidentStatus.SNOOZED, IncidentStatus.INVESTIGATING)
    ]
    return Sweep(detections=tuple(detections), findings=tuple(findings))
