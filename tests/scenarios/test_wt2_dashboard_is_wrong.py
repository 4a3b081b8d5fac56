"""WT2: 70 % of orders vanish at three join conditions; found by reconciliation, join by join."""

from __future__ import annotations

from dagster_agent.model import DetectionStatus
from tests.scenarios.conftest import Shop, symptom_of

LOOKUPS = (
    "create table raw.buyers as select i::bigint as user_id, 'b' || i as buyer_name "
    "from range(0, 60) t(i)",
    "create table raw.shops as select i::bigint as shop_id, 's' || i as shop_name "
    "from range(0, 7) t(i)",
    "create table raw.campaigns as select i::bigint as campaign_id, 'c' || i as campaign_name "
    "from range(0, 7) t(i)",
)
STAGED = """with source as (

    select * from {{ source('raw', 'orders') }}

)

select
    source.order_id,
    source.user_id,
    buyers.buyer_name,
    shops.shop_name,
    campaigns.campaign_name,
    source.status,
    source.currency,
    source.amount,
    source.placed_at
from source
inner join {{ source('raw', 'buyers') }} as buyers on source.user_id = buyers.user_id
inner join {{ source('raw', 'shops') }} as shops on source.order_id % 10 = shops.shop_id
inner join {{ source('raw', 'campaigns') }} as campaigns
    on source.order_id % 9 = campaigns.campaign_id
"""
TABLES = "      - name: payments\n"


def test_all_three_joins_are_named_and_mended_in_one_change(shop: Shop) -> None:
    shop.sql(*LOOKUPS)
    more = "".join(f"      - name: {name}\n" for name in ("buyers", "shops", "campaigns"))
    shop.replace("models/sources.yml", TABLES, TABLES + more)
    shop.write("models/staging/stg_orders.sql", STAGED)
    shop.commit("Say more about orders", days_ago=40)
    assert "ERROR=0" in shop.build()
    ((left,),) = shop.rows("select count(*) from fct_orders")
    assert left < 350

    found = shop.look("stg_orders", "reconciliation")
    failed = [d for d in found if d.status is DetectionStatus.FAILED]
    assert failed

    finding = shop.investigate([symptom_of(d) for d in failed])

    report = finding.report
    assert report.cause is not None
    assert report.cause.pattern == "inner-join-drops-rows"
    for lookup in ("buyers", "shops", "campaigns"):
        assert lookup in report.cause.mechanism
    assert report.verification is not None
    assert report.verification.verified
    assert report.change is not None
    diff = report.change.diff()
    assert diff.count("\n-inner join") == diff.count("\n+left join") == 3
    rebuilt = {d.asset.split(".")[-1]: d.rows_after for d in report.verification.data_diff}
    assert rebuilt["fct_orders"] == 1000
