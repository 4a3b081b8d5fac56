"""QS2: 12,000 rows against a usual 45,000; the source is fresh, a commit of yesterday filters."""

from __future__ import annotations

from dagster_agent.model import Verdict
from tests.scenarios.conftest import Shop


def test_it_asks_whether_the_filter_was_meant(shop: Shop) -> None:
    shop.sql("update raw.orders set status = 'open' where order_id % 4 <> 0")
    shop.replace(
        "models/marts/fct_orders.sql", "from orders\n", "from orders\nwhere status = 'completed'\n"
    )
    sha = shop.commit("Only completed orders count (#52)")
    shop.build()
    assert shop.rows("select count(*) from fct_orders") == [(250,)]

    finding = shop.ask("why did the row count of fct_orders drop?", asset="fct_orders")

    report = finding.report
    assert report.verdict is Verdict.NARROWED
    assert report.confidence < 0.8
    assert report.cause is not None
    assert report.cause.pattern == "new-filter-drops-rows"
    assert report.cause.commit == sha
    assert "1,000 rows without it, 250 with it (75% fewer)" in report.cause.mechanism
    assert report.question is not None
    assert "status = 'completed'" in report.question.text
    assert "750 of 1,000" in report.question.text
    assert report.change is None
    assert finding.pull_request is None
