"""The jobs in which people answer: decide on a finding, accept a changed schema.

This module must not postpone its annotations: Dagster reads them to find the config classes.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.judging import judge_again
from dagster_agent.definitions.signed import Signed
from dagster_agent.definitions.stations import speaking_plainly
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.model import Decision, DecisionKind


class DecideConfig(Signed):
    """A decision on a finding."""

    finding_id: str = Field(description="The finding (F-...), as its page shows it.")
    decision: DecisionKind = Field(
        description="APPROVE marks the pull request ready, REJECT closes it, SNOOZE waits."
    )
    snooze_days: float = Field(default=1.0, gt=0, description="How long SNOOZE lasts, in days.")


class AcceptSchemaConfig(Signed):
    """Acceptance of an asset's present schema."""

    asset: str = Field(description="Asset key (a/b), dbt name or unique id.")


def build_decide_job(blueprint: Blueprint) -> dg.JobDefinition:
    """Record a decision, carry it out, and refresh what the UI shows of the finding."""

    @dg.op(name=blueprint.names.named("decide_op"), out=dg.Out(dg.Nothing))
    def decide_op(context: dg.OpExecutionContext, config: DecideConfig) -> None:
        """Record the decision and carry it out."""
        with speaking_plainly():
            _decide(blueprint, context, config)

    return chain_job(
        blueprint.names.decide_job,
        description="Approve, reject or snooze a finding. Its page links here, form filled in.",
        kind="decide",
        ops={"decide": decide_op},
    )


def build_accept_schema_job(blueprint: Blueprint) -> dg.JobDefinition:
    """Accept the schema that an asset has now; its drift check turns green in the same run."""

    @dg.op(name=blueprint.names.named("accept_schema_op"), out=dg.Out(dg.Nothing))
    def accept_schema_op(context: dg.OpExecutionContext, config: AcceptSchemaConfig) -> None:
        """Keep the present columns as the ones that are right."""
        with speaking_plainly():
            _accept_schema(blueprint, context, config)

    return chain_job(
        blueprint.names.accept_schema_job,
        description="Accept an asset's present columns as right. The drift check links here.",
        kind="accept-schema",
        ops={"accept": accept_schema_op},
    )


def _decide(blueprint: Blueprint, context: dg.OpExecutionContext, config: DecideConfig) -> None:
    from dagster_agent.response import decide

    now = datetime.now(UTC)
    # Findings of all projects share one store; only the code host belongs to a project.
    with open_workspace(blueprint, blueprint.projects[0], context.instance) as workspace:
        known = workspace.store.finding(config.finding_id.strip())
    project = blueprint.project_of(known.report.asset if known else None)
    with open_workspace(blueprint, project, context.instance) as workspace:
        finding = decide(
            workspace,
            config.finding_id.strip(),
            config.decision,
            decided_by=config.who,
            comment=config.comment,
            until=now + timedelta(days=config.snooze_days),
            now=now,
            run_id=context.run_id,
        )
        decision = Decision(
            finding_id=finding.id,
            kind=config.decision,
            decided_by=config.who,
            decided_at=now,
            comment=config.comment,
            run_id=context.run_id,
        )
        publisher = Publisher.in_run(blueprint, context)
        publisher.decision(decision, finding)
        publisher.finding(finding, workspace, observe=False)
        publisher.inbox(workspace, now)
    context.log.info(f"[agent] {config.who}: {config.decision} {finding.id}, now {finding.status}")


def _accept_schema(
    blueprint: Blueprint, context: dg.OpExecutionContext, config: AcceptSchemaConfig
) -> None:
    from dagster_agent.response import accept_baseline

    now = datetime.now(UTC)
    ref = blueprint.find(config.asset.strip())
    unique_id = ref.unique_id if ref else config.asset.strip()
    project = ref.project if ref else blueprint.projects[0]
    with open_workspace(blueprint, project, context.instance) as workspace:
        baseline = accept_baseline(
            workspace, unique_id, decided_by=config.who, now=now, comment=config.comment
        )
        publisher = Publisher.in_run(blueprint, context)
        name = baseline.asset.rpartition(".")[2]
        publisher.recorded(
            f"{now:%Y-%m-%d %H:%M:%S} accept-schema {name}",
            what=f"accept the schema of {name} ({len(baseline.schema.columns)} columns)",
            decided_by=config.who,
            comment=config.comment,
        )
        if ref is not None:
            judge_again(blueprint, ref, "schema-drift", workspace, publisher)
    context.log.info(f"[agent] {config.who} accepted the schema of {baseline.asset}")
