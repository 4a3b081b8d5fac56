"""The failed thing, run again: what a sandbox's build must show red and, with the change, green."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Hypothesis,
    Invariant,
    Recheck,
    ResultTable,
)
from dagster_agent.ports import Warehouse
from dagster_agent.privacy.redaction import redact

Reconcile = Callable[[str, Warehouse, Manifest], Detection]
"""Reconciles one asset against the sandbox's warehouse and manifest."""


def run_again(
    hypothesis: Hypothesis,
    warehouse: Warehouse,
    manifest: Manifest,
    outcome: DbtOutcome,
    *,
    reconcile: Reconcile,
    now: datetime,
) -> Detection:
    """Judge what a build in the sandbox left, as the hypothesis wants it judged.

    Args:
        hypothesis: Names its recheck, and with it the asset or the invariant.
        warehouse: The sandbox's data.
        manifest: The sandbox's project.
        outcome: The build that has just been made there.
        reconcile: For `Recheck.RECONCILIATION`.
        now: UTC.

    Raises:
        ConfigError: `Recheck.INVARIANT` without an invariant.
        ConnectorError: The sandbox's warehouse does not answer.
    """
    if hypothesis.recheck is Recheck.BUILD:
        return _built(hypothesis, outcome, now)
    if hypothesis.recheck is Recheck.COLUMNS:
        return _has_columns(hypothesis, warehouse, manifest, now)
    if hypothesis.recheck is Recheck.INVARIANT:
        if hypothesis.invariant is None:
            raise ConfigError(
                f"the hypothesis of {hypothesis.pattern} names no invariant",
                hint="set Hypothesis.invariant where recheck is `invariant`",
            )
        return _holds(hypothesis.asset, hypothesis.invariant, warehouse, now)
    return reconcile(hypothesis.asset, warehouse, manifest)


def _built(hypothesis: Hypothesis, outcome: DbtOutcome, now: datetime) -> Detection:
    """Red while any model of the build fails: a change that only moves the error is no cure."""
    failed = [
        r for r in outcome.results if r.status == "error" and not r.unique_id.startswith("test.")
    ]
    built = sum(r.status == "success" for r in outcome.results)
    names = ", ".join(r.unique_id.split(".")[-1] for r in failed[:3])
    said = " ".join(redact(failed[0].message).split())[:300] if failed else ""
    return Detection(
        detector="dbt/build",
        asset=hypothesis.asset,
        status=DetectionStatus.FAILED if failed else DetectionStatus.PASSED,
        headline=f"{names} cannot be built: {said}" if failed else f"{built} models are built",
        observed_at=now,
        metrics={"models_failed": float(len(failed)), "models_built": float(built)},
        sample=ResultTable(columns=("models built", "models failed"), rows=((built, len(failed)),)),
    )


def _has_columns(
    hypothesis: Hypothesis, warehouse: Warehouse, manifest: Manifest, now: datetime
) -> Detection:
    relation = manifest.asset(hypothesis.asset).relation
    schema = warehouse.schemas([relation]).get(relation) if relation is not None else None
    missing = [c for c in hypothesis.columns if schema is None or schema.column(c) is None]
    name = manifest.asset(hypothesis.asset).name
    told = f"{name} lacks {', '.join(missing)}" if missing else f"{name} has the new columns"
    return Detection(
        detector="columns",
        asset=hypothesis.asset,
        status=DetectionStatus.FAILED if missing else DetectionStatus.PASSED,
        headline=told,
        observed_at=now,
        sample=ResultTable(columns=("missing columns",), rows=((", ".join(missing),),)),
    )


def _holds(asset: str, invariant: Invariant, warehouse: Warehouse, now: datetime) -> Detection:
    found = warehouse.query(invariant.sql, purpose="is the invariant violated", max_rows=1).scalar()
    violations = float(found) if isinstance(found, (int, float, Decimal)) else 0.0
    violated = violations > 0
    told = f"{violations:,.10g} violations of: {invariant.statement}"
    return Detection(
        detector="invariant",
        asset=asset,
        status=DetectionStatus.FAILED if violated else DetectionStatus.PASSED,
        headline=told if violated else f"it holds that {invariant.statement}",
        observed_at=now,
        metrics={"violations": violations},
        sample=ResultTable(
            columns=("invariant", "violations"), rows=((invariant.statement, violations),)
        ),
    )
