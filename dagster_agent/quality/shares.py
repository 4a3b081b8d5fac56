"""Dimensions that are shares of rows: what each promise asks, and how their answers are graded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import DetectionStatus, Severity
from dagster_agent.quality.config import ShareTargets
from dagster_agent.quality.dimension import DimensionResult, Part, Plan, Subject
from dagster_agent.quality.measuring import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One thing that is declared of the rows of a table."""

    says: str
    """In words: `order_id is filled (dbt not_null)`."""
    examined: str
    """SQL of one number: the rows it is about."""
    broken: str
    """SQL of one number: those that break it."""
    condition: str = ""
    """SQL condition of a row that breaks it, where one row does by itself."""


MakePromise = Callable[[], Promise]
"""Makes a promise, or raises a ConfigError: a column is missing, a rule is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Promises as far as they could be made."""

    promises: tuple[Promise, ...]
    """Each once."""
    errors: tuple[DagsterAgentError, ...]
    """Why others could not be made."""
    overall: Promise | None = None
    """That all of them are kept by the same row."""


def sort_out(makers: Iterable[MakePromise]) -> Made:
    """Make all promises; one with a mistake in it does not stop the others."""
    promises: dict[tuple[str, str], Promise] = {}
    errors: list[DagsterAgentError] = []
    for make in makers:
        try:
            promise = make()
        except DagsterAgentError as error:
            errors.append(error)
        else:
            promises.setdefault((promise.examined, promise.broken), promise)
    return Made(promises=tuple(promises.values()), errors=tuple(errors))


def share_plan(dimension_id: str, made: Made, subject: Subject, targets: ShareTargets) -> Plan:
    """Judge by the worst promise: a column that must be filled and is not is no better for the
    nineteen others that are.

    A promise about no rows at all says nothing; where none is about any, it is untrained. What
    could not be measured is an error only where nothing that could be is broken.
    """
    wanted = (*made.promises, *((made.overall,) if made.overall else ()))

    def judge(answers: Answers) -> DimensionResult:
        parts, errors = _answered(wanted, answers)
        judged = sorted((p for p in parts if p.examined), key=lambda p: (p.share, p.says))
        name = subject.asset.name
        if judged and judged[0].share < targets.target:
            return graded(dimension_id, tuple(judged), name, targets)
        if made.errors or errors:
            raise (*made.errors, *errors)[0]
        if judged:
            return graded(dimension_id, tuple(judged), name, targets)
        return DimensionResult(
            dimension=dimension_id,
            status=DetectionStatus.UNTRAINED,
            headline=f"{name} has no rows of which its {dimension_id} could be judged",
            hint="it is judged from the first row on",
        )

    return Plan(asks=tuple(a for p in wanted for a in (p.examined, p.broken)), judge=judge)


def _answered(
    promises: Sequence[Promise], answers: Answers
) -> tuple[list[Part], list[DagsterAgentError]]:
    parts: list[Part] = []
    errors: list[DagsterAgentError] = []
    for promise in promises:
        try:
            examined, broken = answers.count(promise.examined), answers.count(promise.broken)
        except DagsterAgentError as error:
            errors.append(error)
        else:
            parts.append(Part(says=promise.says, examined=examined, broken=broken))
    return parts, errors


def graded(
    dimension_id: str, parts: tuple[Part, ...], name: str, targets: ShareTargets
) -> DimensionResult:
    """Below the alert an error, below the target a warning; `parts` worst first, not empty."""
    worst = parts[0]
    value = worst.share
    failed = value < targets.target
    severity = Severity.ERROR if value < targets.alert else Severity.WARN
    told = f"{dimension_id} of {name} is {percent(value)}"
    if worst.broken:
        told += f": {worst.broken:,} of {worst.examined:,} rows break `{worst.says}`"
    if failed:
        limit, word = (
            (targets.alert, "alert") if severity is Severity.ERROR else (targets.target, "target")
        )
        told += f" ({word} {percent(limit)})"
    return DimensionResult(
        dimension=dimension_id,
        status=DetectionStatus.FAILED if failed else DetectionStatus.PASSED,
        headline=told,
        severity=severity if failed else Severity.INFO,
        value=value,
        target=targets.target,
        alert=targets.alert,
        fulfilment=min(1.0, value / targets.target),
        parts=parts,
        metrics={"broken_rows": float(worst.broken)},
    )


def percent(share: float) -> str:
    """A share as people read it: never rounded up to 100 % while something is broken."""
    digits = 1
    while share < 1 and round(share * 100, digits) >= 100 and digits < 6:
        digits += 1
    return f"{share * 100:.{digits}f} %" if share < 1 else "100 %"
