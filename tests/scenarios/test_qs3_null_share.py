"""QS3: `country` goes from 2 % to 40 % NULL on Tuesday; no schema changed, no code did."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus, FindingStatus, IncidentStatus, Verdict
from tests.scenarios.conftest import NOW, Shop, symptom_of

WEDNESDAY = NOW.replace(day=18)
ORDERS = """create or replace table raw.orders as
select i as order_id, i % 97 as user_id, 'completed' as status, 'EUR' as currency,
    (10 + i % 50)::decimal(10, 2) as amount, placed_at,
    case when i % 50 = 0 or (placed_at >= '2026-11-17' and i % 5 < 2) then null
        else ['DE', 'FR', 'GB'][1 + i % 3] end as country
from (select i, timestamp '2026-11-18 06:00:00' - to_minutes((i * 7.2)::integer) as placed_at
    from range(8000) t(i))"""
COPIES = ("stg_orders", "staging/stg_orders"), ("fct_orders", "marts/fct_orders")


def with_countries(shop: Shop) -> None:
    """For a month now orders have had a country; tonight's run is green."""
    for table, path in COPIES:
        shop.replace(f"models/{path}.sql", "    currency,\n", "    currency,\n    country,\n")
        shop.sql(f"drop table {table}")
    shop.commit("Countries (#31)", days_ago=30)
    columns = "order_id, user_id, status, currency, country, amount, placed_at"
    shop.sql(ORDERS, *(f"create table {t} as select {columns} from raw.orders" for t, _ in COPIES))


def test_it_is_traced_to_the_source_and_the_day_and_a_person_is_asked(shop: Shop) -> None:
    shop.now = WEDNESDAY
    with_countries(shop)
    shop.look("raw.orders", "schema-drift")  # the columns are known

    checked = shop.look("fct_orders", "anomaly")
    failed = [d for d in checked if d.status is DetectionStatus.FAILED]
    daily = next(d for d in failed if d.detector == "anomaly/daily")
    assert daily.headline.startswith("fct_orders on 2026-11-17: null_share.country rose to 40.0%")
    assert {d.detector.rpartition("/")[2] for d in failed} == {"daily", "daily.null_share.country"}

    finding = shop.investigate([symptom_of(daily)])

    report = finding.report
    told = "orders.country is NULL in 40.0% of the rows since Tuesday, 2026-11-17; usual are 2.0%"
    assert report.asset == "source.shop.raw.orders"
    assert report.cause is not None
    assert report.cause.pattern == "null-share-from-source"
    assert report.cause.mechanism == (
        f"{told}. fct_orders.country copies it. It came with the source."
    )
    assert report.verdict is Verdict.CAUSE_FOUND
    shares, rebuilt = report.evidence[:2]
    assert shares.statement.startswith("orders.country, which country copies, shows the same")
    assert shares.result is not None
    assert shares.result.columns == ("day", "null_share.country")
    assert rebuilt.statement.startswith("built anew, nothing changed, in a sandbox: it stays")
    assert any(line.startswith("a schema change") for line in report.ruled_out)

    assert report.question is not None
    assert report.question.text == f"is this right? {told}."
    assert len(report.question.options) == 2
    assert report.change is None
    assert finding.pull_request is None
    assert finding.status is FindingStatus.OPEN
    assert shop.remote_branches() == ["main"]
    with shop.workspace() as opened:
        (incident,) = opened.store.incidents()
    assert incident.status is IncidentStatus.WAITING
