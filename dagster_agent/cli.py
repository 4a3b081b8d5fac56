"""`dagster-agent`: the product from the shell, on any dbt project, with or without Dagster.

Exit codes: 0 done (whatever was found), 1 done and something was found under `--fail-on-finding`
or a check of `doctor` failed, 2 wrong input or configuration, 3 a vendor could not be reached.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

import click

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError

P = ParamSpec("P")


class _Terminal:
    """Narrates to standard error, so that standard output stays clean for JSON."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def step(self, what: str, *, why: str, result: str) -> None:
        from rich.markup import escape

        from dagster_agent.privacy.redaction import redact

        self._console.print(
            f"[bold]{escape(redact(what))}[/bold] [dim]({escape(redact(why))})[/dim]"
        )
        self._console.print(f"  → {escape(redact(result))}")


def _project_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options by which every command finds a dbt project."""
    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option("--state-dir", type=folder, help="Keep memory here; by default none is kept."),
        click.option("--target", help="dbt target; by default the profile's own."),
        click.option("--profiles-dir", type=folder, help="Folder of profiles.yml."),
        click.option(
            "--project-dir", type=folder, default=Path(), show_default="here", help="dbt project."
        ),
    ):
        command = option(command)
    return command


def _errors_for_people(command: Callable[P, None]) -> Callable[P, None]:
    """A user's mistake or a vendor's outage is one message and an exit code, no traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except DagsterAgentError as error:
            click.echo(f"error: {error.message}", err=True)
            if error.hint:
                click.echo(f"  next: {error.hint}", err=True)
            sys.exit(3 if isinstance(error, ConnectorError) else 2)

    return run


@contextmanager
def _workspace(
    project_dir: Path, profiles_dir: Path | None, target: str | None, state_dir: Path | None
) -> Generator[Any]:
    from dagster_agent.response import Workspace
    from dagster_agent.settings import Settings

    with tempfile.TemporaryDirectory(prefix="dagster-agent-") as fleeting:
        directory = state_dir or Path(fleeting)
        with Workspace.open(
            Settings(),
            project_dir=project_dir,
            profiles_dir=profiles_dir,
            target=target,
            state_directory=directory,
        ) as workspace:
            yield workspace


@click.group()
@click.version_option(package_name="dagster-agent")
def main() -> None:
    """Find, prove and repair what breaks in dbt assets."""


@main.command()
@_project_options
@click.option("--asset", help="dbt name, unique id, source.table or relation.")
@click.option("--question", help="In your words: 'why did revenue drop on Tuesday?'")
@click.option("--json", "as_json", is_flag=True, help="The finding as JSON on standard output.")
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 unless the verdict is healthy.")
@_errors_for_people
def investigate(
    project_dir: Path,
    profiles_dir: Path | None,
    target: str | None,
    state_dir: Path | None,
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
    with _workspace(project_dir, profiles_dir, target, state_dir) as workspace:
        now = datetime.now(UTC)
        finding = run(
            workspace,
            InvestigationRequest(asset=asset, question=question),
            investigation_id=f"cli-{now:%Y%m%d%H%M%S%f}",
            narrator=_Terminal(quiet=as_json),
            now=now,
            act_on_it=False,
        )
        _print_findings([finding], workspace, as_json)
    if fail_on_finding and finding.report.verdict is not Verdict.HEALTHY:
        sys.exit(1)


@main.command()
@_project_options
@click.option("--asset", help="Look at this asset and what is upstream of it only.")
@click.option("--question", help="Look at the asset that the question speaks of, and upstream.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON on standard output.")
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 when anything is found.")
@_errors_for_people
def sweep(
    project_dir: Path,
    profiles_dir: Path | None,
    target: str | None,
    state_dir: Path | None,
    asset: str | None,
    question: str | None,
    as_json: bool,
    fail_on_finding: bool,
) -> None:
    """Look at a whole dbt project for what no test was written for. Changes nothing of yours."""
    from dagster_agent.model import DetectionStatus
    from dagster_agent.response import asset_in_question
    from dagster_agent.response import sweep as run

    with _workspace(project_dir, profiles_dir, target, state_dir) as workspace:
        focus = workspace.manifest.find(asset).unique_id if asset else None
        if focus is None and question:
            focus = asset_in_question(workspace.manifest, question)
        scope = (focus, *workspace.manifest.upstream(focus)) if focus else ()
        seen = run(
            workspace,
            assets=[uid for uid in scope if workspace.manifest.asset(uid).relation],
            narrator=_Terminal(quiet=as_json),
            now=datetime.now(UTC),
        )
        _print_findings(seen.findings, workspace, as_json)
        if not as_json:
            counts = ", ".join(f"{seen.count(s)} {s}" for s in DetectionStatus)
            click.echo(f"{len(seen.detections)} checks: {counts}", err=True)
        for reason, number in seen.could_not_run().items():
            click.echo(f"could not run ({number}): {reason}", err=True)
    if fail_on_finding and seen.findings:
        sys.exit(1)


@main.command()
@_project_options
@_errors_for_people
def doctor(
    project_dir: Path, profiles_dir: Path | None, target: str | None, state_dir: Path | None
) -> None:
    """Check what the agent needs: dbt, the profile, the warehouse, git, the state database."""
    from dagster_agent.response.doctor import examine

    healthy = True
    for result in examine(project_dir, profiles_dir, target, state_dir):
        healthy = healthy and result.ok
        click.echo(f"{'ok  ' if result.ok else 'FAIL'}  {result.name}: {result.detail}")
        if result.hint and not result.ok:
            click.echo(f"      next: {result.hint}")
    sys.exit(0 if healthy else 1)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@_errors_for_people
def demo(arguments: tuple[str, ...]) -> None:
    """Play an incident in the example code location; needs a clone of the repository."""
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


def _print_findings(findings: Any, workspace: Any, as_json: bool) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from dagster_agent.response import findings_json, render_finding

    if as_json:
        click.echo(
            json.dumps(findings_json(findings, workspace.manifest), indent=2, ensure_ascii=False)
        )
        return
    console = Console()
    for finding in findings:
        console.print(Markdown(render_finding(finding)))
    if not findings:
        console.print("Nothing found: every check that could run is in order.")


if __name__ == "__main__":
    main()
