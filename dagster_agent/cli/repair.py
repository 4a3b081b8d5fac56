"""`fix`, `validate`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from dagster_agent.cli.investigation import print_findings
from dagster_agent.cli.project import ProjectOptions, project_options
from dagster_agent.cli.terminal import Terminal, errors_for_people, print_json
from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.response.healing import Healing, Mode

_MODES = click.Choice(["human-in-loop", "autonomous"])
_json = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")


@click.command()
@project_options
@click.option("--asset", help="dbt name, unique id, source.table or relation.")
@click.option("--question", help="In your words.")
@click.option("--run", "run_first", is_flag=True, help="Run the project, and mend what fails.")
@click.option(
    "--mode",
    type=_MODES,
    default="human-in-loop",
    show_default=True,
    help="Show the change and wait, or apply it at a confidence of 0.8 or more.",
)
@click.option("--approve-by", default="", metavar="NAME", help="You approve the verified change.")
@_json
@errors_for_people
def fix(
    project: ProjectOptions,
    asset: str | None,
    question: str | None,
    run_first: bool,
    mode: Mode,
    approve_by: str,
    as_json: bool,
) -> None:
    """Find the cause, prove a change, apply it if that is wanted, run again and validate.

    Writes to your project and runs dbt in your warehouse only with --run, --approve-by or
    --mode autonomous; the files as they were are kept.
    """
    from dagster_agent.response import InvestigationRequest
    from dagster_agent.response.healing import Orders, heal
    from dagster_agent.response.repair_contract import healing_json

    if not (asset or question or run_first):
        raise ConfigError(
            "none of --asset, --question and --run is given",
            hint="name what looks wrong, or let the project run with --run",
        )
    request = InvestigationRequest(asset=asset, question=question) if asset or question else None
    with project.workspace() as workspace:
        healing = heal(
            workspace,
            request,
            Orders(mode=mode, approved_by=approve_by.strip(), run_first=run_first),
            narrator=Terminal(quiet=as_json),
            now=datetime.now(UTC),
        )
        if as_json:
            print_json(healing_json(healing, workspace.manifest))
        else:
            if healing.finding is not None:
                print_findings([healing.finding], workspace, as_json=False)
            _tell(healing)
    sys.exit(1 if healing.outcome == "escalated" else 0)


@click.command()
@project_options
@click.option("--asset", "assets", multiple=True, help="What was changed; repeat it.")
@click.option(
    "--since", default="HEAD", show_default=True, help="Else: all files changed since this commit."
)
@_json
@errors_for_people
def validate(project: ProjectOptions, assets: tuple[str, ...], since: str, as_json: bool) -> None:
    """Data checks on what was changed and on all that is built from it. Builds nothing.

    Exits with 1 when a check fails or could not run.
    """
    from dagster_agent.response.repair_contract import validation_json
    from dagster_agent.response.validation import changed_models
    from dagster_agent.response.validation import validate as run

    with project.workspace() as workspace:
        named = [workspace.manifest.find(name).unique_id for name in assets]
        changed = named or changed_models(workspace, since=since)
        validation = run(
            workspace, changed, narrator=Terminal(quiet=as_json), now=datetime.now(UTC)
        )
    if as_json:
        print_json(validation_json(validation))
    else:
        for check in validation.checks:
            click.echo(f"{check.status:14} {check.asset.split('.')[-1]}: {check.detail}")
        if not changed:
            click.echo(f"no model differs from {since}")
    sys.exit(0 if validation.passed else 1)


def _tell(healing: Healing) -> None:
    for number, attempt in enumerate(healing.attempts, start=1):
        click.echo(f"attempt {number}: {attempt.what}: {attempt.result}")
    click.echo(
        {
            "healthy": "Nothing to mend.",
            "recovered": "Recovered: applied, run again, validated.",
            "waiting-for-approval": "Waits for you: approve with --approve-by YOUR-NAME.",
            "escalated": "Not mended: a person has to look.",
        }[healing.outcome]
    )
    if healing.backup is not None:
        click.echo(f"The files as they were: {healing.backup}")
