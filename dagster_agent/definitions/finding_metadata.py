"""A finding as Dagster shows it: its story in parts, its numbers, the check of open findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dagster as dg
from dagster import MetadataValue

from dagster_agent.connectors.orchestrators.dagster import STATUS_KEY
from dagster_agent.definitions.metadata import Metadata, as_of, folded, queries_of, table
from dagster_agent.model import (
    ConsultationRecord,
    Finding,
    FindingStatus,
    PullRequest,
    ResultTable,
    Verdict,
)


def finding_metadata(
    finding: Finding, *, told: Mapping[str, str], asset_key: dg.AssetKey | None
) -> Metadata:
    """A finding for the partition of findings, the observation and the open-findings check.

    Args:
        finding: What to show.
        told: Markdown by label, in the order in which it is read. The UI shows a text of 1,000
            signs or more only behind a click, so the story comes in parts.
        asset_key: The asset it is told about, where that is one here.
    """
    report = finding.report
    metadata: Metadata = {}
    for label, text in told.items():
        if text:
            metadata[label] = MetadataValue.md(folded(text))
        if label == "finding" and report.evidence:
            metadata["evidence"] = table(_evidence(finding))
    metadata |= {
        "verdict": MetadataValue.text(report.verdict.value),
        "confidence": MetadataValue.float(report.confidence),
        "status": MetadataValue.text(finding.status.value),
        "incident": MetadataValue.text(report.incident_id),
        "seconds_to_finding": MetadataValue.float(
            round((report.finished_at - report.started_at).total_seconds(), 1)
        ),
    }
    if asset_key is not None:
        metadata["asset"] = MetadataValue.asset(asset_key)
    if finding.pull_request is not None:
        metadata["pull_request"] = _address(finding.pull_request)
    if finding.run_id is not None:
        metadata["investigation"] = MetadataValue.dagster_run(finding.run_id)
    return metadata | _particulars(finding)


def _particulars(finding: Finding) -> Metadata:
    """What only some findings have."""
    report = finding.report
    metadata: Metadata = {}
    if finding.consultation is not None:
        metadata |= _consultation(finding.consultation)
    if report.blast_radius is not None:
        metadata["models_affected"] = MetadataValue.int(len(report.blast_radius.models))
    if report.verification is not None:
        metadata["tests_passed"] = MetadataValue.int(report.verification.tests_passed)
        metadata["data_diff"] = table(_data_diff(finding))
    queries = [(e.id, e.query) for e in report.evidence if e.query]
    if queries:
        metadata["queries"] = MetadataValue.md(queries_of(queries))
    return metadata


def open_findings_result(
    findings: Sequence[Finding],
    *,
    key: dg.AssetCheckKey,
    payload: Callable[[Finding], Mapping[str, MetadataValue]],
) -> dg.AssetCheckResult:
    """The state of the open-findings check: green only when there is none.

    Args:
        findings: Open findings of the asset, newest first.
        key: The asset check.
        payload: The metadata of the finding that is told.
    """
    worst = next((f for f in findings if _misleads(f)), findings[0] if findings else None)
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=worst is None,
        severity=dg.AssetCheckSeverity.ERROR
        if worst is not None and _misleads(worst)
        else dg.AssetCheckSeverity.WARN,
        description=_open_findings_text(findings, worst),
        metadata={
            **(payload(worst) if worst is not None else {}),
            "open_findings": MetadataValue.int(len(findings)),
            STATUS_KEY: MetadataValue.text("open" if findings else "none-open"),
        },
    )


def _consultation(asked: ConsultationRecord) -> Metadata:
    """How asking Claude ended, and its cost as numbers that the UI plots."""
    told = f"{asked.model}: {asked.outcome}. {asked.detail or asked.summary}".strip()
    metadata: Metadata = {
        "claude": MetadataValue.text(told),
        "claude_turns": MetadataValue.int(asked.turns),
        "claude_tool_calls": MetadataValue.int(asked.tool_calls),
        "claude_tokens": MetadataValue.int(asked.input_tokens + asked.output_tokens),
        "claude_seconds": MetadataValue.float(round(asked.seconds, 1)),
    }
    if asked.cost_usd is not None:
        metadata["claude_cost_usd"] = MetadataValue.float(round(asked.cost_usd, 4))
    return metadata


def _misleads(finding: Finding) -> bool:
    """A known cause that nobody has decided on yet: tables are wrong and people read them."""
    return finding.report.verdict is Verdict.CAUSE_FOUND and finding.status is FindingStatus.OPEN


def _open_findings_text(findings: Sequence[Finding], worst: Finding | None) -> str:
    if worst is None:
        return "No open finding."
    text = f"{worst.id}: {worst.report.headline}"
    if worst.pull_request is not None:
        text += f" · pull request #{worst.pull_request.number} ({worst.pull_request.state})"
    if worst.status is not FindingStatus.OPEN:
        text += f" · {worst.status}"
    if worst.snoozed_until is not None:
        text += f" until {as_of(worst.snoozed_until)}"
    return text + (f" (and {len(findings) - 1} more)" if len(findings) > 1 else "")


def _address(request: PullRequest) -> MetadataValue:
    """A link where a browser can follow it; the documents of a local bare repository as a path."""
    if request.url.startswith(("http://", "https://")):
        return MetadataValue.url(request.url)
    return dg.PathMetadataValue(request.url.removeprefix("file://"))


def _data_diff(finding: Finding) -> ResultTable:
    verification = finding.report.verification
    diffs = verification.data_diff if verification is not None else ()
    rows = tuple(
        (d.asset.rpartition(".")[2], d.rows_before, d.rows_after, d.rows_added, d.rows_removed)
        for d in diffs
    )
    return ResultTable(columns=("model", "before", "after", "added", "removed"), rows=rows)


def _evidence(finding: Finding) -> ResultTable:
    rows = tuple((e.id, e.kind, e.statement) for e in finding.report.evidence)
    return ResultTable(columns=("id", "evidence", "what was seen"), rows=rows)
