"""Partition keys that tell their story in a list, and the pages they lead to."""

from __future__ import annotations

from urllib.parse import quote

from dagster_agent.definitions.names import Names
from dagster_agent.model import Finding

_FORBIDDEN = ("...", "\a", "\b", "\f", "\n", "\r", "\t", "\v", "\0")


def finding_partition(finding: Finding) -> str:
    """Day, table, cause and id of a finding."""
    report = finding.report
    table = (report.asset or "project").rpartition(".")[2]
    what = report.cause.pattern if report.cause is not None else report.verdict.value
    return partition_key(f"{finding.created_at:%Y-%m-%d} {table} {what} {finding.id}")


def finding_page(finding: Finding, names: Names) -> str:
    """Address of a finding's page, relative to the UI's root."""
    path = "/".join(quote(part, safe="") for part in names.findings.path)
    return f"/assets/{path}?view=partitions&partition={quote(finding_partition(finding), safe='')}"


def partition_key(text: str) -> str:
    """The text without what Dagster refuses in a partition key."""
    for forbidden in _FORBIDDEN:
        text = text.replace(forbidden, " ")
    return text
