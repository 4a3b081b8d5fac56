"""The JSON of `fix` and `validate`; its shapes are fixed in `docs/contracts.md`."""

from __future__ import annotations

from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.response.contract import finding_json
from dagster_agent.response.healing import Healing
from dagster_agent.response.validation import Validation


def healing_json(healing: Healing, manifest: Manifest) -> dict[str, Any]:
    """What came of `fix`."""
    finding = healing.finding
    report = finding.report if finding else None
    escalated = healing.outcome == "escalated" and report is not None
    question = report.question if report else None
    return {
        "outcome": healing.outcome,
        "error": healing.error,
        "finding": finding_json(finding, manifest) if finding else None,
        "attempts": [
            {
                "action": attempt.action,
                "what": attempt.what,
                "at": attempt.at.isoformat(),
                "result": attempt.result,
            }
            for attempt in healing.attempts
        ],
        "validation": validation_json(healing.validation) if healing.validation else None,
        "escalation": {
            "root_cause": report.cause.mechanism if report and report.cause else None,
            "options": list(question.options) if question else [],
        }
        if escalated
        else None,
    }


def validation_json(validation: Validation) -> dict[str, Any]:
    """What `validate` looked at."""
    return {
        "passed": validation.passed,
        "assets": list(validation.assets),
        "checks": [
            {
                "name": check.name,
                "unique_id": check.asset,
                "status": check.status,
                "detail": check.detail,
            }
            for check in validation.checks
        ],
    }
