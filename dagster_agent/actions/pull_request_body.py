"""The text of a pull request: what happened, the proof, the change, the way back, how to decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from dagster_agent.actions.quoting import Quoter
from dagster_agent.errors import ConfigError
from dagster_agent.model import (
    Evidence,
    Finding,
    ProposedChange,
    Report,
    ResultTable,
    Verification,
)

_MOST_ROWS = 30
_MOST_SAMPLE_ROWS = 10
_MOST_DIFF_LINES = 400


def render_body(finding: Finding, *, head_sha: str, quoter: Quoter) -> str:
    """Markdown; everything that was written outside is quoted, nothing is claimed that was not run.

    Args:
        finding: With a change and its verification.
        head_sha: The commit that holds the change, for the way back.
        quoter: Redacts and defuses.

    Raises:
        ConfigError: The finding has no change or no verification.
    """
    report = finding.report
    change, verification = report.change, report.verification
    if change is None or verification is None:
        raise ConfigError(
            f"finding {finding.id} has no verified change", hint="there is nothing to propose"
        )
    sections = (
        f"**{quoter.prose(report.headline)}**",
        _cause(report, quoter),
        _evidence(report.evidence, quoter),
        *_proof(verification, quoter),
        _data_diff(verification, quoter),
        *_change(change, quoter),
        _ruled_out(report, quoter),
        _blast_radius(report, quoter),
        f"**Rollback:** `git revert {head_sha}`; after a squash merge, revert the merged commit.",
        _how_to_decide(finding, quoter),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _cause(report: Report, quoter: Quoter) -> str:
    cause = report.cause
    if cause is None:
        return ""
    where: list[str] = []
    if cause.files:
        line = f", line {cause.line}" if cause.line else ""
        where.append(f"{', '.join(map(quoter.code, cause.files))}{line}")
    if cause.commit:
        where.append(f"commit {quoter.code(cause.commit)}")
    found = f" ({'; '.join(where)})" if where else ""
    return (
        f"**Cause ({report.confidence:.2f}, tested).** {quoter.prose(cause.mechanism)}{found} "
        f"Pattern: {quoter.code(cause.pattern)}."
    )


def _evidence(evidence: Sequence[Evidence], quoter: Quoter) -> str:
    if not evidence:
        return ""
    rows = [
        (quoter.cell(item.id), quoter.cell(item.kind.replace("-", " ")), _statement(item, quoter))
        for item in evidence
    ]
    return quoter.table(("", "evidence", ""), _first(rows))


def _statement(item: Evidence, quoter: Quoter) -> str:
    source = f" ({quoter.code(item.source)})" if item.source else ""
    return quoter.cell(item.statement) + source


def _proof(verification: Verification, quoter: Quoter) -> Iterator[str]:
    yield "### Proof"
    tests = f"{verification.tests_passed} dbt tests pass with the change, none is broken by it."
    yield f"Tried in a sandbox, in {verification.seconds:.0f} seconds. {tests}"
    yield quoter.table(
        ("step", "as expected", "seen"),
        (
            (quoter.cell(s.name), "yes" if s.passed else "**no**", quoter.cell(s.detail))
            for s in verification.steps
        ),
    )
    for label, table in (("Before", verification.before), ("After", verification.after)):
        if table is not None:
            yield f"{label}:\n\n{_sample(table, quoter)}"


def _sample(table: ResultTable, quoter: Quoter) -> str:
    shown = [
        ["" if cell is None else quoter.cell(str(cell)) for cell in row]
        for row in table.rows[:_MOST_SAMPLE_ROWS]
    ]
    cut = table.truncated or len(table.rows) > _MOST_SAMPLE_ROWS
    note = "\n\nMore rows are left out." if cut else ""
    return quoter.table([quoter.cell(name) for name in table.columns], shown) + note


def _data_diff(verification: Verification, quoter: Quoter) -> str:
    if not verification.data_diff:
        return ""
    rows: list[tuple[str, ...]] = []
    for diff in verification.data_diff:
        columns = [f"+{name}" for name in diff.columns_added]
        columns += [f"-{name}" for name in diff.columns_removed]
        rows.append(
            (
                quoter.code(diff.asset),
                f"{diff.rows_before:,}",
                f"{diff.rows_after:,}",
                f"{diff.rows_added:,}",
                f"{diff.rows_removed:,}",
                " ".join(map(quoter.code, columns)) or "same",
            )
        )
    header = ("model", "rows before", "rows after", "only after", "only before", "columns")
    return f"### Data with and without the change\n\n{quoter.table(header, _first(rows))}"


def _change(change: ProposedChange, quoter: Quoter) -> Iterator[str]:
    yield f"### Change\n\n{quoter.prose(change.rationale)}"
    lines = change.diff().splitlines()
    yield quoter.fenced("\n".join(lines[:_MOST_DIFF_LINES]), "diff")
    if len(lines) > _MOST_DIFF_LINES:
        yield f"{len(lines) - _MOST_DIFF_LINES:,} more lines are in the branch."


def _ruled_out(report: Report, quoter: Quoter) -> str:
    if not report.ruled_out:
        return ""
    return f"**Ruled out:** {'; '.join(map(quoter.prose, report.ruled_out))}."


def _blast_radius(report: Report, quoter: Quoter) -> str:
    radius = report.blast_radius
    if radius is None:
        return ""
    count = len(radius.models)
    affected = [f"{count} {'model' if count == 1 else 'models'}"]
    affected += [f"exposure {quoter.prose(exposure)}" for exposure in radius.exposures]
    models = ", ".join(map(quoter.code, radius.models[:_MOST_ROWS]))
    said = f" {quoter.prose(radius.statement)}" if radius.statement else ""
    return f"**Blast radius:** {', '.join(affected)}.{said}\n\n{models}".rstrip()


def _how_to_decide(finding: Finding, quoter: Quoter) -> str:
    story = quoter.code(finding.id)
    return (
        f"**How to decide:** this is a draft. Approve finding {story} in Dagster and it becomes "
        "ready for review; reject it there and it is closed. Merging is up to people, here.\n\n"
        f"Incident {quoter.code(finding.report.incident_id)}, finding {story}."
    )


def _first(rows: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    return islice(rows, _MOST_ROWS)
