"""Which column says when a row happened, so that days can be told apart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn
from dagster_agent.errors import ConfigError
from dagster_agent.privacy.name_words import words

_HAPPENED = (
    "event",
    "occurred",
    "happened",
    "order",
    "ordered",
    "transaction",
    "created",
    "placed",
)
"""First words of names that tell of the event itself, the best first."""
_ENDS = frozenset({"at", "ts", "time", "timestamp", "date", "day", "datetime", "on"})
_LOADED = frozenset({
    "loaded", "synced", "extracted", "ingested", "inserted", "updated", "modified", "deleted",
    "valid", "expires", "expired", "birth", "birthday", "batched", "fivetran", "airbyte", "dbt",
})  # fmt: skip
"""Words of names that tell of something else: of rows that change, their last change; of loads,
the load, so that a backfill is one day."""
_SUMMARY = frozenset({
    "first", "last", "latest", "newest", "earliest", "oldest", "previous", "prior", "next",
})  # fmt: skip
"""Words of names that sum up many events, as `last_order_at` does: rows move from day to day."""
_LIFE = frozenset({
    "registered", "registration", "signup", "signed", "joined", "subscribed", "activated",
    "enrolled", "onboarded", "hired", "founded", "opened",
})  # fmt: skip
"""Words of names that tell when something's life began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTime:
    """The column by which days are told apart."""

    column: MeasuredColumn
    """Which."""
    evidence: str
    """Why this one, in words."""
    life: bool = False
    """It tells when the life of what a row stands for began. What is added up over a life is less
    for the young ones, so days can be compared by their rows and attributes only."""


def event_time(
    columns: Sequence[MeasuredColumn], *, configured: str | None, declared: Sequence[str | None]
) -> EventTime | None:
    """The column that says when a row happened; None where none does.

    Args:
        columns: Of the table.
        configured: From `profiling.timestamp`.
        declared: What dbt was told, the best first; names that are no column with moments are
            passed over.

    Raises:
        ConfigError: The configured one is not there or holds no moments.
    """
    by_name = {column.name.casefold(): column for column in columns}
    if configured is not None:
        column = by_name.get(configured.casefold())
        if column is None or column.kind is not Kind.MOMENT:
            problem = "is no column" if column is None else f"is of type {column.type}"
            moments = ", ".join(c.name for c in columns if c.kind is Kind.MOMENT) or "none"
            raise ConfigError(
                f"profiling.timestamp {configured!r} {problem}",
                hint=f"columns with moments: {moments}",
            )
        return EventTime(column=column, evidence="profiling.timestamp names it")
    for name in declared:
        column = by_name.get((name or "").casefold())
        if column is not None and column.kind is Kind.MOMENT:
            return EventTime(column=column, evidence="dbt was told so")
    return _guessed([c for c in columns if c.kind is Kind.MOMENT and not c.personal])


def _guessed(moments: Sequence[MeasuredColumn]) -> EventTime | None:
    ranked = (
        sorted(
            (rank, index, column)
            for index, column in enumerate(moments)
            if (rank := _rank(column.name)) is not None
        )
        if moments
        else []
    )
    if not ranked:
        return None
    _, _, column = ranked[0]
    others = f", first of {len(ranked)} such columns" if len(ranked) > 1 else ""
    return EventTime(
        column=column,
        evidence=f"guessed by its name and its type {column.type}{others}",
        life=not _LIFE.isdisjoint(words(column.name)),
    )


def _rank(name: str) -> int | None:
    """Lower is better; None for names that tell of something else or of nothing."""
    parts = words(name)
    if not parts or not (_LOADED | _SUMMARY).isdisjoint(parts):
        return None
    for rank, word in enumerate(_HAPPENED):
        if word in parts:
            return rank
    return len(_HAPPENED) if parts[-1] in _ENDS else None
