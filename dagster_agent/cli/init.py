"""`init`: what there is to watch in a dbt project, and what to declare of it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dagster_agent.cli.project import ProjectOptions, project_options
from dagster_agent.cli.terminal import errors_for_people, print_json

if TYPE_CHECKING:
    from dagster_agent.response.survey import Survey, WarehouseSurvey

_NAMED = 10
"""Names written out of a longer list."""


@click.command()
@project_options
@click.option("--asset", "assets", multiple=True, help="Propose truths for this model; repeat it.")
@click.option("--limit", type=click.IntRange(1), default=10, help="Most truths proposed.")
@click.option("--json", "as_json", is_flag=True, help="What was found as JSON.")
@errors_for_people
def init(project: ProjectOptions, assets: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Say what a dbt project has to watch, and propose sources of truth. Writes nothing."""
    from dagster_agent.response.engine_contract import survey_json
    from dagster_agent.response.survey import survey

    with project.workspace() as workspace:
        chosen = [workspace.manifest.find(name).unique_id for name in assets]
        found = survey(workspace, assets=chosen, limit=limit)
        if as_json:
            print_json(survey_json(found))
    for line in () if as_json else _lines(found):
        click.echo(line)
    if not found.warehouse.reachable:
        sys.exit(3)


def _lines(found: Survey) -> Iterator[str]:
    yield f"project: {found.project}"
    yield from _warehouse(found.warehouse)
    if found.broken:
        yield f"settings that are wrong, so that checks cannot run: {len(found.broken)}"
        yield from (f"  {told}" for told in found.broken)
    with_freshness = sum(source.freshness for source in found.sources)
    yield f"sources: {len(found.sources)}, {with_freshness} with freshness"
    for source in found.sources:
        said = "freshness is declared" if source.freshness else "no freshness"
        when = f"{source.timestamp} tells when" if source.timestamp else "no column tells when"
        looked = found.warehouse.reachable and source.asset not in found.warehouse.missing
        yield f"  {source.name}: {said}" + (f", {when}" if looked else "")
    names = [uid.split(".")[-1] for uid in found.without_key]
    yield f"models without a key: {len(names)} of {found.models}"
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"  {', '.join(names[:_NAMED])}{more}"
        yield "  give each a `unique` test: keys are what rows are compared by"
    yield "critical candidates: " + ("the most read" if found.critical else "none, nothing is read")
    for model in found.critical:
        exposed = f", {', '.join(model.exposures)}" if model.exposures else ""
        already = " (declared)" if model.declared else ""
        read = f"read by {model.readers}" if model.readers else "read by none"
        yield f"  {model.asset.split('.')[-1]}: {read}{exposed}{already}"
    yield from _without_owner(found)
    yield from _pairs(found)


def _without_owner(found: Survey) -> Iterator[str]:
    names = [source.name for source in found.sources if source.owner is None]
    if not names:
        return
    yield f"nobody is named for: {len(names)} of {len(found.sources)} sources"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    yield f"  {', '.join(names[:_NAMED])}{more}"
    yield "  who answers for them? `owner` under `meta: dagster_agent:`; it is not guessed"


def _warehouse(found: WarehouseSurvey) -> Iterator[str]:
    if not found.reachable:
        yield f"warehouse: {found.name} NOT reachable: {found.detail}"
        if found.hint:
            yield f"  next: {found.hint}"
        return
    yield f"warehouse: {found.name} reachable, {found.detail}"
    if found.missing:
        missing = [uid.split(".")[-1] for uid in found.missing]
        more = " and more" if len(missing) > _NAMED else ""
        yield f"  missing: {', '.join(missing[:_NAMED])}{more}"


def _pairs(found: Survey) -> Iterator[str]:
    if found.unproposed:
        yield f"sources of truth: not looked for: {found.unproposed}"
        return
    yield f"sources of truth proposed: {len(found.pairs)}"
    for each in found.pairs:
        model = each.pair.asset.split(".")[-1]
        yield f"  {model} and {each.pair.other} (score {each.pair.score:.2f})"
        yield f"    {each.pair.evidence}"
        if each.pair.question:
            yield f"    ask first: {each.pair.question}"
        yield f"    merge into {each.file or 'the yml of the model'}:"
        yield textwrap.indent(each.yml.rstrip(), " " * 6)
