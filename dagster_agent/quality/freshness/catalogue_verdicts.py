"""What freshness says to people of tables of which no row was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dagster_agent.model import Asset, Detection, DetectionStatus, Evidence, Relation, Severity
from dagster_agent.quality.freshness.promises import Promise, span

CONFIGURE = (
    "name the column that tells how recent a row is: loaded_at_field of the source, or"
    " meta.dagster_agent.freshness.column"
)
_HOUR = timedelta(hours=1)


def any_age(asset: Asset, now: datetime) -> Detection:
    """dbt was told `freshness: null`."""
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=DetectionStatus.PASSED,
        headline=f"{asset.name} may be of any age: dbt was told freshness: null",
        observed_at=now,
        severity=Severity.INFO,
    )


def no_clock(asset: Asset, relation: Relation, now: datetime) -> Detection:
    """Nothing tells how old it is."""
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=DetectionStatus.UNTRAINED,
        headline=f"no column of {relation} tells how recent a row is, and the warehouse does not"
        " say when it changed last",
        observed_at=now,
        hint=CONFIGURE,
    )


def by_last_change(
    asset: Asset,
    changed: datetime,
    promised: Sequence[Promise],
    evidence: Evidence,
    now: datetime,
) -> Detection:
    """The age of the last change, for a table without a column that tells."""
    age = now - changed
    broken = next((p for p in promised if age > p.limit), None)
    by = "by the warehouse's last change: no column tells how recent a row is"
    if not promised:
        status, told = DetectionStatus.UNTRAINED, "nothing is promised of its age"
    elif broken is None:
        status, told = DetectionStatus.PASSED, f"allowed are {promised[-1].what}"
    else:
        status, told = DetectionStatus.FAILED, f"allowed are {broken.what}"
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=status,
        headline=f"{asset.name} changed {span(age)} ago, {told}; {by}",
        observed_at=now,
        severity=broken.severity if broken else Severity.WARN,
        metrics={"age_hours": _hours(age)},
        evidence=(evidence,),
        hint=CONFIGURE,
    )


def by_changes(
    asset: Asset,
    age: timedelta,
    known: tuple[timedelta, timedelta] | int,
    least: int,
    evidence: Evidence,
    now: datetime,
) -> Detection:
    """The age of the last change, judged by how old it was at earlier looks.

    Args:
        asset: The table's node.
        age: Since its last change.
        known: Usual age and limit, or how many days with a look are known.
        least: Days that are needed.
        evidence: What the catalogue says.
        now: UTC.
    """
    numbers = {"age_hours": _hours(age)}
    told = f"{asset.name} changed {span(age)} ago"
    status = DetectionStatus.UNTRAINED
    if isinstance(known, int):
        told += f"; nothing is promised of its age, and {known} of {least} days were looked at"
        told += " around this hour"
    else:
        usual, limit = known
        numbers |= {"usual_hours": _hours(usual), "limit_hours": _hours(limit)}
        status = DetectionStatus.FAILED if age > limit else DetectionStatus.PASSED
        told += f", at this hour it is at most {span(usual)} as a rule"
        told += "" if age > limit else f"; notices a silence of {span(limit)}"
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=status,
        headline=told,
        observed_at=now,
        severity=Severity.WARN,
        metrics=numbers,
        evidence=(evidence,),
        hint=CONFIGURE,
    )


def not_looked_at(asset: Asset, estimate: int, most: int, now: datetime) -> Detection:
    """Nothing is promised of it, and a look would cost too much."""
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=DetectionStatus.UNTRAINED,
        headline=f"the age of {asset.name} is not looked at: that would read {estimate:,} bytes,"
        f" nothing is promised of it, and unasked at most {most:,} are read",
        observed_at=now,
        hint="declare its freshness, or raise freshness.max_bytes_unasked",
    )


def no_moments(asset: Asset, why: str, now: datetime) -> Detection:
    """Nothing is promised of it, and what should tell its age holds no moments."""
    return Detection(
        detector="freshness",
        asset=asset.unique_id,
        status=DetectionStatus.UNTRAINED,
        headline=f"the age of {asset.name} is not known: {why}",
        observed_at=now,
        hint=CONFIGURE,
    )


def _hours(pause: timedelta) -> float:
    return round(pause / _HOUR, 3)
