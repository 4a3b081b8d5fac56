"""Letting days pass in the shop without waiting for them."""

from datetime import date

import dagster as dg

from assets.shop import clock
from assets.shop.schedule import shop_daily, shop_loads


def let_a_day_pass(
    defs: dg.Definitions, day: date, *, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    """Run the night before `day` in this process: load until its midnight, build, test.

    A failed run is returned, not raised, as in production.
    """
    job = defs.resolve_job_def(shop_daily.name)
    # A resource made anew for each run asks `dbt --version` each time: 3 s, and a look at PyPI.
    dbt = dg.ResourceDefinition.hardcoded_resource((defs.resources or {})["dbt"])
    return job.execute_in_process(
        instance=instance,
        tags={clock.TAG: day.isoformat()},
        resources={"dbt": dbt},
        raise_on_error=False,
    )


def load_only(
    defs: dg.Definitions, day: date, *, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    """Run only the loads of the raw tables, as of that day: no model is built."""
    job = defs.resolve_job_def(shop_loads.name)
    return job.execute_in_process(
        instance=instance, tags={clock.TAG: day.isoformat()}, raise_on_error=False
    )
