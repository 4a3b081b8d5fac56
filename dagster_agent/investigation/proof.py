"""Station three: test hypotheses in a sandbox, the likeliest first, until one is confirmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError, InvestigationStopped
from dagster_agent.investigation.config import InvestigationConfig
from dagster_agent.model import (
    Detection,
    Hypothesis,
    HypothesisStatus,
    Verification,
    VerificationStep,
)
from dagster_agent.model import Recheck as RecheckKind
from dagster_agent.ports import Narrator, Warehouse
from dagster_agent.repair.exoneration import exonerate
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.verification import verify

CONFIRMED_CONFIDENCE = 0.90
"""A mechanism that was reproduced and removed by its change alone."""
WITH_COMMIT_BONUS = 0.04
"""The commit that introduced it was found as well."""

Recheck = Callable[[Hypothesis, Warehouse, Manifest, DbtOutcome], Detection]
"""Runs a hypothesis's failed thing again, against the sandbox as the given build left it."""


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
    focus: str | None,
    open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
    recheck: Recheck,
    narrator: Narrator,
    config: InvestigationConfig,
) -> tuple[Tested, ...]:
    """Test until one hypothesis is confirmed or a limit is reached.

    Args:
        hypotheses: Likeliest first.
        focus: dbt unique id that the story is about.
        open_sandbox: Gives a fresh sandbox; it is removed on every way out.
        recheck: The failed thing, to be seen red without and green with the change.
        narrator: Hears each step.
        config: Limits.

    Returns:
        One entry per hypothesis, in the same order.
    """
    deadline = time.monotonic() + config.max_minutes * 60
    bench = _Bench(focus=focus, open_sandbox=open_sandbox, recheck=recheck, narrator=narrator)
    tested: list[Tested] = []
    tries = 0
    done = False
    for hypothesis in hypotheses:
        testable = hypothesis.change is not None or hypothesis.data_cause
        spent = tries >= config.max_hypotheses_tested or time.monotonic() > deadline
        if done or spent or not testable:
            tested.append(Tested(hypothesis=hypothesis))
            continue
        tries += 1
        result = bench.test(hypothesis)
        tested.append(result)
        done = result.hypothesis.status is HypothesisStatus.CONFIRMED
    return tuple(tested)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What every test needs."""

    focus: str | None
    open_sandbox: Callable[[], AbstractContextManager[Sandbox]]
    recheck: Recheck
    narrator: Narrator

    def test(self, hypothesis: Hypothesis) -> Tested:
        started = time.monotonic()
        try:
            with self.open_sandbox() as sandbox:
                verification = self._try(hypothesis, sandbox)
        except InvestigationStopped:
            raise
        except DagsterAgentError as error:
            # No sandbox, no verdict: the hypothesis stays what it was, and the report says why.
            seconds = time.monotonic() - started
            step = VerificationStep(
                name="sandbox", passed=False, detail=str(error), seconds=seconds
            )
            verification = Verification(steps=(step,))
        return Tested(hypothesis=_judged(hypothesis, verification), verification=verification)

    def _try(self, hypothesis: Hypothesis, sandbox: Sandbox) -> Verification:
        def recheck(warehouse: Warehouse, manifest: Manifest, outcome: DbtOutcome) -> Detection:
            return self.recheck(hypothesis, warehouse, manifest, outcome)

        if hypothesis.change is not None:
            return verify(sandbox, hypothesis.change, recheck=recheck, narrator=self.narrator)
        assets = sandbox.manifest.assets
        return exonerate(
            sandbox,
            assets[hypothesis.asset],
            assets.get(self.focus or ""),
            recheck=recheck,
            errors_expected=hypothesis.recheck is RecheckKind.BUILD,
            narrator=self.narrator,
        )


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
    if failed in ("reproduce", "recheck", "still-red"):
        return replace(hypothesis, status=HypothesisStatus.REFUTED, confidence=0.05)
    return hypothesis
