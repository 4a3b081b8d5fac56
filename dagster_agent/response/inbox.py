"""`inbox`: one ranked list of what waits for a person, what is open, and how it has been going."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from dagster_agent.model import (
    OPEN_STATUSES,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    ResultTable,
    Verdict,
)
from dagster_agent.response.workspace import Workspace

_RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What a person sees first in the morning."""

    waiting: tuple[Finding, ...]
    """Open findings that ask for a decision, most confident first."""
    open_incidents: tuple[Incident, ...]
    """Incidents that are not closed, newest first."""
    closed_last_week: int
    """Incidents resolved or dismissed in the last seven days."""
    minutes_to_finding: float | None
    """Median minutes from the first symptom to the finding; None without findings."""
    generated_at: datetime
    """UTC."""
    answered: frozenset[str] = frozenset()
    """Ids of open incidents whose finding a person has approved."""

    def table(self) -> ResultTable:
        """The list as it is shown: findings first, then incidents without one."""
        told = {finding.report.incident_id for finding in self.waiting}
        rows = [_finding_row(finding, self.generated_at) for finding in self.waiting]
        rows += [
            (
                "-",
                incident.title,
                "approved: closes when it is green again"
                if incident.id in self.answered
                else incident.status.value,
                "",
                "",
                _age(incident.opened_at, self.generated_at),
            )
            for incident in self.open_incidents
            if incident.id not in told
        ]
        columns = ("finding", "what", "state", "confidence", "pull request", "age")
        return ResultTable(columns=columns, rows=tuple(rows))


def inbox(workspace: Workspace, *, now: datetime) -> Inbox:
    """Read the inbox from the state store."""
    incidents = workspace.store.incidents()
    opened = {incident.id: incident.opened_at for incident in incidents}
    findings = workspace.store.findings()
    waits = [
        (finding.created_at - opened[finding.report.incident_id]).total_seconds() / 60
        for finding in findings
        if finding.report.incident_id in opened
    ]
    waiting = sorted(
        (f for f in findings if _asks_for_a_decision(f, now)),
        key=lambda f: (-f.report.confidence, f.id),
    )
    return Inbox(
        waiting=tuple(waiting),
        open_incidents=tuple(i for i in incidents if i.status in OPEN_STATUSES),
        answered=frozenset(
            f.report.incident_id for f in findings if f.status is FindingStatus.APPROVED
        ),
        closed_last_week=sum(_closed_since(i, now - _RECENT) for i in incidents),
        minutes_to_finding=round(median(waits), 1) if waits else None,
        generated_at=now,
    )


def _asks_for_a_decision(finding: Finding, now: datetime) -> bool:
    if finding.report.verdict is Verdict.HEALTHY:
        return False
    if finding.status is FindingStatus.SNOOZED:
        return finding.snoozed_until is not None and finding.snoozed_until <= now
    return finding.status is FindingStatus.OPEN


def _closed_since(incident: Incident, since: datetime) -> bool:
    closed = (IncidentStatus.RESOLVED, IncidentStatus.DISMISSED)
    return incident.status in closed and incident.updated_at >= since


def _finding_row(finding: Finding, now: datetime) -> tuple[str, str, str, str, str, str]:
    request = finding.pull_request
    return (
        finding.id,
        finding.report.headline,
        finding.status.value,
        f"{finding.report.confidence:.2f}",
        f"#{request.number} {request.state}" if request else "",
        _age(finding.created_at, now),
    )


def _age(since: datetime, now: datetime) -> str:
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
