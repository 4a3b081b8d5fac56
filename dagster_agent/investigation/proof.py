"""Station three: test hypotheses in a sandbox, the likeliest first, until one is confirmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.config import InvestigationConfig
from dagster_agent.model import (
    Detection,
    Hypothesis,
    HypothesisStatus,
    ProposedChange,
    Verification,
    VerificationStep,
)
from dagster_agent.ports import Narrator, Warehouse
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.verification import verify

CONFIRMED_CONFIDENCE = 0.90
"""A mechanism that was reproduced and removed by its change alone."""
WITH_COMMIT_BONUS = 0.04
"""The commit that introduced it was found as well."""

Recheck = Callable[[str, Warehouse, Manifest], Detection]
"""Runs the failed thing again on an asset, against the sandbox's warehouse and manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A hypothesis after its test."""

    hypothesis: Hypothesis
    """With status and confidence as the test left them."""
    verification: Verification | None = None
    """What the sandbox showed; None when there was nothing to try."""


def prove(
    hypotheses: Sequence[Hypothesis],
    *,
    open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
    recheck: Recheck,
    narrator: Narrator,
    config: InvestigationConfig,
) -> tuple[Tested, ...]:
    """Test until one hypothesis is confirmed or a limit is reached.

    Args:
        hypotheses: Likeliest first.
        open_sandbox: Gives a fresh sandbox; it is removed on every way out.
        recheck: The failed thing, to be seen red without and green with the change.
        narrator: Hears each step.
        config: Limits.

    Returns:
        One entry per hypothesis, in the same order.
    """
    deadline = time.monotonic() + config.max_minutes * 60
    tested: list[Tested] = []
    tries = 0
    done = False
    for hypothesis in hypotheses:
        change = hypothesis.change
        if (
            done
            or change is None
            or tries >= config.max_hypotheses_tested
            or time.monotonic() > deadline
        ):
            tested.append(Tested(hypothesis=hypothesis))
            continue
        tries += 1
        result = _test(hypothesis, change, open_sandbox, recheck, narrator)
        tested.append(result)
        done = result.hypothesis.status is HypothesisStatus.CONFIRMED
    return tuple(tested)


def _test(
    hypothesis: Hypothesis,
    change: ProposedChange,
    open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
    recheck: Recheck,
    narrator: Narrator,
) -> Tested:
    started = time.monotonic()
    try:
        with open_sandbox() as sandbox:
            verification = verify(
                sandbox,
                change,
                recheck=lambda warehouse, manifest: recheck(hypothesis.asset, warehouse, manifest),
                narrator=narrator,
            )
    except DagsterAgentError as error:
        # No sandbox, no verdict: the hypothesis stays what it was, and the report says why.
        step = VerificationStep(
            name="sandbox", passed=False, detail=str(error), seconds=time.monotonic() - started
        )
        return Tested(hypothesis=hypothesis, verification=Verification(steps=(step,)))
    return Tested(hypothesis=_judged(hypothesis, verification), verification=verification)


def _judged(hypothesis: Hypothesis, verification: Verification) -> Hypothesis:
    """Status and confidence after the test.

    Refuted means that the mechanism was seen not to hold: the trouble did not show without the
    change, or stayed with it. A change that mends it but breaks a test proves the mechanism and
    not the mending, so the hypothesis stays untested and the change unverified.
    """
    if verification.verified:
        bonus = WITH_COMMIT_BONUS if hypothesis.commit else 0.0
        return replace(
            hypothesis,
            status=HypothesisStatus.CONFIRMED,
            confidence=round(CONFIRMED_CONFIDENCE + bonus, 2),
        )
    failed = next((step.name for step in verification.steps if not step.passed), "")
    if failed in ("reproduce", "recheck"):
        return replace(hypothesis, status=HypothesisStatus.REFUTED, confidence=0.05)
    return hypothesis
