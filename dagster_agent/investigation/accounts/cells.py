"""Cells of results as the numbers and moments that they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from dagster_agent.errors import QueryRefused
from dagster_agent.model import Cell


def as_count(value: Cell) -> int:
    """A count.

    Raises:
        QueryRefused: The warehouse answered with something else.
    """
    if not isinstance(value, int | Decimal):
        raise QueryRefused("the warehouse answered a count with something that is no number")
    return int(value)


def as_number(value: Cell) -> float:
    """A number, 0 for NULL."""
    return float(value) if isinstance(value, int | float | Decimal) else 0.0


def as_moment(value: Cell) -> datetime | None:
    """A moment in UTC; what has no time zone is taken as UTC. None for what is no moment."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), tzinfo=UTC) if isinstance(value, date) else None
