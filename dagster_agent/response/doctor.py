"""`examine`: is everything in place that the agent needs?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dagster_agent.errors import DagsterAgentError
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that was looked at."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether it is in order."""
    detail: str
    """What was seen."""
    hint: str = ""
    """The next step where it is not."""


def examine(
    settings: Settings,
    project_dir: Path,
    profiles_dir: Path | None,
    target: str | None,
    state_dir: Path | None,
) -> Iterator[Examination]:
    """Look at packages, project, profile, warehouse, git and state, in that order.

    Stops at the first thing without which the others cannot be looked at.
    """
    for package in ("dagster", "dagster-dbt", "dbt-core"):
        yield _package(package)
    with tempfile.TemporaryDirectory(prefix="dagster-agent-") as fleeting:
        try:
            workspace = Workspace.open(
                settings,
                project_dir=project_dir,
                profiles_dir=profiles_dir,
                target=target,
                state_directory=state_dir or Path(fleeting),
            )
        except DagsterAgentError as error:
            yield Examination(name="dbt project", ok=False, detail=error.message, hint=error.hint)
            return
        with workspace:
            yield from _examine_workspace(workspace)


def _examine_workspace(workspace: Workspace) -> Iterator[Examination]:
    project = workspace.project
    yield Examination(
        name="dbt project",
        ok=True,
        detail=f"{project.name}, target {project.target_name} on {project.adapter_type}",
    )
    try:
        count = len(workspace.manifest.assets)
        yield Examination(name="dbt compile", ok=True, detail=f"{count} assets")
    except DagsterAgentError as error:
        yield Examination(name="dbt compile", ok=False, detail=error.message, hint=error.hint)
        return
    try:
        relations = [a.relation for a in workspace.manifest.assets.values() if a.relation]
        found = workspace.warehouse.schemas(relations)
        yield Examination(
            name="warehouse",
            ok=bool(found),
            detail=f"{workspace.warehouse.name}: {len(found)} of {len(relations)} relations exist",
            hint="run `dbt build` once" if not found else "",
        )
    except DagsterAgentError as error:
        yield Examination(name="warehouse", ok=False, detail=error.message, hint=error.hint)
    yield _git(workspace)


def _git(workspace: Workspace) -> Examination:
    if workspace.repository is None:
        return Examination(
            name="git",
            ok=True,
            detail="the project is in no repository: findings carry the diff, no pull request",
        )
    remote = workspace.settings.code_host.remote
    url = workspace.repository.remote_url(remote)
    if url is None:
        return Examination(name="git", ok=True, detail=f"no remote {remote!r}: no pull requests")
    return Examination(
        name="git", ok=True, detail=f"{workspace.repository.root.name}, remote {remote}"
    )


def _package(name: str) -> Examination:
    try:
        return Examination(name=name, ok=True, detail=version(name))
    except PackageNotFoundError:
        return Examination(name=name, ok=False, detail="not installed", hint=f"pip install {name}")
