"""Is a table's data recent enough: by what was promised of it, by its own cadence, day by day?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.quality.freshness import learned, verdicts
from dagster_agent.quality.freshness.arrivals import Arrivals, clock_of, read_arrivals
from dagster_agent.quality.freshness.cadence import are_load_times
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.promises import Promise, promises

LOOKS = (learned.AGE, learned.DAY_ROWS)
"""Metrics that each look leaves, and that later ones learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A table whose age is judged, and what is known of it."""

    asset: Asset
    """The dbt node."""
    schema: TableSchema
    """Its columns."""
    column: str | None
    """Column or expression that tells how recent a row is; None where there is none."""
    named_load_time: bool = False
    """Whether that column's name says that it is about loading."""
    asked: bool = False
    """Whether the asset's own meta asks for freshness."""
    readers: tuple[str, ...] = ()
    """What reads it, exposures first; named when it is late."""
    looks: Mapping[str, Sequence[MetricPoint]] = field(
        default_factory=lambda: dict[str, Sequence[MetricPoint]]()
    )
    """Earlier points of the metrics in `LOOKS`."""


def detect_freshness(
    subject: Subject, *, warehouse: Warehouse, config: FreshnessConfig, now: datetime
) -> tuple[list[Detection], Mapping[str, float]]:
    """Judge the age of a table's data, as of `now`.

    Args:
        subject: What is judged.
        warehouse: Where it is.
        config: The asset's settings.
        now: UTC.

    Returns:
        Detections: first `freshness` (the promises), then `freshness/timestamps`,
        `freshness/cadence` and `freshness/partition` as far as they have something to say; what is
        untrained is told apart only where nothing else could be judged. Then the metrics of this
        look, to be kept.

    Raises:
        ConfigError: The settings name no column of it, or one that holds no moments.
        ConnectorError: As `Warehouse.query`.
    """
    declared = subject.asset.freshness
    if declared is not None and declared.off and not subject.asked:
        return [verdicts.any_age(subject.asset, now)], {}
    promised = promises(config, declared, now, asked=subject.asked)
    if subject.column is None:
        return [_by_catalogue(subject, promised, warehouse, now)], {}
    clock = clock_of(subject.column, subject.schema, warehouse.dialect)
    arrivals = read_arrivals(
        clock,
        subject.schema,
        warehouse,
        now=now,
        lookback=timedelta(days=config.lookback_days),
        ahead=timedelta(minutes=config.max_future_minutes),
        naive_zone=ZoneInfo(config.naive_timezone),
    )
    look = learned.Look(
        arrivals=arrivals,
        dates=clock.dates,
        load_time=_load_time(subject, arrivals, config, dates=clock.dates),
        zone=ZoneInfo(config.timezone),
        earlier=subject.looks,
        promised=bool(promised),
    )
    teller = verdicts.Teller(
        asset=subject.asset,
        column=clock.label,
        readers=subject.readers,
        arrivals=arrivals,
        now=now,
    )
    cadence = learned.cadence(look, config, now)
    found = [
        teller.promises(promised, cadence),
        *teller.timestamps(),
        *([] if cadence is None else [teller.cadence(cadence)]),
        *([] if (day := learned.partition(look, config, now)) is None else [teller.partition(day)]),
    ]
    late = any(d.status is DetectionStatus.FAILED for d in found)
    return _telling(found), {} if late else learned.kept(look, now)


def _load_time(
    subject: Subject, arrivals: Arrivals, config: FreshnessConfig, *, dates: bool
) -> bool:
    if dates:
        return False
    if config.column_tells is not None:
        return config.column_tells == "loaded"
    if are_load_times(arrivals.hours):
        return True
    # a name alone may mean when the source system saw the row, long before a nightly load
    return subject.named_load_time and learned.arrives_as_it_says(
        arrivals, subject.looks.get(learned.AGE, ()), ZoneInfo(config.timezone)
    )


def _telling(found: Sequence[Detection]) -> list[Detection]:
    """What is untrained is left out where its age was judged by something else.

    Then the first takes its words as a hint. That no moment lies ahead says nothing of the age.
    """
    ages = [d for d in found if d.detector != "freshness/timestamps"]
    untrained = [d for d in ages if d.status is DetectionStatus.UNTRAINED]
    if len(untrained) == len(ages):
        return list(found)
    first, *others = [d for d in found if d not in untrained]
    lacking = "; ".join(d.headline for d in untrained)
    return [replace(first, hint=first.hint or lacking), *others]


def _by_catalogue(
    subject: Subject, promised: Sequence[Promise], warehouse: Warehouse, now: datetime
) -> Detection:
    """Without a column: by when the warehouse says that the table changed last."""
    relation = subject.schema.relation
    facts = warehouse.facts([relation]).get(relation)
    changed = facts.last_altered if facts is not None else None
    if changed is None:
        return verdicts.no_clock(subject.asset, relation, now)
    evidence = Evidence(
        kind="freshness",
        statement=f"the warehouse's catalogue says {changed:%Y-%m-%d %H:%M} UTC",
    )
    return verdicts.by_last_change(subject.asset, changed, promised, evidence, now)
