"""PD3: source freshness says 6 h against 3 h. Told with what is known of it; its owner is asked."""

from __future__ import annotations

from datetime import timedelta

from dagster_agent.model import DetectionStatus, IncidentStatus, Severity, Verdict
from dagster_agent.response import take_in
from dagster_agent.response.closing import close_recovered
from tests.scenarios.conftest import Shop, symptom_of

SOURCES = """sources:
  - name: raw
    schema: raw
    tables:
      - name: orders
        config:
          loaded_at_field: placed_at
          meta: {owner: "@ingest-team"}
          freshness:
            warn_after: {count: 1, period: hour}
            error_after: {count: 3, period: hour}
      - name: payments
"""


def test_a_stale_source_is_told_with_its_context_and_its_owner_is_asked(shop: Shop) -> None:
    shop.write("models/sources.yml", SOURCES)
    shop.sql("delete from raw.orders where placed_at > timestamp '2026-11-21 00:00:00'")

    told = shop.look("raw.orders", "freshness")[0]

    assert (told.detector, told.status) == ("freshness", DetectionStatus.FAILED)
    assert told.severity is Severity.ERROR
    assert "the newest row is 6 h old, allowed are 3 h (dbt error_after)" in told.headline
    assert "last rows 2026-11-21 00:00 UTC" in told.headline
    assert "read by dashboard revenue_dashboard (owner: Finance), stg_orders" in told.headline
    with shop.workspace() as opened:
        # no investigation can find why a load has stopped
        assert take_in(opened, [symptom_of(told)], now=shop.now) == []
        (incident,) = opened.store.incidents()
        (finding,) = opened.store.findings()
        assert incident.status is IncidentStatus.WAITING
        report = finding.report
        assert report.verdict is Verdict.NARROWED
        assert report.question is not None
        assert report.question.text.startswith("@ingest-team: Why has orders received nothing")
        assert report.blast_radius is not None
        assert report.blast_radius.statement.startswith("3 models are built from orders")
        assert report.evidence[0].query is not None

    # the load is mended: the check passes, and the story is over
    shop.now += timedelta(hours=1)
    shop.sql("insert into raw.orders values (2000, 1, 'completed', 'EUR', 5, '2026-11-21 06:50')")
    assert shop.look("raw.orders", "freshness")[0].status is DetectionStatus.PASSED
    with shop.workspace() as opened:
        assert len(close_recovered(opened, orchestrator=None, now=shop.now)) == 1
        assert opened.store.incidents()[0].status is IncidentStatus.RESOLVED
