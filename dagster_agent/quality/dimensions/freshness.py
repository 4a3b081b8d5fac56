"""Freshness: how old is the newest row, where somebody said how old it may be?

Declared by `meta: dagster_agent: freshness: {column: ...}`, or by dbt source freshness, whose
`warn_after` and `error_after` are then target and alert; else 1 and 2 hours. Rows that lie in the
future are left out.
Not this dimension: learned cadence and late partitions, which the freshness engine judges.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from dagster_agent.model import DetectionStatus, Severity
from dagster_agent.quality.dimension import DimensionResult, Plan, Subject, dimension, undeclared
from dagster_agent.quality.freshness.arrivals import clock_of, moment_literal, moment_of
from dagster_agent.quality.measuring import Answers

_TARGET_HOURS = 1.0
_ALERT_PER_TARGET = 2.0


@dimension(id="freshness")
def freshness(subject: Subject) -> Plan:
    """Asks for the newest timestamp that does not lie in the future."""
    column = _column(subject)
    if column is None:
        hint = "name the event timestamp in `meta: dagster_agent: freshness: {column: ...}`"
        return undeclared("freshness", subject, hint)
    clock = clock_of(column, subject.table.schema, subject.table.dialect)
    zone = ZoneInfo(subject.freshness.naive_timezone)
    latest = subject.now + timedelta(minutes=subject.freshness.max_future_minutes)
    ask = (
        f"max(case when {clock.sql} <= {moment_literal(clock, latest, zone)} then {clock.sql} end)"
    )
    target, alert = _limits(subject)

    def judge(answers: Answers) -> DimensionResult:
        newest = moment_of(answers.cell(ask), zone)
        if newest is None:
            return DimensionResult(
                dimension="freshness",
                status=DetectionStatus.UNTRAINED,
                headline=f"{subject.asset.name} has no row with a moment in {clock.label}",
                hint="it is judged from the first row on",
            )
        hours = max((subject.now - newest).total_seconds() / 3600, 0.0)
        return _graded(subject.asset.name, hours, target, alert)

    return Plan(asks=(ask,), judge=judge)


def _column(subject: Subject) -> str | None:
    if subject.freshness.column is not None:
        return subject.freshness.column
    told = subject.asset.freshness
    if told is None or told.off or not (told.warn_after_hours or told.error_after_hours):
        return None
    return told.loaded_at_field


def _limits(subject: Subject) -> tuple[float, float]:
    """Target and alert in hours; the alert is never before the target."""
    own, told = subject.freshness, subject.asset.freshness
    warn = told.warn_after_hours if told else None
    error = told.error_after_hours if told else None
    target = own.target_hours or warn or own.alert_hours or error or _TARGET_HOURS
    return target, max(own.alert_hours or error or _ALERT_PER_TARGET * target, target)


def _graded(name: str, hours: float, target: float, alert: float) -> DimensionResult:
    failed = hours > target
    severity = Severity.ERROR if hours > alert else Severity.WARN
    told = f"the newest row of {name} is {_age(hours)} old"
    if failed:
        limit, word = (alert, "alert") if severity is Severity.ERROR else (target, "target")
        told += f" ({word} {_age(limit)})"
    return DimensionResult(
        dimension="freshness",
        status=DetectionStatus.FAILED if failed else DetectionStatus.PASSED,
        headline=told,
        severity=severity if failed else Severity.INFO,
        value=hours,
        target=target,
        alert=alert,
        fulfilment=target / hours if failed else 1.0,
    )


def _age(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"
