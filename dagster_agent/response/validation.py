"""`validate`: after a change, the data checks on what it changed and on all that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.git.repository import GitRepository
from dagster_agent.model import DetectionStatus
from dagster_agent.ports import Narrator
from dagster_agent.repair.selection import selector
from dagster_agent.response.detection import detect
from dagster_agent.response.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationCheck:
    """One thing that was looked at."""

    name: str
    """dbt test or detector."""
    asset: str
    """dbt unique id."""
    status: str
    """`passed`, `failed`, `warned`, `untrained` or `could-not-run`."""
    detail: str
    """What was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether what was changed is in order."""

    assets: tuple[str, ...]
    """dbt unique ids that were looked at: the changed ones and all that is built from them."""
    checks: tuple[ValidationCheck, ...]
    """dbt tests first."""

    @property
    def passed(self) -> bool:
        """Nothing failed, and all that matters could run."""
        return not any(c.status in ("failed", "could-not-run") for c in self.checks)


def changed_models(workspace: Workspace, *, since: str) -> tuple[str, ...]:
    """dbt unique ids whose files differ from a git revision, uncommitted changes included.

    Raises:
        ConfigError: The project is in no git repository, or the revision is unknown.
    """
    repository = workspace.repository
    if repository is None:
        raise ConfigError(
            "the dbt project is in no git repository", hint="name what changed with --asset"
        )
    paths = _changed_paths(repository, since)
    prefix = workspace.project_prefix
    return tuple(
        uid
        for uid, asset in workspace.manifest.assets.items()
        if asset.path and (f"{prefix}/{asset.path}" if prefix else asset.path) in paths
    )


def validate(
    workspace: Workspace, changed: Sequence[str], *, narrator: Narrator, now: datetime
) -> Validation:
    """Run the dbt tests and the reconciliation of what changed and of all that reads it.

    The tests run in a sandbox, on a copy of the data as it is: nothing is built.

    Args:
        workspace: The opened project.
        changed: dbt unique ids.
        narrator: Hears each step.
        now: UTC.
    """
    manifest = workspace.manifest
    reached = dict.fromkeys(u for uid in changed for u in (uid, *manifest.downstream(uid)))
    checks = [*_dbt_tests(workspace, changed, narrator)]
    for uid in reached:
        if manifest.asset(uid).relation is None:
            continue
        checks += [
            ValidationCheck(
                name=detection.detector,
                asset=uid,
                status=detection.status.value,
                detail=detection.headline,
            )
            for detection in detect(workspace, uid, "reconciliation", now=now)
        ]
    failed = [c for c in checks if c.status == "failed"]
    narrator.step(
        f"validate {len(reached)} assets",
        why="a change is good when what reads it is good",
        result=f"{len(checks)} checks, {len(failed)} failed"
        + "".join(f"; {c.detail}" for c in failed[:3]),
    )
    return Validation(assets=tuple(reached), checks=tuple(checks))


_DBT_STATUS = {"pass": "passed", "warn": "warned", "fail": "failed"}


def _dbt_tests(
    workspace: Workspace, changed: Sequence[str], narrator: Narrator
) -> list[ValidationCheck]:
    manifest = workspace.manifest
    selected = [f"{selector(manifest.asset(uid))}+" for uid in changed]
    if not selected:
        return []
    try:
        with workspace.sandbox() as sandbox:
            outcome = sandbox.run(["test", "--no-write-json", "--select", *selected])
    except DagsterAgentError as error:
        return [_could_not(changed[0], error.message)]
    if not outcome.success and not outcome.results:
        return [_could_not(changed[0], outcome.trouble())]
    narrator.step(
        f"run {len(outcome.results)} dbt tests", why="they say what is agreed", result="done"
    )
    return [
        ValidationCheck(
            name=result.unique_id,
            asset=manifest.tests[result.unique_id].asset or changed[0],
            status=_DBT_STATUS.get(result.status, "could-not-run"),
            detail=" ".join(result.message.split()) or result.status,
        )
        for result in outcome.results
        if result.unique_id in manifest.tests
    ]


def _could_not(asset: str, why: str) -> ValidationCheck:
    return ValidationCheck(
        name="dbt test", asset=asset, status=DetectionStatus.COULD_NOT_RUN.value, detail=why
    )


def _changed_paths(repository: GitRepository, since: str) -> frozenset[str]:
    return frozenset(repository.changed_since(since))
