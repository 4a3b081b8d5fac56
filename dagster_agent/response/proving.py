"""Station three in full: the patterns' hypotheses are tested, and then Claude's, where it is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dagster_agent.connectors.chat_models import open_chat_model
from dagster_agent.connectors.warehouses.landing import landed_tables
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ApprovalRequired, ConfigError, ConnectorError, LeaseHeld
from dagster_agent.investigation import proof
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.rechecks import run_again
from dagster_agent.investigation.specialists.consult import consult
from dagster_agent.investigation.specialists.consultation import Brief, Consultation
from dagster_agent.investigation.specialists.toolbox import Toolbox
from dagster_agent.model import (
    ConsultationRecord,
    Detection,
    DetectionStatus,
    Hypothesis,
    HypothesisStatus,
)
from dagster_agent.ports import Narrator, Warehouse
from dagster_agent.reconciliation.engine import reconcile
from dagster_agent.response.listening import ListeningNarrator
from dagster_agent.response.reconciliation_history import past
from dagster_agent.response.steering import heard
from dagster_agent.response.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """What every test of one investigation shares."""

    workspace: Workspace
    """The opened project."""
    investigation_id: str
    """Whose messages are heard, and who acts."""
    dossier: Dossier
    """Evidence."""
    narrator: Narrator
    """The run's own voice."""
    now: datetime
    """UTC."""

    def test(self, hypotheses: tuple[Hypothesis, ...]) -> tuple[proof.Tested, ...]:
        """Test hypotheses in sandboxes, likeliest first."""
        return proof.prove(
            hypotheses,
            focus=self.dossier.focus,
            open_sandbox=self.workspace.sandbox,
            recheck=partial(run_again, reconcile=self._reconciled, now=self.now),
            narrator=ListeningNarrator(
                narrator=self.narrator,
                workspace=self.workspace,
                investigation_id=self.investigation_id,
            ),
            config=self.workspace.settings.investigation,
        )

    def ask(self, tested: tuple[proof.Tested, ...]) -> Consultation | None:
        """Let Claude look where no hypothesis was confirmed; None where it is off or not needed.

        Whatever stands in the way becomes the outcome: the deterministic report stands.
        """
        settings = self.workspace.settings.claude
        confirmed = any(t.hypothesis.status is HypothesisStatus.CONFIRMED for t in tested)
        if not settings.enabled or confirmed:
            return None
        try:
            return self.workspace.guard(self.investigation_id).perform(
                "ask-claude",
                self.dossier.incident.id,
                now=self.now,
                work=lambda: self._consulted(tested),
                detail={"model": settings.model, "max_dollars": settings.max_dollars},
                cost=lambda consultation: consultation.usage.cost_usd,
            )
        except (ApprovalRequired, LeaseHeld, ConfigError, ConnectorError) as obstacle:
            self.narrator.step("ask Claude", why="no pattern explains it", result=str(obstacle))
            return Consultation(outcome="refused", detail=str(obstacle))

    def _consulted(self, tested: tuple[proof.Tested, ...]) -> Consultation:
        workspace, config = self.workspace, self.workspace.settings.claude
        return consult(
            Brief(dossier=self.dossier, tested=tested, codebase=workspace.codebase),
            model=open_chat_model(
                model=config.model,
                platform=config.platform,
                base_url=config.base_url,
                max_retries=config.max_retries,
            ),
            toolbox=Toolbox(
                codebase=workspace.codebase,
                warehouse=workspace.warehouse,
                dossier=self.dossier,
                now=self.now,
                secrets=workspace.secrets,
            ),
            config=config,
            narrator=self.narrator,
            messages=lambda: heard(workspace, self.investigation_id, self.narrator),
            now=self.now,
        )

    def _reconciled(self, asset: str, warehouse: Warehouse, manifest: Manifest) -> Detection:
        workspace = self.workspace
        found = reconcile(
            asset,
            manifest=manifest,
            warehouse=warehouse,
            config=workspace.settings.for_asset(manifest.asset(asset)).reconciliation,
            open_store=workspace.truths.open,
            history=past(workspace.store, asset, now=self.now),
            landing=landed_tables,
            now=self.now,
        )
        return worst(found)


def record_of(consultation: Consultation, model: str) -> ConsultationRecord:
    """What a finding keeps of a consultation."""
    usage = consultation.usage
    return ConsultationRecord(
        model=model,
        outcome=consultation.outcome,
        detail=consultation.detail,
        summary=consultation.summary,
        turns=usage.turns,
        tool_calls=usage.tool_calls,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        seconds=usage.seconds,
    )


def worst(found: list[Detection]) -> Detection:
    """The detection that decides: failed before could-not-run before untrained before passed."""
    order = (
        DetectionStatus.FAILED,
        DetectionStatus.COULD_NOT_RUN,
        DetectionStatus.UNTRAINED,
        DetectionStatus.PASSED,
    )
    # of equals the row count, which says most
    return min(found, key=lambda d: (order.index(d.status), not d.detector.endswith("row-count")))
