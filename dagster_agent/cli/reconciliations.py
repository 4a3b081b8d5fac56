"""`reconciliations`: what was compared with what, as of when, by which plan, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from dagster_agent.cli.project import ProjectOptions, project_options
from dagster_agent.cli.terminal import errors_for_people, print_json
from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.response.reconciliation_history import ReconciliationRecord


@click.command()
@project_options
@click.option("--asset", required=True, help="dbt name, unique id, source.table or relation.")
@click.option("--limit", type=click.IntRange(1), default=20, help="Newest results shown.")
@click.option("--json", "as_json", is_flag=True, help="All fields as JSON.")
@errors_for_people
def reconciliations(project: ProjectOptions, asset: str, limit: int, as_json: bool) -> None:
    """Show earlier comparisons of one asset: what, as of when, by which plan, at what cost."""
    from dagster_agent.response.engine_contract import reconciliations_json
    from dagster_agent.response.reconciliation_history import kept_results

    if project.state_dir is None:
        raise ConfigError(
            "without --state-dir nothing is kept",
            hint="give the folder `dagster_agent` below DAGSTER_HOME, or the --state-dir of "
            "`dagster-agent reconcile`",
        )
    with project.workspace() as workspace:
        node = workspace.manifest.find(asset)
        kept = kept_results(workspace.store, node.unique_id)[:limit]
    if as_json:
        print_json(reconciliations_json(kept))
    elif kept:
        _print(node.name, kept)
    else:
        click.echo(f"{node.name} has not been compared with anything yet")


def _print(name: str, kept: Sequence[ReconciliationRecord]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{name}: {len(kept)} results, newest first", show_lines=True)
    for column in ("as of (UTC)", "method", "status", "what was compared, and how", "numbers"):
        table.add_column(column, overflow="fold")
    for record in kept:
        told = [record.headline, *record.steps]
        table.add_row(
            f"{record.at:%Y-%m-%d %H:%M:%S}",
            record.detector.rpartition("/")[2],
            record.status,
            escape("\n".join(dict.fromkeys(told))),
            escape(_numbers(record.metrics, len(record.queries))),
        )
    console = Console()
    # outside a terminal, lines are for programs: nothing is folded into eighty columns
    console.print(table, width=None if console.is_terminal else 200)


def _numbers(metrics: Mapping[str, float], queries: int) -> str:
    told = [f"{name} {value:,.6g}" for name, value in metrics.items()]
    return "\n".join([*told, f"{queries} statements"])
