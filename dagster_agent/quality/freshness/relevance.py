"""Which assets have an age that can be judged, told at load time from the manifest alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from dagster_agent.model import Asset

_TELLING = frozenset({"snowflake"})
"""Dialects of warehouses whose catalogue says when a table changed last."""
_MOMENT = re.compile(
    r"_?(?:\w+_)?(?:created|updated|modified|loaded|ingested|synced|inserted|extracted|received"
    r"|occurred|recorded|placed|event)_(?:at|on|ts|time|timestamp|date)"
    r"|_(?:fivetran_synced|airbyte_extracted_at|airbyte_emitted_at|sdc_extracted_at)",
    re.IGNORECASE,
)
"""Names of columns that tell of a moment of their row."""


def has_freshness(asset: Asset, *, event_time: str | None = None, dialect: str = "") -> bool:
    """Whether its age can be judged: by what was promised, or by its own cadence.

    Args:
        asset: As the manifest describes it.
        event_time: The column that dbt was told says when a row happened.
        dialect: Of the warehouse; the catalogue of some tells when a table changed.
    """
    if promises_freshness(asset):
        return True
    if asset.freshness is not None and asset.freshness.off:
        return False
    if event_time is not None or asset.resource_type != "source":
        return event_time is not None
    # a source that nothing is promised of; its described columns say whether there is a clock
    return dialect in _TELLING or any(map(_MOMENT.fullmatch, asset.declared_columns))


def promises_freshness(asset: Asset) -> bool:
    """Whether its own meta asks for freshness, or dbt was told when its rows are loaded or how old
    they may be."""
    if asks_for_freshness(asset):
        return True
    told = asset.freshness
    if told is None or told.off:
        return False
    declared = (told.loaded_at_field, told.warn_after_hours, told.error_after_hours)
    return any(each is not None for each in declared)


def asks_for_freshness(asset: Asset) -> bool:
    """Whether its own meta asks for freshness."""
    ours: object = asset.meta.get("dagster_agent")
    return isinstance(ours, Mapping) and "freshness" in cast("Mapping[str, Any]", ours)
