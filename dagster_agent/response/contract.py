"""The JSON that leaves the command line; its shape is fixed in `docs/contracts.md`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import (
    Cell,
    Evidence,
    Finding,
    ProposedChange,
    Report,
    ResultTable,
    Verification,
)


def findings_json(findings: Sequence[Finding], manifest: Manifest) -> dict[str, Any]:
    """`{"findings": [...]}` in the order given; every value is plain JSON."""
    return {"findings": [finding_json(finding, manifest) for finding in findings]}


def finding_json(finding: Finding, manifest: Manifest) -> dict[str, Any]:
    """One finding."""
    report = finding.report
    return {
        "id": finding.id,
        "asset": manifest.asset(report.asset).name if report.asset else None,
        "unique_id": report.asset,
        "verdict": report.verdict.value,
        "confidence": report.confidence,
        "headline": report.headline,
        "cause": _cause(report),
        "evidence": [_evidence(evidence) for evidence in report.evidence],
        "ruled_out": list(report.ruled_out),
        "blast_radius": _blast_radius(report),
        "fix": _fix(report.change, report.verification),
        "question": _question(report),
        "pull_request": finding.pull_request.url if finding.pull_request else None,
        "claude": _claude(finding),
    }


def _claude(finding: Finding) -> dict[str, Any] | None:
    asked = finding.consultation
    if asked is None:
        return None
    return {
        "model": asked.model,
        "outcome": asked.outcome,
        "detail": asked.detail,
        "turns": asked.turns,
        "tool_calls": asked.tool_calls,
        "input_tokens": asked.input_tokens,
        "output_tokens": asked.output_tokens,
        "cost_usd": asked.cost_usd,
        "seconds": asked.seconds,
    }


def _cause(report: Report) -> dict[str, Any] | None:
    cause = report.cause
    if cause is None:
        return None
    return {
        "files": list(cause.files),
        "line": cause.line,
        "mechanism": cause.mechanism,
        "pattern": cause.pattern,
        "commit": cause.commit,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": evidence.id,
        "kind": evidence.kind,
        "statement": evidence.statement,
        "query": evidence.query,
        "result": table_json(evidence.result),
        "source": evidence.source,
    }


def table_json(table: ResultTable | None) -> dict[str, Any] | None:
    """A small table; None without one."""
    if table is None:
        return None
    rows = [[_cell(value) for value in row] for row in table.rows]
    return {"columns": list(table.columns), "rows": rows, "truncated": table.truncated}


def _cell(value: Cell) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _blast_radius(report: Report) -> dict[str, Any] | None:
    blast = report.blast_radius
    if blast is None:
        return None
    return {"models": list(blast.models), "exposures": list(blast.exposures)}


def _fix(change: ProposedChange | None, proof: Verification | None) -> dict[str, Any] | None:
    if change is None:
        return None
    diffs = proof.data_diff if proof else ()
    return {
        "title": change.title,
        "diff": change.diff(),
        "verified": proof is not None and proof.verified,
        "tests_passed": proof.tests_passed if proof else 0,
        "tests_failed": list(proof.tests_failed) if proof else [],
        "steps": [
            {"name": step.name, "passed": step.passed, "detail": step.detail}
            for step in (proof.steps if proof else ())
        ],
        "data_diff": [
            {
                "unique_id": diff.asset,
                "rows_before": diff.rows_before,
                "rows_after": diff.rows_after,
                "rows_added": diff.rows_added,
                "rows_removed": diff.rows_removed,
            }
            for diff in diffs
        ],
    }


def _question(report: Report) -> dict[str, Any] | None:
    if report.question is None:
        return None
    question = report.question
    return {"text": question.text, "options": list(question.options), "why": question.why}
