"""Which assets have a promise about the age of their data, told at load time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dagster_agent.model import Asset


def has_freshness(asset: Asset) -> bool:
    """Whether its freshness can be judged; looks at nothing but what the manifest says.

    Its own meta asks for it, or dbt was told when its rows are loaded or how old they may be.
    """
    if _asks(asset.meta):
        return True
    told = asset.freshness
    if told is None or told.off:
        return False
    declared = (told.loaded_at_field, told.warn_after_hours, told.error_after_hours)
    return any(each is not None for each in declared)


def _asks(meta: Mapping[str, Any]) -> bool:
    ours: object = meta.get("dagster_agent")
    return isinstance(ours, Mapping) and "freshness" in cast("Mapping[str, Any]", ours)
