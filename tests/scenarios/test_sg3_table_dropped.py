"""SG3: a source table is gone. The tree of what depends on it, a question, and no fix."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus, IncidentStatus, Severity, Verdict
from tests.scenarios.conftest import Shop, symptom_of


def test_a_dropped_table_is_told_with_its_tree_and_not_mended(shop: Shop) -> None:
    shop.get_to_know()
    shop.sql("drop table raw.orders")
    (told,) = shop.look("raw.orders", "schema-drift")
    assert told.status is DetectionStatus.FAILED
    assert told.severity is Severity.ERROR

    finding = shop.investigate([symptom_of(told)])

    report = finding.report
    assert report.verdict is Verdict.CAUSE_FOUND
    assert report.confidence >= 0.8
    assert report.cause is not None
    assert report.cause.pattern == "source-table-missing"
    assert "3 models depend on it, and revenue_dashboard" in report.cause.mechanism
    assert report.blast_radius is not None
    assert {uid.split(".")[-1] for uid in report.blast_radius.models} == {
        "orders",
        "stg_orders",
        "fct_orders",
        "revenue",
    }
    assert report.change is None
    assert finding.pull_request is None
    assert shop.remote_branches() == ["main"]
    assert report.question is not None
    assert len(report.question.options) == 3
    with shop.workspace() as opened:
        incident = opened.store.incident(report.incident_id)
    assert incident is not None
    assert incident.status is IncidentStatus.WAITING


def test_the_severity_is_the_customers(shop: Shop) -> None:
    shop.settings = {"schema_drift": {"severities": {"table-missing": "warn"}}}
    shop.get_to_know()
    shop.sql("drop table raw.payments")
    (told,) = shop.look("raw.payments", "schema-drift")
    assert told.severity is Severity.WARN
