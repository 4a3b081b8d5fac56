"""What is remembered of an asset's profiles besides its numbers; small JSON, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dagster_agent.anomaly.arrival import Arrival
from dagster_agent.anomaly.feedback import Feedback
from dagster_agent.anomaly.profiling.budget import Cost
from dagster_agent.anomaly.profiling.daily import PREFIX, Days
from dagster_agent.errors import ConfigError
from dagster_agent.model import Distribution, TableProfile
from dagster_agent.ports import StateStore

_DISTRIBUTIONS = 60
"""Newest ones kept of a column."""
_ARRIVALS = 400
"""Newest ones kept of an asset."""
_NEAR = timedelta(days=1)
"""A word about a moment is about the last point up to then, if it is no older than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileMemory:
    """Of one asset."""

    store: StateStore
    """Where it is kept."""
    asset: str
    """dbt unique id."""

    def distributions(self) -> dict[str, list[Distribution]]:
        """By column, oldest first."""
        kept = self.store.entries(self._key("distributions"))
        return {
            str(column["column"]): [
                Distribution(
                    column=str(column["column"]),
                    at=datetime.fromisoformat(each["at"]),
                    kind=column["kind"],
                    labels=tuple(each["labels"]),
                    counts=tuple(each["counts"]),
                )
                for each in column["kept"]
            ]
            for column in kept.values()
        }

    def cost(self) -> Cost | None:
        """What reading it whole took when that was last done."""
        kept: Any = self.store.get(self._key("cost"))
        return Cost(seconds=kept["seconds"], rows=kept["rows"]) if kept else None

    def newest_day(self) -> datetime | None:
        """Start of the newest closed day that was measured."""
        points = self.store.metric_history(self.asset, f"{PREFIX}row_count", limit=1)
        return points[-1].at if points else None

    def arrivals(self) -> list[Arrival]:
        """How many rows of a day had come, seen at which moment; oldest first."""
        kept: Any = self.store.get(self._key("arrivals")) or []
        return [
            Arrival(day=date.fromisoformat(day), at=datetime.fromisoformat(at), rows=rows)
            for day, at, rows in kept
        ]

    def feedback(self) -> list[Feedback]:
        """Points that people called expected, oldest first."""
        return [
            Feedback(
                metric=entry["metric"],
                at=datetime.fromisoformat(entry["at"]),
                said_by=entry["who"],
            )
            for entry in self.store.entries(self._key("expected")).values()
        ]

    def keep(self, profile: TableProfile) -> None:
        """Remember a profile's distributions and what it cost."""
        before = self.distributions()
        for new in profile.distributions:
            old = before.get(new.column, [])
            old = [d for d in old if d.kind == new.kind and d.at < new.at]
            kept = [*old, new][-_DISTRIBUTIONS:]
            self.store.put(
                f"{self._key('distributions')}/{new.column}", _distributions_json(new, kept)
            )
        if profile.scope == "whole":
            cost = {"seconds": round(profile.seconds, 3), "rows": profile.row_count}
            self.store.put(self._key("cost"), cost)

    def keep_arrivals(self, days: Days, newest: int, now: datetime) -> None:
        """Remember how many rows the newest closed days have by now."""
        seen = list(days.metrics.items())[-newest:]
        added = [Arrival(day=d, at=now, rows=m[f"{PREFIX}row_count"]) for d, m in seen]
        kept = [*(a for a in self.arrivals() if a.at < now), *added][-_ARRIVALS:]
        self.store.put(
            self._key("arrivals"), [[a.day.isoformat(), a.at.isoformat(), a.rows] for a in kept]
        )

    def mark_expected(
        self, metric: str, at: datetime, *, who: str, why: str, now: datetime
    ) -> datetime:
        """Remember that a person called a point expected.

        Args:
            metric: As its check names it.
            at: Time of the point, or any moment of the day of a `daily.` metric.
            who: As the person named themselves.
            why: In their words.
            now: UTC.

        Returns:
            The time of the point that is meant: the last one up to then, of that day at most.

        Raises:
            ConfigError: There is no such point; the nearest is named.
        """
        meant = self.point_meant(metric, at)
        entry = {"metric": metric, "at": meant.isoformat(), "who": who, "why": why}
        self.store.append(self._key("expected"), {**entry, "decided_at": now.isoformat()})
        return meant

    def point_meant(self, metric: str, at: datetime) -> datetime:
        """The time of the point that a word about a moment is about.

        Raises:
            ConfigError: There is no such point; the nearest is named.
        """
        points = self.store.metric_history(self.asset, metric)
        near = [point.at for point in points if at - _NEAR <= point.at <= at]
        if not near:
            nearest = min(points, key=lambda p: abs(p.at - at), default=None)
            raise ConfigError(
                f"{self.asset} has no point of {metric!r} at {at.isoformat()}",
                hint=f"the nearest is at {nearest.at.isoformat()}" if nearest else "see its checks",
            )
        return max(near)

    def _key(self, what: str) -> str:
        return f"anomaly/{what}/{self.asset}"


def _distributions_json(new: Distribution, kept: Iterable[Distribution]) -> Mapping[str, Any]:
    return {
        "column": new.column,
        "kind": new.kind,
        "kept": [
            {"at": d.at.isoformat(), "labels": list(d.labels), "counts": list(d.counts)}
            for d in kept
        ],
    }
