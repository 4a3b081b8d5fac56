"""SG1: a source gains a nullable column. It is carried into staging; nothing else is touched."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus, Symptom, SymptomKind
from tests.scenarios.conftest import NOW, Shop


def test_a_new_column_becomes_a_pull_request_and_a_short_notice(shop: Shop) -> None:
    shop.get_to_know()
    shop.sql("alter table raw.orders add column gift_note varchar")
    (told,) = shop.look("raw.orders", "schema-drift")
    assert told.status is DetectionStatus.PASSED
    assert "gift_note" in told.headline

    finding = shop.investigate([_news(told.asset, told.headline, "gift_note")])

    report = finding.report
    assert report.cause is not None
    assert report.cause.pattern == "new-source-column"
    assert "no model, test or exposure reads it" in report.cause.mechanism
    assert report.verification is not None
    assert report.verification.verified
    assert report.change is not None
    edited = {edit.path: edit.after for edit in report.change.edits}
    assert set(edited) == {"models/staging/stg_orders.sql", "models/staging/staging.yml"}
    assert "    placed_at,\n    gift_note\n" in edited["models/staging/stg_orders.sql"]
    assert "gift_note" in edited["models/staging/staging.yml"]
    # the data does not support it: the column is NULL in every row
    described = edited["models/staging/staging.yml"].split("name: gift_note")[1]
    assert "not_null" not in described.split("- name: stg_payments")[0]
    changed = {d.asset for d in report.verification.data_diff if not d.identical}
    assert changed == {"model.shop.stg_orders"}
    assert finding.pull_request is not None
    assert finding.pull_request.state == "draft"
    assert finding.pull_request.branch in shop.remote_branches()


def _news(asset: str, headline: str, column: str) -> Symptom:
    return Symptom(
        kind=SymptomKind.SCHEMA_CHANGED,
        headline=headline,
        observed_at=NOW,
        asset=asset,
        check="schema-drift",
        detail=column,
    )
