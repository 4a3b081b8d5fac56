"""The agent's three assets, and how findings, decisions and the inbox are written to them.

They are external: nothing can be materialised by mistake, and each event is written by the run in
which it happened, so that the UI shows the run beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster import MetadataValue

from dagster_agent.definitions import metadata as shown
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.definitions.finding_metadata import finding_metadata, open_findings_result
from dagster_agent.definitions.health_runs import grouping, run_ends
from dagster_agent.definitions.inbox_metadata import health_metadata, inbox_metadata
from dagster_agent.definitions.links import Place, decision_links, follow_up_links
from dagster_agent.definitions.names import Names
from dagster_agent.definitions.partitions import finding_partition, partition_key
from dagster_agent.definitions.redacting import redacted_finding
from dagster_agent.model import Decision, Finding, Verdict

if TYPE_CHECKING:
    from dagster_agent.response import Workspace

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation

_GROUP = "agent"


def agent_assets(names: Names) -> list[dg.AssetSpec]:
    """Specs of `findings`, `inbox` and `decisions`."""
    return [
        dg.AssetSpec(
            names.inbox,
            description="What waits for a person, what is open, and how it has been going.",
            group_name=_GROUP,
            kinds={"agent"},
        ),
        dg.AssetSpec(
            names.findings,
            description="One partition per finding: cause, proof, blast radius, fix, decision.",
            group_name=_GROUP,
            kinds={"agent"},
            partitions_def=dg.DynamicPartitionsDefinition(name=names.named("findings")),
        ),
        dg.AssetSpec(
            names.decisions,
            description="One partition per decision: who decided what, when, in which words.",
            group_name=_GROUP,
            kinds={"agent"},
            partitions_def=dg.DynamicPartitionsDefinition(name=names.named("decisions")),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Writes what the agent knows into the asset catalogue."""

    blueprint: Blueprint
    """What is watched."""
    instance: dg.DagsterInstance
    """Where partitions are added."""
    emit: Callable[[Event], None]
    """Writes one event: into the run, or without one."""
    place: Place
    """Where links lead."""

    @classmethod
    def in_run(cls, blueprint: Blueprint, context: dg.OpExecutionContext) -> Publisher:
        """Events belong to the run and carry its link."""
        return cls(
            blueprint=blueprint,
            instance=context.instance,
            # log_event takes check evaluations too; only its annotation does not say so.
            emit=context.log_event,  # pyright: ignore[reportArgumentType]
            place=Place.of_run(context.run, blueprint.settings),
        )

    @classmethod
    def without_run(
        cls, blueprint: Blueprint, instance: dg.DagsterInstance, place: Place
    ) -> Publisher:
        """Events stand alone, as a sensor writes them."""
        return cls(
            blueprint=blueprint,
            instance=instance,
            emit=instance.report_runless_asset_event,
            place=place,
        )

    def finding(self, finding: Finding, workspace: Workspace, *, observe: bool) -> None:
        """The finding's partition, the state of the asset's check, and one line in its events.

        Args:
            finding: As it stands now.
            workspace: For the other open findings of the asset.
            observe: Whether to write the observation on the dbt asset; once per finding, or the
                customer's events drown in ours.
        """
        names = self.blueprint.names
        ref = self.blueprint.by_uid.get(finding.report.asset or "")
        payload = finding_payload(finding, workspace, self.blueprint, self.place)
        headline = finding.report.headline
        partition = finding_partition(finding)
        self.instance.add_dynamic_partitions(names.named("findings"), [partition])
        self.emit(
            dg.AssetMaterialization(
                names.findings, description=headline, metadata=payload, partition=partition
            )
        )
        if ref is None:
            return
        if observe:
            told = f"{finding.id}: {headline}"
            self.emit(dg.AssetObservation(ref.key, description=told, metadata=payload))
        result = open_findings(workspace, ref, self.blueprint, self.place)
        self.emit(shown.evaluation_of(result))

    def inbox(self, workspace: Workspace, now: datetime) -> None:
        """The ranked list as it is now."""
        from dagster_agent.autonomy.pause import paused
        from dagster_agent.quality.scoring import quality_rollup
        from dagster_agent.response import inbox, steering
        from dagster_agent.response.health import health

        listed = inbox(workspace, now=now)
        in_settings = "Paused in the settings." if workspace.settings.autonomy.paused else None
        shown_inbox = inbox_metadata(
            listed,
            self.blueprint.names,
            place=self.place,
            paused=in_settings or paused(workspace.store),
            running=steering.running(workspace.store, now=now),
        )
        ends = run_ends(self.instance, self.blueprint, now, location=self.place.location)
        been = health(workspace.store, ends, now, group_of=grouping(self.blueprint))
        shown_inbox |= health_metadata(
            been, quality_rollup(workspace.store, workspace.lineage, now)
        )
        self.emit(
            dg.AssetMaterialization(
                self.blueprint.names.inbox,
                description=f"{len(listed.waiting)} findings wait for a person",
                metadata=shown_inbox,
            )
        )

    def decision(self, decision: Decision, finding: Finding) -> None:
        """A person's decision on a finding."""
        self.recorded(
            f"{decision.decided_at:%Y-%m-%d %H:%M:%S} {decision.kind} {finding.id}",
            what=f"{decision.kind} {finding.id}: {finding.report.headline}",
            decided_by=decision.decided_by,
            comment=decision.comment,
        )

    def recorded(self, partition: str, *, what: str, decided_by: str, comment: str) -> None:
        """One partition of the decisions."""
        names = self.blueprint.names
        partition = partition_key(partition)
        self.instance.add_dynamic_partitions(names.named("decisions"), [partition])
        self.emit(
            dg.AssetMaterialization(
                names.decisions,
                description=what,
                metadata={
                    "decision": MetadataValue.text(what),
                    "decided_by": MetadataValue.text(decided_by),
                    "comment": MetadataValue.text(comment),
                },
                partition=partition,
            )
        )


def finding_payload(
    finding: Finding, workspace: Workspace, blueprint: Blueprint, place: Place
) -> shown.Metadata:
    """The one payload that the partition, the observation and the check show. Redacted."""
    from dagster_agent.response import rendering

    ref = blueprint.by_uid.get(finding.report.asset or "")
    shown_finding = redacted_finding(finding, workspace.secrets)
    headline = rendering.escape(shown_finding.report.headline)
    told = {
        "finding": f"### {headline}\n\n{rendering.render_story(shown_finding)}",
        "decide": decision_links(finding, place, blueprint.names),
        "follow_up": follow_up_links(finding, place, blueprint.names),
        "fix": rendering.render_fix(shown_finding),
    }
    return finding_metadata(shown_finding, told=told, asset_key=ref.key if ref else None)


def open_findings(
    workspace: Workspace, ref: DbtAssetRef, blueprint: Blueprint, place: Place
) -> dg.AssetCheckResult:
    """The open-findings check of an asset, recomputed from what is stored."""
    stored = workspace.store.findings(asset=ref.unique_id, open_only=True)
    told = [f for f in stored if f.report.verdict is not Verdict.HEALTHY]
    return open_findings_result(
        told,
        key=blueprint.open_findings_key(ref),
        payload=lambda finding: finding_payload(finding, workspace, blueprint, place),
    )
