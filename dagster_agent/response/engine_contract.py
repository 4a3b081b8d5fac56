"""The JSON of single engines; its shapes are fixed in `docs/contracts.md`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Detection, Failure, TableProfile
from dagster_agent.response.contract import table_json
from dagster_agent.response.doctor import Examination
from dagster_agent.response.reconciliation_history import ReconciliationRecord
from dagster_agent.response.series import JudgedPoint
from dagster_agent.response.survey import Survey


def failure_json(failure: Failure) -> dict[str, Any]:
    """One classified failure."""
    facts = failure.facts
    return {
        "class": failure.failure_class,
        "retryable": failure.retryable,
        "confidence": failure.confidence,
        "rule": failure.rule,
        "excerpt": failure.excerpt,
        "facts": {
            "relation": facts.relation,
            "column": facts.column,
            "candidates": list(facts.candidates),
            "model": facts.model,
            "path": facts.path,
            "line": facts.line,
            "code": facts.code,
        },
    }


def detections_json(detections: Sequence[Detection], manifest: Manifest) -> dict[str, Any]:
    """`{"detections": [...]}` in the order given."""
    return {"detections": [_detection(detection, manifest) for detection in detections]}


def _detection(detection: Detection, manifest: Manifest) -> dict[str, Any]:
    return {
        "detector": detection.detector,
        "pair": detection.pair,
        "asset": manifest.asset(detection.asset).name,
        "unique_id": detection.asset,
        "status": detection.status.value,
        "severity": detection.severity.value,
        "headline": detection.headline,
        "metrics": dict(detection.metrics),
        "sample": table_json(detection.sample),
        "hint": detection.hint,
    }


def profiles_json(profiles: Sequence[TableProfile]) -> dict[str, Any]:
    """`{"profiles": [...]}` in the order given."""
    return {"profiles": [_profile(profile) for profile in profiles]}


def _profile(profile: TableProfile) -> dict[str, Any]:
    return {
        "relation": str(profile.relation),
        "row_count": profile.row_count,
        "profiled_at": profile.profiled_at.isoformat(),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "null_count": column.null_count,
                "distinct_estimate": column.distinct_estimate,
                "minimum": column.minimum,
                "maximum": column.maximum,
                "sum": column.sum,
                "mean": column.mean,
            }
            for column in profile.columns
        ],
    }


def survey_json(found: Survey) -> dict[str, Any]:
    """What `init` found and proposes."""
    warehouse = found.warehouse
    return {
        "project": found.project,
        "warehouse": {
            "name": warehouse.name,
            "reachable": warehouse.reachable,
            "detail": warehouse.detail,
            "hint": warehouse.hint,
            "missing": list(warehouse.missing),
        },
        "sources": [
            {
                "unique_id": s.asset,
                "freshness": s.freshness,
                "timestamp": s.timestamp,
                "owner": s.owner,
            }
            for s in found.sources
        ],
        "models": found.models,
        "models_without_key": list(found.without_key),
        "critical_candidates": [
            {
                "unique_id": c.asset,
                "readers": c.readers,
                "exposures": list(c.exposures),
                "declared": c.declared,
            }
            for c in found.critical
        ],
        "proposals": [
            {
                "unique_id": p.pair.asset,
                "with": str(p.pair.other),
                "score": p.pair.score,
                "evidence": p.pair.evidence,
                "question": p.pair.question or None,
                "file": p.file,
                "yml": p.yml,
            }
            for p in found.pairs
        ],
        "not_proposed_because": found.unproposed or None,
        "broken_settings": list(found.broken),
    }


def reconciliations_json(records: Sequence[ReconciliationRecord]) -> dict[str, Any]:
    """`{"reconciliations": [...]}` in the order given."""
    return {
        "reconciliations": [
            {
                "at": record.at.isoformat(),
                "unique_id": record.asset,
                "detector": record.detector,
                "pair": record.pair,
                "status": record.status,
                "headline": record.headline,
                "metrics": dict(record.metrics),
                "steps": list(record.steps),
                "queries": list(record.queries),
            }
            for record in records
        ]
    }


def point_json(point: JudgedPoint) -> dict[str, Any]:
    """One point of a series."""
    return {
        "timestamp": point.timestamp,
        "anomaly": point.anomaly,
        "score": point.score,
        "trained": point.trained,
    }


def examinations_json(examinations: Sequence[Examination]) -> dict[str, Any]:
    """What `doctor` looked at."""
    return {
        "examinations": [
            {"name": e.name, "ok": e.ok, "detail": e.detail, "hint": e.hint} for e in examinations
        ]
    }
