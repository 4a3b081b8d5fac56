"""The job in which people call an unusual point of a metric expected.

This module must not postpone its annotations: Dagster reads them to find the config classes.
"""

from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from dagster_agent.definitions import metadata as shown
from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.judging import judge_again
from dagster_agent.definitions.signed import Signed
from dagster_agent.definitions.stations import speaking_plainly
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import ConfigError


class ExpectedConfig(Signed):
    """What is expected, and who says so."""

    asset: str = Field(description="Asset key (a/b), dbt name or unique id.")
    metric: str = Field(description="The metric, as its anomaly check names it.")
    at: str = Field(
        description="When the point was measured, ISO 8601, UTC where no zone is given; for a"
        " `daily.` metric any moment of the day that it is about."
    )


def build_expected_job(blueprint: Blueprint) -> dg.JobDefinition:
    """Call a point expected; its check is measured anew in the same run."""

    @dg.op(name=blueprint.names.named("expected_op"), out=dg.Out(dg.Nothing))
    def expected_op(context: dg.OpExecutionContext, config: ExpectedConfig) -> None:
        """Remember the word, and judge the asset again."""
        with speaking_plainly():
            _mark(blueprint, context, config)

    return chain_job(
        blueprint.names.expected_job,
        description="Call an unusual value expected. A failing anomaly check links here.",
        kind="expected",
        ops={"mark": expected_op},
    )


def _mark(blueprint: Blueprint, context: dg.OpExecutionContext, config: ExpectedConfig) -> None:
    from dagster_agent.response.monitoring import mark_expected

    now = datetime.now(UTC)
    metric, at = config.metric.strip(), _moment(config.at)
    ref = blueprint.find(config.asset.strip())
    project = ref.project if ref else blueprint.projects[0]
    with open_workspace(blueprint, project, context.instance) as workspace:
        asset = workspace.manifest.find(ref.unique_id if ref else config.asset.strip())
        mark_expected(
            workspace, asset.unique_id, metric, at, who=config.who, why=config.comment, now=now
        )
        publisher = Publisher.in_run(blueprint, context)
        publisher.recorded(
            f"{now:%Y-%m-%d %H:%M:%S} expected {asset.name} {metric}",
            what=f"{metric} of {asset.name} at {shown.as_of(at)} is expected",
            decided_by=config.who,
            comment=config.comment,
        )
        if ref is not None:
            judge_again(blueprint, ref, "anomaly", workspace, publisher)
    context.log.info(f"[agent] {config.who}: {metric} of {asset.name} at {config.at} is expected")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(
            f"{text!r} is no moment", hint="write it like 2026-11-20T06:30:00+00:00"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
