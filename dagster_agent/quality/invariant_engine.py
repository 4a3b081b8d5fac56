"""Judge the invariants that an asset declares."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
)
from dagster_agent.quality.claims import declared_in, read_claim
from dagster_agent.quality.dimension import Subject
from dagster_agent.quality.invariant import Claim, CompiledInvariant
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.shares import percent

Mask = Callable[[ResultTable], ResultTable]
"""Hides the values of a small table that may not leave the warehouse."""

_SHOWN_COLUMNS = 12
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantPlan:
    """One declared invariant, compiled or refused."""

    name: str
    """Stable name within the asset, from its words."""
    claim: Claim | None = None
    """As read; None where it could not be."""
    compiled: CompiledInvariant | None = None
    """Its SQL."""
    refusal: DagsterAgentError | None = None
    """Why it is none."""

    @property
    def asks(self) -> tuple[str, ...]:
        """SQL of one value each, for `measuring.ask_all`."""
        if self.compiled is None:
            return ()
        asks = (self.compiled.examined, self.compiled.broken, self.compiled.stake)
        return tuple(ask for ask in asks if ask is not None)


def plan_invariants(subject: Subject) -> tuple[InvariantPlan, ...]:
    """Every entry under `invariants:`, in the order written; none is left out.

    Raises:
        ConfigError: `invariants` is no list.
    """
    plans: list[InvariantPlan] = []
    taken: set[str] = set()
    for number, entry in enumerate(declared_in(subject.asset, "invariants"), start=1):
        plan = _plan(entry, subject, number)
        name = plan.name if plan.name not in taken else f"{plan.name}-{number}"
        taken.add(name)
        plans.append(replace(plan, name=name))
    return tuple(plans)


def invariant_detection(
    plan: InvariantPlan, subject: Subject, answers: Answers, mask: Mask
) -> Detection:
    """What is said of one invariant; for a violated one a few rows are fetched and masked."""
    if plan.compiled is None or plan.claim is None:
        return _could_not_run(plan, subject, plan.refusal)
    try:
        examined = answers.count(plan.compiled.examined)
        broken = answers.count(plan.compiled.broken)
        stake = answers.number(plan.compiled.stake) if plan.compiled.stake else None
    except DagsterAgentError as error:
        return _could_not_run(plan, subject, error)
    status = DetectionStatus.FAILED if broken else DetectionStatus.PASSED
    if not examined and not broken:
        status = DetectionStatus.UNTRAINED
    told = _headline(plan.compiled, examined, broken, stake, plan.claim.money)
    sample = _examples(plan.compiled, subject, mask) if broken else None
    metrics = {"violations": float(broken)}
    if examined:
        metrics["violation_share"] = broken / examined
    if stake is not None:
        metrics["at_stake"] = stake
    return Detection(
        detector=f"quality/invariant/{plan.name}",
        asset=subject.asset.unique_id,
        status=status,
        headline=told,
        observed_at=subject.now,
        severity=plan.claim.severity if broken else Severity.INFO,
        metrics=metrics,
        sample=sample,
        evidence=(
            Evidence(kind="invariant", statement=told, query=plan.compiled.rows, result=sample),
        ),
    )


def _plan(entry: object, subject: Subject, number: int) -> InvariantPlan:
    try:
        form, claim = read_claim(entry, subject)
        compiled = form.compile(claim)
    except DagsterAgentError as error:
        return InvariantPlan(name=f"number-{number}", refusal=error)
    return InvariantPlan(name=_slug(compiled.says), claim=claim, compiled=compiled)


def _slug(says: str) -> str:
    words = re.sub(r"\W+", "-", says.casefold()).strip("-")
    return words[:_NAME_LENGTH].rstrip("-") or "invariant"


def _headline(
    compiled: CompiledInvariant, examined: int, broken: int, stake: float | None, money: str
) -> str:
    says = compiled.says.rstrip(".")
    if not examined and not broken:
        return f"there are no {compiled.noun} to judge by: {says}"
    if not broken:
        one = examined == 1
        noun = compiled.noun.removesuffix("s") if one else compiled.noun
        return f"{says}: {examined:,} {noun} {'keeps' if one else 'keep'} it"
    told = f"{says}: violated by {broken:,} of {examined:,} {compiled.noun}"
    if examined:
        told += f" ({percent(broken / examined)})"
    return f"{told}, {stake:,.2f} {money} at stake" if stake is not None else told


def _examples(compiled: CompiledInvariant, subject: Subject, mask: Mask) -> ResultTable | None:
    """A few violating rows; none where they cannot be fetched: the count stands without them."""
    limit = subject.config.sample_rows
    if not limit:
        return None
    sql = f"select * from ({compiled.rows}) as violating order by 1 limit {limit}"
    try:
        found = subject.around.warehouse.query(sql, purpose="violations", max_rows=limit)
    except DagsterAgentError:
        return None
    narrow = ResultTable(
        columns=found.columns[:_SHOWN_COLUMNS],
        rows=tuple(row[:_SHOWN_COLUMNS] for row in found.rows),
        truncated=True,
    )
    return mask(narrow)


def _could_not_run(
    plan: InvariantPlan, subject: Subject, error: DagsterAgentError | None
) -> Detection:
    says = plan.compiled.says if plan.compiled else "an invariant"
    reason = error.message if error else "it could not be compiled"
    return Detection(
        detector=f"quality/invariant/{plan.name}",
        asset=subject.asset.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=reason if plan.compiled is None else f"{says}: {reason}",
        observed_at=subject.now,
        hint=error.hint if error else "",
    )
