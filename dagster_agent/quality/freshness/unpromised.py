"""Tables of whose age nothing was promised: judged by their own cadence, at next to no cost.

Nobody asked for a look at them, so none may cost much: where the warehouse's catalogue says when a
table changed last, nothing is read, and what would read more than the budget is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    TableFacts,
)
from dagster_agent.quality.freshness import catalogue_verdicts
from dagster_agent.quality.freshness.cadence import Look, learn_from_looks
from dagster_agent.quality.freshness.config import FreshnessConfig

CHANGE_AGE = "freshness.change_age_hours"
"""Metric that each look at the catalogue leaves."""
_BYTES_A_ROW = 8
"""Of one column of moments, where the warehouse does not say what a look reads."""
_ARCHIVE = timedelta(days=60)


def without_promises(config: FreshnessConfig) -> FreshnessConfig:
    """The settings of all assets, of which none is a promise of this one."""
    nothing = ("target_hours", "alert_hours", "expected_every_hours", "deadline")
    return config.model_copy(update=dict.fromkeys(nothing))


def by_catalogue(
    asset: Asset,
    changed: datetime,
    looks: Sequence[MetricPoint],
    config: FreshnessConfig,
    now: datetime,
) -> tuple[Detection, Mapping[str, float]]:
    """Judge how long ago a table changed by how long ago it had at earlier looks.

    Args:
        asset: The table's node.
        changed: When it changed last, UTC.
        looks: Earlier points of `CHANGE_AGE`.
        config: For the days it takes to learn.
        now: UTC.

    Returns:
        The verdict, and the metric of this look; none where it is late, which is nothing to learn.
    """
    age = max(now - changed, timedelta())
    earlier = [Look(at=p.at, age=timedelta(hours=p.value)) for p in looks]
    known = learn_from_looks(earlier, now, ZoneInfo(config.timezone), least=config.min_gaps)
    statement = f"the warehouse's catalogue says {changed:%Y-%m-%d %H:%M} UTC"
    found = catalogue_verdicts.by_changes(
        asset, age, known, config.min_gaps, Evidence(kind="freshness", statement=statement), now
    )
    if age > _ARCHIVE:
        found = replace(found, status=DetectionStatus.UNTRAINED)
    late = found.status is DetectionStatus.FAILED
    return found, {} if late else {CHANGE_AGE: round(age / timedelta(hours=1), 3)}


def too_dear(
    asset: Asset,
    facts: TableFacts | None,
    estimate: int | None,
    config: FreshnessConfig,
    now: datetime,
) -> Detection | None:
    """Why the table is not looked at; None where a look is within the budget.

    Args:
        asset: The table's node.
        facts: What the catalogue says of it.
        estimate: What a look reads in bytes, as the warehouse says.
        config: Has the budget.
        now: UTC.
    """
    if estimate is None and facts is not None:
        rows = facts.row_count
        estimate = facts.bytes if rows is None else rows * _BYTES_A_ROW
    if estimate is None or estimate <= config.max_bytes_unasked:
        return None
    return catalogue_verdicts.not_looked_at(asset, estimate, config.max_bytes_unasked, now)
