"""What people decide about findings and schemas, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dagster_agent.actions import pull_request
from dagster_agent.errors import ConfigError
from dagster_agent.incidents import lifecycle
from dagster_agent.model import (
    OPEN_STATUSES,
    Baseline,
    Decision,
    DecisionKind,
    Finding,
    FindingStatus,
    IncidentStatus,
)
from dagster_agent.response.json_documents import contents_of
from dagster_agent.response.schema_detection import sketches_of
from dagster_agent.response.workspace import Workspace
from dagster_agent.schema_drift.engine import accept
from dagster_agent.schema_drift.json_contents import (
    Contents,
    forget_contents,
    keep_contents,
)

_FINDING_STATUS = {
    DecisionKind.APPROVE: FindingStatus.APPROVED,
    DecisionKind.REJECT: FindingStatus.REJECTED,
    DecisionKind.SNOOZE: FindingStatus.SNOOZED,
}
_INCIDENT_STATUS = {
    DecisionKind.REJECT: IncidentStatus.DISMISSED,
    DecisionKind.SNOOZE: IncidentStatus.SNOOZED,
}
_DEFAULT_SNOOZE = timedelta(days=1)


def decide(
    workspace: Workspace,
    finding_id: str,
    kind: DecisionKind,
    *,
    decided_by: str,
    comment: str = "",
    until: datetime | None = None,
    now: datetime,
    run_id: str | None = None,
) -> Finding:
    """Record a decision and carry it out: approve marks the pull request ready, reject closes it.

    Args:
        workspace: The opened project.
        finding_id: `F-...`.
        kind: What was decided.
        decided_by: As the person named themselves.
        comment: In their words.
        until: End of a snooze, UTC; one day from `now` by default.
        now: UTC.
        run_id: Dagster run that carries the decision.

    Raises:
        ConfigError: No such finding, or it is already closed.
    """
    finding = workspace.store.finding(finding_id)
    if finding is None:
        recent = ", ".join(f.id for f in workspace.store.findings()[:5]) or "none yet"
        raise ConfigError(f"there is no finding {finding_id!r}", hint=f"latest findings: {recent}")
    if finding.status in (FindingStatus.REJECTED, FindingStatus.RESOLVED):
        raise ConfigError(
            f"finding {finding_id} is already {finding.status}",
            hint=finding.resolved_because or "investigate again to get a new finding",
        )
    finding = _carry_out(workspace, finding, kind, decided_by, comment, now)
    snoozed_until = (until or now + _DEFAULT_SNOOZE) if kind is DecisionKind.SNOOZE else None
    finding = replace(finding, status=_FINDING_STATUS[kind], snoozed_until=snoozed_until)
    workspace.store.add_decision(
        Decision(
            finding_id=finding_id,
            kind=kind,
            decided_by=decided_by,
            decided_at=now,
            comment=comment,
            run_id=run_id,
        )
    )
    workspace.store.save_finding(finding)
    _move_incident(workspace, finding, kind, snoozed_until, now)
    return finding


def accept_baseline(
    workspace: Workspace, asset: str, *, decided_by: str, now: datetime, comment: str = ""
) -> Baseline:
    """Accept the schema an asset has now as right, and the keys in its JSON columns; its drift
    check turns green by itself.

    Args:
        workspace: The opened project.
        asset: dbt name, unique id or table.
        decided_by: Who takes responsibility.
        now: UTC.
        comment: Why, in their words.

    Raises:
        ConfigError: Unknown asset, or its table does not exist.
    """
    node = workspace.manifest.find(asset)
    observed = None
    if node.relation is not None:
        observed = workspace.warehouse.schemas([node.relation]).get(node.relation)
    baseline = accept(
        node.unique_id,
        observed=observed,
        accepted_by=decided_by,
        now=now,
        fingerprints=sketches_of(workspace, node, observed) if observed is not None else None,
    )
    contents = contents_of(workspace, node, observed, now) if observed else Contents()

    def keep() -> None:
        workspace.store.save_baseline(baseline)
        if contents.found:
            keep_contents(workspace.store, node.unique_id, contents, right=True, now=now)
        else:
            # accepted unseen: whatever the next look finds is right
            forget_contents(workspace.store, node.unique_id)

    guard = workspace.guard("decision")
    guard.perform(
        "accept-schema",
        node.unique_id,
        now=now,
        work=keep,
        detail={
            "columns": [column.name for column in baseline.schema.columns],
            **_keys_accepted(contents),
            "comment": comment,
        },
        approved_by=decided_by,
    )
    return baseline


def _keys_accepted(contents: Contents) -> dict[str, list[str]]:
    changes = [f"{change.name} {change.kind}" for change in contents.changes]
    return {"json_keys": changes} if changes else {}


def _carry_out(
    workspace: Workspace,
    finding: Finding,
    kind: DecisionKind,
    decided_by: str,
    comment: str,
    now: datetime,
) -> Finding:
    if finding.pull_request is None or kind is DecisionKind.SNOOZE:
        return finding
    guard = workspace.guard("decision")
    act = pull_request.mark_ready if kind is DecisionKind.APPROVE else pull_request.close
    changed = act(
        finding,
        guard=guard,
        code_host=workspace.code_host(),
        decided_by=decided_by,
        comment=comment,
        now=now,
    )
    return replace(finding, pull_request=changed)


def _move_incident(
    workspace: Workspace,
    finding: Finding,
    kind: DecisionKind,
    snoozed_until: datetime | None,
    now: datetime,
) -> None:
    incident = workspace.store.incident(finding.report.incident_id)
    status = _INCIDENT_STATUS.get(kind)
    if incident is None or status is None or incident.status not in OPEN_STATUSES:
        return
    moved = lifecycle.move(incident, status, now=now, snoozed_until=snoozed_until)
    workspace.store.save_incident(moved)
