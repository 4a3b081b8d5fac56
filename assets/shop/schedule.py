"""The shop's night."""

import dagster as dg

GROUPS = ("ingestion", "seeds", "staging", "intermediate", "finance", "growth")

shop_daily = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] open type in dagster
    "shop_daily",
    selection=dg.AssetSelection.groups(*GROUPS),  # pyright: ignore[reportUnknownMemberType] open type in dagster
    description="Load what arrived until midnight, build and test all models.",
)

shop_loads = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] open type in dagster
    "shop_loads",
    selection=dg.AssetSelection.groups("ingestion"),  # pyright: ignore[reportUnknownMemberType] open type in dagster
    description="Load what arrived, and build nothing.",
)

shop_every_morning = dg.ScheduleDefinition(
    name="shop_every_morning", job=shop_daily, cron_schedule="15 5 * * *", execution_timezone="UTC"
)
