"""Did the night's load bring anything?"""

import dagster as dg
from dagster_duckdb import DuckDBResource


@dg.asset_check(asset=["raw", "orders"], description="The load brought orders.")
def raw_orders_arrived(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """A load of zero rows under a green run is the silence that nobody notices."""
    with warehouse.get_connection() as connection:
        found = connection.execute("select count(*) from raw.orders").fetchone()
    rows = int(found[0]) if found else 0
    return dg.AssetCheckResult(
        passed=rows > 0, description=f"{rows:,} orders", metadata={"rows": rows}
    )
