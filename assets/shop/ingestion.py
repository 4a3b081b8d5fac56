"""The nightly loads: the shop's raw tables, and the payment processor's ledger."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.shop import clock
from assets.shop.mishaps import as_loaded

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from assets.shop.world import ShopState

RAW_TABLES = {
    "customers": """
        select customer_id as id, full_name, email, phone, country,
            opted_in::boolean as marketing_opt_in, registered_at, registered_at as synced_at
        from loaded""",
    "products": """
        select product_id as id, sku, product_name, category,
            (price_eur_cents / 100)::decimal(18, 2) as list_price_eur,
            weight_grams::integer as weight_grams, created_at
        from loaded""",
    "orders": """
        select order_id, customer_id::bigint as customer_id, channel, currency, shipping_country,
            promo_code, status, (shipping_cents / 100)::decimal(18, 2) as shipping_amount,
            (discount_cents / 100)::decimal(18, 2) as discount_amount,
            (total_cents / 100)::decimal(18, 2) as total_amount, placed_at, synced_at
        from loaded""",
    "order_items": """
        select order_item_id, order_id, product_id, quantity::integer as quantity,
            (unit_price_cents / 100)::decimal(18, 2) as unit_price, synced_at
        from loaded""",
    "payments": """
        select payment_id, order_id, processor_charge_id, method,
            (amount_cents / 100)::decimal(18, 2) as amount, currency, captured_at,
            captured_at as synced_at
        from loaded""",
    "refunds": """
        select refund_id, payment_id, order_id, processor_refund_id,
            (amount_cents / 100)::decimal(18, 2) as amount, currency, reason, refunded_at,
            refunded_at as synced_at
        from loaded""",
    "gift_cards": """
        select gift_card_id, (amount_cents / 100)::decimal(18, 2) as amount, currency, sold_at,
            sold_at as synced_at
        from loaded""",
}
LEDGER_VIEWS = {
    "charges": """
        select charge, minor_amount, ccy, merchant_reference, created
        from ledger.movements where movement = 'charge'""",
    "refunds": """
        select refund, charge, -minor_amount as minor_amount, ccy, merchant_reference, created
        from ledger.movements where movement = 'refund'""",
}


class ShopSystem(dg.ConfigurableResource[None]):
    """The shop's own system, and the processor's: what the loads read from."""

    opened: str
    """First day of business, as an ISO date."""
    home: str
    """The shop's home, which knows what has gone wrong."""

    def state(self, context: dg.AssetExecutionContext) -> "ShopState":
        """Everything that arrived until the last midnight of the day it is (see `clock`)."""
        from assets.shop.world import World  # needs pandas, which loading definitions.py does not

        day = clock.today(context.run.tags)
        context.log.info(f"Loading everything that arrived before {day} 00:00 UTC.")
        return World(opened=date.fromisoformat(self.opened)).as_of(clock.last_midnight(day))


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table],
            group_name="ingestion",
            kinds={"python", "duckdb"},
            owners=["team:data-platform"],
            metadata={"dagster/table_name": f"shop.raw.{table}"},
            skippable=True,
        )
        for table in RAW_TABLES
    ],
    can_subset=True,
)
def raw_tables(context: dg.AssetExecutionContext, shop: ShopSystem, warehouse: DuckDBResource):
    """The shop's tables up to last midnight; rows that arrived late come with their night."""
    state = shop.state(context)
    with warehouse.get_connection() as connection:
        connection.execute("create schema if not exists raw")
        for key in sorted(context.selected_asset_keys):
            table = key.path[-1]
            query = as_loaded(Path(shop.home), table, RAW_TABLES[table])
            rows = _replace(connection, f"raw.{table}", query, getattr(state, table))
            yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": rows})


@dg.asset(
    key=["processor", "ledger"],
    group_name="ingestion",
    kinds={"python", "duckdb"},
    owners=["team:finance-data"],
)
def payment_ledger(
    context: dg.AssetExecutionContext, shop: ShopSystem, processor: DuckDBResource
) -> dg.MaterializeResult[Any]:
    """The processor's own books up to last midnight, in a database of their own."""
    movements = shop.state(context).ledger()
    with processor.get_connection() as connection:
        connection.execute("create schema if not exists ledger")
        rows = _replace(connection, "ledger.movements", "select * from loaded", movements)
        for view, query in LEDGER_VIEWS.items():
            connection.execute(f"create or replace view ledger.{view} as {query}")
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


def _replace(
    connection: "DuckDBPyConnection", table: str, query: str, loaded: "pd.DataFrame"
) -> int:
    connection.register("loaded", loaded)
    connection.execute(f"create or replace table {table} as {query}")
    connection.unregister("loaded")
    ((rows,),) = connection.execute(f"select count(*) from {table}").fetchall()
    return rows
