"""SG2: `orders.amount` turns from decimal to text; revenue adds it up."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus, FindingStatus, Severity
from tests.scenarios.conftest import Shop, symptom_of

AS_TEXT = "alter table raw.orders alter column amount type varchar"


def test_a_cast_is_proposed_and_waits_for_a_person(shop: Shop) -> None:
    shop.get_to_know()
    shop.sql(AS_TEXT)
    (told,) = shop.look("raw.orders", "schema-drift")
    assert told.status is DetectionStatus.FAILED
    assert told.severity is Severity.ERROR
    assert "amount" in told.headline

    finding = shop.investigate([symptom_of(told)])

    report = finding.report
    assert report.cause is not None
    assert report.cause.pattern == "type-change-breaks-cast"
    assert report.cause.files[0] == "models/staging/stg_orders.sql"
    assert report.verification is not None
    assert report.verification.verified
    assert report.change is not None
    staged = report.change.edits[0].after
    assert (
        "    cast(amount as decimal(10,2)) /* orders delivers it as VARCHAR */ as amount" in staged
    )
    assert report.blast_radius is not None
    assert {"fct_orders", "revenue"} <= {u.split(".")[-1] for u in report.blast_radius.models}
    assert report.blast_radius.exposures == ("revenue_dashboard (Finance)",)
    # never merged by itself: a draft, and main is as it was
    assert finding.status is FindingStatus.OPEN
    assert finding.pull_request is not None
    assert finding.pull_request.state == "draft"
    assert "cast(" not in (shop.root / "models/staging/stg_orders.sql").read_text()
