"""Is a table's data recent enough: by what was promised of it, by its own cadence, day by day?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.errors import ConfigError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.quality.freshness import catalogue_verdicts, learned, unpromised, verdicts
from dagster_agent.quality.freshness.arrivals import (
    Arrivals,
    Clock,
    clock_of,
    newest_sql,
    read_arrivals,
)
from dagster_agent.quality.freshness.cadence import are_load_times
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.freshness.promises import Promise, promises

LOOKS = (learned.AGE, learned.DAY_ROWS, unpromised.CHANGE_AGE)
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
    unasked: bool = False
    """Nothing was promised of its age: it is judged by its cadence alone, within a budget."""
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
        return [catalogue_verdicts.any_age(subject.asset, now)], {}
    if subject.unasked:
        return _unasked(subject, warehouse, unpromised.without_promises(config), now)
    promised = promises(config, declared, now, asked=subject.asked)
    if subject.column is None:
        return [_by_catalogue(subject, promised, warehouse, now)], {}
    clock = clock_of(subject.column, subject.schema, warehouse.dialect)
    return _by_column(subject, clock, promised, warehouse, config, now)


def _unasked(
    subject: Subject, warehouse: Warehouse, config: FreshnessConfig, now: datetime
) -> tuple[list[Detection], Mapping[str, float]]:
    """By the catalogue where that tells, else by the column within the budget."""
    asset, relation = subject.asset, subject.schema.relation
    facts = warehouse.facts([relation]).get(relation)
    if facts is not None and facts.last_altered is not None:
        looks = subject.looks.get(unpromised.CHANGE_AGE, ())
        found, looked = unpromised.by_catalogue(asset, facts.last_altered, looks, config, now)
        return [found], looked
    if subject.column is None:
        return [catalogue_verdicts.no_clock(asset, relation, now)], {}
    try:
        clock = clock_of(subject.column, subject.schema, warehouse.dialect)
    except ConfigError as error:
        return [catalogue_verdicts.no_moments(asset, error.message, now)], {}
    if not clock.typed:
        told = f"{clock.label} is no column of moments"
        return [catalogue_verdicts.no_moments(asset, told, now)], {}
    estimate = warehouse.bytes_scanned(newest_sql(clock, subject.schema, warehouse.dialect))
    dear = unpromised.too_dear(asset, facts, estimate, config, now)
    if dear is not None:
        return [dear], {}
    return _by_column(subject, clock, [], warehouse, config, now)


def _by_column(
    subject: Subject,
    clock: Clock,
    promised: Sequence[Promise],
    warehouse: Warehouse,
    config: FreshnessConfig,
    now: datetime,
) -> tuple[list[Detection], Mapping[str, float]]:
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
        unasked=subject.unasked,
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
        return catalogue_verdicts.no_clock(subject.asset, relation, now)
    evidence = Evidence(
        kind="freshness",
        statement=f"the warehouse's catalogue says {changed:%Y-%m-%d %H:%M} UTC",
    )
    return catalogue_verdicts.by_last_change(subject.asset, changed, promised, evidence, now)
