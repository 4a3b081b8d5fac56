"""How dbt is told which asset is meant."""

from __future__ import annotations

import re

from dagster_agent.model import Asset

_SELECTABLE_PATH = re.compile(r"[\w./-]+")


def selector(asset: Asset) -> str:
    """A dbt selector of one asset.

    Sources by their two names; others by file, and by name where dbt would read the path as
    something else.
    """
    if asset.resource_type == "source":
        _, package, source, table = asset.unique_id.split(".", 3)
        return f"source:{package}.{source}.{table}"
    return f"path:{asset.path}" if _SELECTABLE_PATH.fullmatch(asset.path) else asset.name
