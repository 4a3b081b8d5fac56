"""A finding as Markdown, short and complete, as `docs/architecture.md` section 6 asks for."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_agent.actions.quoting import Quoter
from dagster_agent.model import Evidence, Finding, Report, Verdict

_VERDICTS = {
    Verdict.CAUSE_FOUND: "Cause",
    Verdict.NARROWED: "Narrowed",
    Verdict.HEALTHY: "Healthy",
    Verdict.CANNOT_TELL: "Cannot tell",
}


def render_finding(finding: Finding) -> str:
    """The whole story as one text, for a terminal or a message.

    Returns:
        Markdown with one heading; texts that came from commits or data are escaped.
    """
    report = finding.report
    parts = [
        f"### {escape(report.headline)}",
        render_story(finding),
        _evidence_table(report.evidence),
        render_fix(finding),
    ]
    return "\n\n".join(part for part in parts if part)


def render_story(finding: Finding) -> str:
    """Cause, what was ruled out, blast radius, question and end, without the evidence."""
    report = finding.report
    parts = [_cause(report)]
    if report.ruled_out:
        parts.append("**Ruled out:** " + "; ".join(map(escape, report.ruled_out)) + ".")
    if report.blast_radius is not None:
        parts.append(f"**Blast radius:** {escape(report.blast_radius.statement)}.")
    if report.question is not None:
        options = "\n".join(f"{n}. {escape(o)}" for n, o in enumerate(report.question.options, 1))
        parts.append(f"**Question:** {escape(report.question.text)}\n\n{options}")
    if finding.resolved_because:
        parts.append(f"**Closed by itself:** {escape(finding.resolved_because)}.")
    return "\n\n".join(parts)


def escape(text: str) -> str:
    """Text from outside, so that it cannot become markup, a link, a mention or a table cell."""
    return Quoter().cell(text)


def _cause(report: Report) -> str:
    label = _VERDICTS[report.verdict]
    tested = report.verification is not None and report.verification.verified
    if report.cause is None:
        return f"**{label}** ({report.confidence:.2f})."
    where = ""
    if report.cause.files:
        line = f", line {report.cause.line}" if report.cause.line else ""
        where = f" (`{report.cause.files[0]}`{line})"
    state = "tested" if tested else "untested"
    return (
        f"**{label} ({report.confidence:.2f}, {state}).** {escape(report.cause.mechanism)}{where}"
    )


def _evidence_table(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return ""
    rows = [f"| {e.id} | {escape(e.kind)} | {escape(e.statement)} |" for e in evidence]
    return "\n".join(["| | evidence | |", "|---|---|---|", *rows])


def render_fix(finding: Finding) -> str:
    """The change with its proof, pull request, way back and diff; empty without a change."""
    report = finding.report
    if report.change is None:
        return ""
    verified = report.verification is not None and report.verification.verified
    request = finding.pull_request
    told = escape(report.change.title)
    if request is not None:
        told += f": pull request #{request.number} ({request.state}), branch `{request.branch}`"
    lines = [f"**Fix:** {told}." if verified else f"**Possible fix (not verified):** {told}."]
    if report.verification is not None and verified:
        diffs = report.verification.data_diff
        same = sum(diff.identical for diff in diffs)
        changed = [
            f"{diff.asset.split('.')[-1]} {diff.rows_before:,} → {diff.rows_after:,} rows"
            for diff in diffs
            if not diff.identical
        ]
        told = f"Data diff: {same} of {len(diffs)} rebuilt tables equal"
        if not diffs:
            told = "Data diff: nothing could be built without the change to compare with"
        lines.append("; ".join([told, ", ".join(changed)]) + "." if changed else f"{told}.")
        if request is not None:
            lines.append(f"Rollback: revert `{request.head_sha[:7]}`.")
    return " ".join(lines) + "\n\n" + Quoter().fenced(report.change.diff().rstrip(), "diff")
