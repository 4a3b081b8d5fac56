"""The answer of warehouses in which changes cannot be tried."""

from __future__ import annotations

from dagster_agent.errors import ConfigError


def no_scratch(name: str) -> ConfigError:
    """For `Warehouse.scratch`, to be raised.

    A schema beside the data would not do: models read their sources where those are, and a sandbox
    may only write to what is a copy.

    Args:
        name: The warehouse's name.
    """
    return ConfigError(
        f"changes cannot be tried on {name} yet: there is no private copy of its data to build in",
        hint="look at the proposed change as untested; to have changes proved, run the agent on a"
        " dbt target of the type duckdb that holds the same tables",
    )
