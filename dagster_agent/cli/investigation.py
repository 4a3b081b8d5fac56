"""`investigate`, `sweep`, `doctor`, `demo`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_agent.cli.project import ProjectOptions, project_options
from dagster_agent.cli.terminal import Terminal, errors_for_people, print_json
from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.model import Finding
    from dagster_agent.response import Workspace


@click.command()
@project_options
@click.option("--asset", help="dbt name, unique id, source.table or relation.")
@click.option("--question", help="In your words: 'why did revenue drop on Tuesday?'")
@click.option("--json", "as_json", is_flag=True, help="The finding as JSON on standard output.")
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 unless the verdict is healthy.")
@errors_for_people
def investigate(
    project: ProjectOptions,
    asset: str | None,
    question: str | None,
    as_json: bool,
    fail_on_finding: bool,
) -> None:
    """Investigate one asset or question: evidence, cause, tested fix. Changes nothing of yours."""
    from dagster_agent.model import Verdict
    from dagster_agent.response import InvestigationRequest
    from dagster_agent.response import investigate as run

    if not (asset or question):
        raise ConfigError(
            "neither --asset nor --question is given",
            hint="name one, or look at the whole project with `dagster-agent sweep`",
        )
    with project.workspace() as workspace:
        now = datetime.now(UTC)
        finding = run(
            workspace,
            InvestigationRequest(asset=asset, question=question),
            investigation_id=f"cli-{now:%Y%m%d%H%M%S%f}",
            narrator=Terminal(quiet=as_json),
            now=now,
            act_on_it=False,
        )
        print_findings([finding], workspace, as_json=as_json)
    if fail_on_finding and finding.report.verdict is not Verdict.HEALTHY:
        sys.exit(1)


@click.command()
@project_options
@click.option("--asset", help="Look at this asset and what is upstream of it only.")
@click.option("--question", help="Look at the asset that the question speaks of, and upstream.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON on standard output.")
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 when anything is found.")
@errors_for_people
def sweep(
    project: ProjectOptions,
    asset: str | None,
    question: str | None,
    as_json: bool,
    fail_on_finding: bool,
) -> None:
    """Look at a whole dbt project for what no test was written for. Changes nothing of yours."""
    from dagster_agent.model import DetectionStatus
    from dagster_agent.response import asset_in_question
    from dagster_agent.response import sweep as run

    with project.workspace() as workspace:
        focus = workspace.manifest.find(asset).unique_id if asset else None
        if focus is None and question:
            focus = asset_in_question(workspace.manifest, question)
        scope = (focus, *workspace.manifest.upstream(focus)) if focus else ()
        seen = run(
            workspace,
            assets=[uid for uid in scope if workspace.manifest.asset(uid).relation],
            narrator=Terminal(quiet=as_json),
            now=datetime.now(UTC),
        )
        print_findings(seen.findings, workspace, as_json=as_json)
        if not as_json:
            counts = ", ".join(f"{seen.count(s)} {s}" for s in DetectionStatus)
            click.echo(f"{len(seen.detections)} checks: {counts}", err=True)
        for reason, number in seen.could_not_run().items():
            click.echo(f"could not run ({number}): {reason}", err=True)
    if fail_on_finding and seen.findings:
        sys.exit(1)


@click.command()
@project_options
@click.option("--json", "as_json", is_flag=True, help="The examinations as JSON.")
@errors_for_people
def doctor(project: ProjectOptions, as_json: bool) -> None:
    """Check what the agent needs: dbt, the profile, the warehouse, git, the state database."""
    from dagster_agent.response.doctor import examine
    from dagster_agent.response.engine_contract import examinations_json

    results = list(
        examine(
            project.settings(),
            project.project_dir,
            project.profiles_dir,
            project.target,
            project.state_dir,
        )
    )
    if as_json:
        print_json(examinations_json(results))
    for result in () if as_json else results:
        click.echo(f"{'ok  ' if result.ok else 'FAIL'}  {result.name}: {result.detail}")
        if result.hint and not result.ok:
            click.echo(f"      next: {result.hint}")
    sys.exit(0 if all(result.ok for result in results) else 1)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@errors_for_people
def demo(arguments: tuple[str, ...]) -> None:
    """Play incidents in the example code location; needs a clone of the repository."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module("assets.shop.demo")
    except ModuleNotFoundError as missing:
        if missing.name is None or not missing.name.startswith("assets"):
            raise
        raise ConfigError(
            f"no example code location in {Path.cwd()}",
            hint="clone the repository and run `make demo` at its root",
        ) from None
    sys.exit(module.main(list(arguments)))


def print_findings(findings: Sequence[Finding], workspace: Workspace, *, as_json: bool) -> None:
    """Findings as their JSON contract, or as text for people."""
    from rich.console import Console
    from rich.markdown import Markdown

    from dagster_agent.response import findings_json, render_finding

    if as_json:
        print_json(findings_json(findings, workspace.manifest))
        return
    console = Console()
    for finding in findings:
        console.print(Markdown(render_finding(finding)))
    if not findings:
        console.print("Nothing found: every check that could run is in order.")
