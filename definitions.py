"""The example code location: a shop, as its data team would write it."""

import dagster as dg
from dagster_dbt import DbtCliResource
from dagster_duckdb import DuckDBResource

from assets.shop.ingestion import ShopSystem, payment_ledger, raw_tables
from assets.shop.schedule import shop_daily, shop_every_morning, shop_loads
from assets.shop.transformation import shop_dbt_assets, shop_dbt_project
from assets.shop.workspace import open_workspace
from checks.loads import raw_orders_arrived
from checks.models import model_checks
from dagster_agent import DataOpsAgent, Settings
from sensors.watch import watch

shop = open_workspace()
dbt_project = shop_dbt_project(shop)
models = shop_dbt_assets(dbt_project)
settings = Settings.parse({"ui": {"location_name": "shop"}})

defs = dg.Definitions.merge(
    dg.Definitions(
        assets=[raw_tables, payment_ledger, models],
        asset_checks=[raw_orders_arrived, *model_checks(models, settings)],
        jobs=[shop_daily, shop_loads],
        schedules=[shop_every_morning],
        resources={
            "shop": ShopSystem(opened=shop.opened.isoformat(), home=str(shop.home)),
            "warehouse": DuckDBResource(database=str(shop.warehouse)),
            "processor": DuckDBResource(database=str(shop.processor)),
            "dbt": DbtCliResource(project_dir=dbt_project),
        },
    ),
    watch(models, settings),
)
# The one line. It adds what the location does not have yet.
defs = DataOpsAgent(settings).attach(defs)
