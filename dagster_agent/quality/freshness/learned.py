"""What is learned of a table's arrivals: cadence and yesterday's size, each trained or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.model import MetricPoint
from dagster_agent.quality.freshness import cadence as cadences
from dagster_agent.quality.freshness import partitions
from dagster_agent.quality.freshness.arrivals import Arrivals
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.partitions import DayLook, LateDay

AGE, DAY_ROWS = "freshness.age_hours", "freshness.rows_yesterday"
_CONFIRMING = 8
"""Newest looks that are asked whether moments are those of loading."""
_ARCHIVE = timedelta(days=60)
"""What has been silent for longer, and nothing is promised of, is kept, not loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A table as it is now, and as it was at earlier looks."""

    arrivals: Arrivals
    """Its arrivals."""
    dates: bool
    """The clock shows days only."""
    load_time: bool
    """The clock says when rows were loaded, not when something happened."""
    zone: ZoneInfo
    """Where days begin."""
    earlier: Mapping[str, Sequence[MetricPoint]]
    """Metrics of earlier looks."""
    promised: bool
    """Something is promised of its age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """What the age of the newest row is judged by, besides promises."""

    usual: timedelta | None = None
    """Greatest usual age at this hour; None: untrained."""
    limit: timedelta | None = None
    """Age from which it is late; None: untrained."""
    every: timedelta | None = None
    """Usual pause between batches; None where only looks are known, or nothing is."""
    longest: timedelta | None = None
    """The longest usual pause."""
    lacks: str = ""
    """Why it is untrained, and from when it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yesterday:
    """Yesterday's rows and whether they may be judged at this hour."""

    day: LateDay | None = None
    """None: untrained."""
    lacks: str = ""
    """Why it is untrained."""


def cadence(look: Look, config: FreshnessConfig, now: datetime) -> Cadence | None:
    """The learned cadence; None where none is asked for or there is no row to learn from."""
    newest = look.arrivals.newest
    if newest is None or not config.learn or config.expected_every_hours:
        return None
    if now - newest > _ARCHIVE and not look.promised:
        days = (now - newest).days
        return Cadence(lacks=f"nothing has come for {days} days: taken as kept, not loaded")
    if look.load_time:
        return _from_table(look, config, now)
    return _from_looks(look, config, now)


def arrives_as_it_says(arrivals: Arrivals, looks: Sequence[MetricPoint], zone: ZoneInfo) -> bool:
    """Whether one of the newest looks found rows as recent as their own moments make expect.

    Then the moments are those of loading. Where rows are loaded at night with the moments of the
    day, no look ever does.
    """
    for point in sorted(looks, key=lambda p: p.at)[-_CONFIRMING:]:
        hours = [hour for hour in arrivals.hours if hour.last <= point.at]
        known = cadences.learn(hours, point.at, zone) if hours else None
        limit = known.limit if known is not None else None
        if limit is not None and timedelta(hours=point.value) <= limit:
            return True
    return False


def partition(look: Look, config: FreshnessConfig, now: datetime) -> Yesterday | None:
    """Yesterday's rows; None where days are not compared, or there is nothing to compare with."""
    if not config.partitions:
        return None
    hours = look.arrivals.hours
    day = partitions.yesterday(
        hours, now, look.zone, dates=look.dates, share=config.min_partition_share
    )
    if day is None:
        return None
    if look.load_time or _past(config.complete_at, look.zone, now):
        return Yesterday(day=day)
    if config.complete_at:
        return Yesterday(lacks=f"yesterday is judged from {config.complete_at} {look.zone.key}")
    known = partitions.usually_complete(
        [DayLook(at=p.at, rows=int(p.value)) for p in look.earlier.get(DAY_ROWS, ())],
        partitions.rows_by_day(hours, look.zone, dates=look.dates),
        now,
        look.zone,
        least=config.min_gaps,
    )
    if known is True:
        return Yesterday(day=day)
    if known is False:
        return Yesterday(lacks="at this hour yesterday is usually not complete yet")
    return Yesterday(
        lacks=f"{known} of {config.min_gaps} days were looked at by this hour:"
        " set complete_at to have yesterday judged now"
    )


def kept(look: Look, now: datetime) -> Mapping[str, float]:
    """The metrics of this look, for later ones to learn from."""
    found: dict[str, float] = {}
    if look.arrivals.newest is not None:
        age = max(now - look.arrivals.newest, timedelta())
        found[AGE] = round(age / timedelta(hours=1), 3)
        by_day = partitions.rows_by_day(look.arrivals.hours, look.zone, dates=look.dates)
        day = now.astimezone(look.zone).date() - timedelta(days=1)
        found[DAY_ROWS] = float(by_day.get(day, 0))
    return found


def _from_table(look: Look, config: FreshnessConfig, now: datetime) -> Cadence:
    known = cadences.learn(look.arrivals.hours, now, look.zone)
    gaps = 0 if known is None else known.gaps
    if known is None or gaps < config.min_gaps:
        return Cadence(lacks=f"{gaps} of {config.min_gaps} pauses between batches are known")
    if known.usual is None or known.limit is None:
        return Cadence(
            every=known.every,
            longest=known.longest,
            lacks="fewer than 7 days of arrivals are known",
        )
    return Cadence(usual=known.usual, limit=known.limit, every=known.every, longest=known.longest)


def _from_looks(look: Look, config: FreshnessConfig, now: datetime) -> Cadence:
    looks = [
        cadences.Look(at=point.at, age=timedelta(hours=point.value))
        for point in look.earlier.get(AGE, ())
    ]
    known = cadences.learn_from_looks(looks, now, look.zone, least=config.min_gaps)
    if isinstance(known, int):
        return Cadence(
            lacks=f"its clock tells when things happened, not when rows came; {known} of "
            f"{config.min_gaps} days were looked at around this hour"
        )
    usual, limit = known
    return Cadence(usual=usual, limit=limit)


def _past(clock: str | None, zone: ZoneInfo, now: datetime) -> bool:
    if clock is None:
        return False
    hour, minute = (int(part) for part in clock.split(":"))
    return now.astimezone(zone).time() >= time(hour, minute)
