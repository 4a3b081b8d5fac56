"""Which day it is in the shop, so that a demonstration can let days pass."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

TAG = "shop/today"
VARIABLE = "SHOP_TODAY"


def today(tags: Mapping[str, str] | None = None) -> date:
    """The run tag `shop/today`, else the variable `SHOP_TODAY`, else the UTC date.

    Raises:
        ValueError: tag or variable is no date; the message names it.
    """
    for name, given in ((TAG, (tags or {}).get(TAG)), (VARIABLE, os.environ.get(VARIABLE))):
        if not given:
            continue
        try:
            return date.fromisoformat(given)
        except ValueError as error:
            raise ValueError(f"{name} must be a date such as 2026-11-21, not {given!r}") from error
    return datetime.now(UTC).date()


def last_midnight(day: date) -> datetime:
    """Up to when the nightly loads of that day reach: its first moment, UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
