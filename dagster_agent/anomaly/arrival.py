"""Rows of a day that come after the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How many rows of one day were there at one moment."""

    day: date
    """The day that the rows are about, UTC."""
    at: datetime
    """When they were counted, UTC."""
    rows: float
    """How many."""
