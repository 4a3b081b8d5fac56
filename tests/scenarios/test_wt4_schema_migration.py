"""WT4: a source column is renamed. Known and mended before a model runs on it."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus
from tests.scenarios.conftest import Shop, symptom_of


def test_known_before_any_model_runs(shop: Shop) -> None:
    shop.get_to_know()
    shop.sql("alter table raw.orders rename column user_id to customer_ref")
    built_before = shop.rows("select count(*) from fct_orders")
    (told,) = shop.look("raw.orders", "schema-drift")
    assert told.status is DetectionStatus.FAILED
    assert "user_id" in told.headline
    assert "customer_ref" in told.headline

    finding = shop.investigate([symptom_of(told)])

    report = finding.report
    assert report.cause is not None
    assert report.cause.pattern == "upstream-column-renamed"
    assert report.confidence >= 0.9
    assert report.change is not None
    (edit,) = report.change.edits
    assert edit.path == "models/staging/stg_orders.sql"
    assert "    customer_ref as user_id,\n" in edit.after
    assert report.verification is not None
    assert report.verification.verified
    assert {d.asset for d in report.verification.data_diff} == {
        "model.shop.stg_orders",
        "model.shop.fct_orders",
        "model.shop.revenue",
    } or report.verification.data_diff == ()
    assert finding.pull_request is not None
    # nothing was built in the customer's warehouse
    assert shop.rows("select count(*) from fct_orders") == built_before
