"""`reconcile`, `drift`, `profile`, `anomalies`: one engine each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from dagster_agent.cli.project import ProjectOptions, project_options
from dagster_agent.cli.terminal import errors_for_people, print_json, print_line

if TYPE_CHECKING:
    from dagster_agent.model import Detection
    from dagster_agent.response import Engine, Workspace

_asset = click.option("--asset", "assets", multiple=True, help="dbt name; repeat it. Else all.")
_json = click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
_fail = click.option("--fail-on-finding", is_flag=True, help="Exit with 1 when a check fails.")


@click.command()
@project_options
@_asset
@_json
@_fail
@errors_for_people
def reconcile(
    project: ProjectOptions, assets: tuple[str, ...], as_json: bool, fail_on_finding: bool
) -> None:
    """Compare models with what they are made from, and with their configured truths."""
    _run_engine(project, assets, "reconciliation", as_json, fail_on_finding)


@click.command()
@project_options
@_asset
@_json
@_fail
@errors_for_people
def drift(
    project: ProjectOptions, assets: tuple[str, ...], as_json: bool, fail_on_finding: bool
) -> None:
    """Compare schemas with their accepted baselines. Needs --state-dir to remember them."""
    _run_engine(project, assets, "schema-drift", as_json, fail_on_finding)


@click.command()
@project_options
@_asset
@_json
@errors_for_people
def profile(project: ProjectOptions, assets: tuple[str, ...], as_json: bool) -> None:
    """Aggregates of tables and of their columns; no value of a text column leaves."""
    from dagster_agent.response.engine_contract import profiles_json
    from dagster_agent.response.monitoring import profile as profiled

    with project.workspace() as workspace:
        now = datetime.now(UTC)
        found = [profiled(workspace, uid, now=now) for uid in _chosen(workspace, assets)]
        if as_json:
            print_json(profiles_json(found))
            return
    for table in found:
        click.echo(f"{table.relation}: {table.row_count:,} rows")
        for column in table.columns:
            click.echo(f"  {column.name} {column.type}: {column.null_count:,} null")


@click.command()
@click.argument("csv_file", type=click.File("r", encoding="utf-8-sig"), default="-")
@click.option("--json", "as_json", is_flag=True, help="All points as one JSON list.")
@click.option("--jsonl", "as_lines", is_flag=True, help="One JSON line for each point.")
@_fail
@errors_for_people
def anomalies(csv_file: IO[str], as_json: bool, as_lines: bool, fail_on_finding: bool) -> None:
    """Judge every point of a CSV (header `timestamp,value`) as if it were the newest."""
    from dagster_agent.response.engine_contract import point_json
    from dagster_agent.response.series import judge_series, read_series

    judged = judge_series(read_series(csv_file))
    records = [point_json(point) for point in judged]
    if as_json:
        print_json(records)
    elif as_lines or not sys.stdout.isatty():
        for record in records:
            print_line(record)
    else:
        for point in judged:
            state = "ANOMALY" if point.anomaly else "ok" if point.trained else "untrained"
            click.echo(f"{point.timestamp}  {point.value:g}  {state} ({point.score:+.1f})")
    if fail_on_finding and any(point.anomaly for point in judged):
        sys.exit(1)


def _run_engine(
    project: ProjectOptions,
    assets: Sequence[str],
    engine: Engine,
    as_json: bool,
    fail_on_finding: bool,
) -> None:
    from dagster_agent.model import DetectionStatus
    from dagster_agent.response import detect
    from dagster_agent.response.engine_contract import detections_json

    with project.workspace() as workspace:
        now = datetime.now(UTC)
        found: list[Detection] = []
        for uid in _chosen(workspace, assets):
            found += detect(workspace, uid, engine, now=now)
        if as_json:
            print_json(detections_json(found, workspace.manifest))
    for detection in () if as_json else found:
        name = detection.asset.split(".")[-1]
        click.echo(f"{detection.status.value:14} {name}: {detection.headline}")
    if fail_on_finding and any(d.status is DetectionStatus.FAILED for d in found):
        sys.exit(1)


def _chosen(workspace: Workspace, assets: Sequence[str]) -> Sequence[str]:
    from dagster_agent.response import watched_assets

    if assets:
        return [workspace.manifest.find(name).unique_id for name in assets]
    return watched_assets(workspace)
