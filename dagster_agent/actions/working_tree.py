"""A proven change written into the project's own files, with a way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dagster_agent.autonomy.guard import AutonomyGuard
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Finding, ProposedChange
from dagster_agent.repair.workdir import apply_edit


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedChange:
    """What was written, and where the files as they were are kept."""

    change: ProposedChange
    """As it was applied."""
    project: Path
    """The dbt project."""
    backup: Path
    """Folder with the replaced files under their paths in the project."""

    def take_back(self) -> None:
        """Write the files as they were."""
        for edit in self.change.edits:
            target = self.project / edit.path
            kept = self.backup / edit.path
            if edit.before is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(kept.read_bytes())


def apply_change(
    finding: Finding,
    *,
    guard: AutonomyGuard,
    project: Path,
    backups: Path,
    approved_by: str,
    now: datetime,
) -> AppliedChange:
    """Write a finding's change into the project, all of its edits or none.

    Args:
        finding: With a change that was verified.
        guard: Policy, lease, limits, audit.
        project: The dbt project's folder.
        backups: Where the files as they were are kept, in a folder named after the finding.
        approved_by: Who wants it: the person, or the mode in which a person has started the agent.
        now: UTC.

    Raises:
        ApprovalRequired: Policy refuses, or nobody is named and the tier asks for it.
        ConfigError: The finding has no change, or a path leaves the project.
        ConnectorError: A file is no longer as the change found it.
    """
    change = finding.report.change
    if change is None:
        raise ConfigError(f"finding {finding.id} has no change to apply")
    applied = AppliedChange(change=change, project=project, backup=backups / finding.id)
    guard.perform(
        "apply-change",
        finding.report.incident_id,
        now=now,
        work=lambda: _write(applied),
        detail={
            "finding": finding.id,
            "files": [edit.path for edit in change.edits],
            "backup": applied.backup.name,
        },
        approved_by=approved_by,
    )
    return applied


def _write(applied: AppliedChange) -> None:
    for edit in applied.change.edits:
        source = applied.project / edit.path
        if edit.before is not None:
            if not source.is_file():
                raise ConnectorError(f"{edit.path} is gone", hint="investigate again")
            kept = applied.backup / edit.path
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(source.read_bytes())
    done = 0
    try:
        for edit in applied.change.edits:
            apply_edit(edit, applied.project)
            done += 1
    except BaseException:
        written = replace(applied.change, edits=applied.change.edits[:done])
        replace(applied, change=written).take_back()
        raise
