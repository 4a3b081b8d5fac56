"""What leaves for Dagster's event log, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dagster_agent.model import Detection, Evidence, Finding


def redacted_detection(detection: Detection, secrets: Sequence[str]) -> Detection:
    """The detection as it may be shown and kept.

    Args:
        detection: As an engine gave it; its sample is masked already.
        secrets: Values known to be secret.
    """
    return replace(
        detection,
        headline=redacted(detection.headline, secrets),
        hint=redacted(detection.hint, secrets),
        plot=redacted(detection.plot, secrets),
        evidence=_evidence(detection.evidence, secrets),
    )


def redacted_finding(finding: Finding, secrets: Sequence[str]) -> Finding:
    """The finding as it may be shown; arguments as of `redacted_detection`."""
    report = finding.report
    cause = report.cause
    if cause is not None:
        cause = replace(cause, mechanism=redacted(cause.mechanism, secrets))
    return replace(
        finding,
        report=replace(
            report,
            headline=redacted(report.headline, secrets),
            evidence=_evidence(report.evidence, secrets),
            cause=cause,
        ),
    )


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without secrets."""
    from dagster_agent.privacy.redaction import redact

    return redact(text, secrets=secrets)


def _evidence(evidence: Sequence[Evidence], secrets: Sequence[str]) -> tuple[Evidence, ...]:
    return tuple(
        replace(
            e,
            statement=redacted(e.statement, secrets),
            query=redacted(e.query, secrets) if e.query else None,
        )
        for e in evidence
    )
