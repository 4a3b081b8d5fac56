"""A run of the customer's own project, as the shell starts it, and what its failure means."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dagster_agent.dbt.invocation import DbtOutcome, DbtWorker
from dagster_agent.incidents import intake
from dagster_agent.model import Incident, Symptom, SymptomKind
from dagster_agent.ports import Narrator
from dagster_agent.privacy.redaction import redact
from dagster_agent.response.workspace import Workspace


def run_project(workspace: Workspace, select: Sequence[str], narrator: Narrator) -> DbtOutcome:
    """Build the customer's own project in the customer's own warehouse, as dbt does.

    Args:
        workspace: The opened project.
        select: dbt selectors; none builds all.
        narrator: Hears what came of it.
    """
    project = workspace.project
    with (
        tempfile.TemporaryDirectory(prefix="dagster-agent-run-") as folder,
        DbtWorker(
            project_dir=project.root,
            profiles_dir=project.profiles_dir,
            target=project.target_name,
            target_path=Path(folder) / "target",
            log_path=Path(folder) / "logs",
        ) as dbt,
    ):
        outcome = dbt.run(["build", *(["--select", *select] if select else [])])
    failed = [r.unique_id for r in outcome.results if r.status in ("error", "fail")]
    narrator.step(
        f"dbt build {' '.join(select)}".rstrip(),
        why="only a run shows whether it runs",
        result="succeeded" if outcome.success else f"failed: {', '.join(failed) or outcome.error}",
    )
    return outcome


def incident_of(workspace: Workspace, outcome: DbtOutcome, now: datetime) -> Incident:
    """The incident that a failed run of the project means; opened when it is not known yet."""
    symptoms = [
        Symptom(
            kind=SymptomKind.RUN_FAILED if r.status == "error" else SymptomKind.DBT_TEST_FAILED,
            headline=redact(f"{r.unique_id.split('.')[2]} failed: {' '.join(r.message.split())}"),
            observed_at=now,
            asset=r.unique_id if r.unique_id.startswith(("model.", "snapshot.", "seed.")) else None,
            check=r.unique_id if r.unique_id.startswith("test.") else None,
            detail=redact(f"in model {r.unique_id.split('.')[2]}\n{r.message}"),
        )
        for r in outcome.results
        if r.status in ("error", "fail")
    ] or [
        Symptom(
            kind=SymptomKind.RUN_FAILED,
            headline="dbt stopped before it ran anything",
            observed_at=now,
            detail=redact(outcome.trouble()),
        )
    ]
    taken = intake.take_in(
        symptoms,
        store=workspace.store,
        manifest=workspace.lineage,
        now=now,
        config=workspace.settings.incidents,
    )
    return (*taken.opened, *taken.joined)[0]
