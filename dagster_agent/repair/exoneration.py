"""`exonerate`: is the code innocent? Built anew from the same sources, the trouble must stay."""

from __future__ import annotations

import time

from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    ResultTable,
    Verification,
    VerificationStep,
)
from dagster_agent.ports import Narrator
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.selection import selector
from dagster_agent.repair.verification import Recheck


def exonerate(
    sandbox: Sandbox,
    suspect: Asset,
    focus: Asset | None,
    *,
    recheck: Recheck,
    errors_expected: bool,
    narrator: Narrator,
) -> Verification:
    """Build everything between the suspect and the focus anew, with nothing changed.

    The counterfactual to "the data that arrived is wrong": were the models only not built, or built
    from an old snapshot, building them would mend it. The steps: `rebuild`, then `still-red`.

    Args:
        sandbox: Open, and unchanged.
        suspect: The source (or model) whose data is said to be wrong.
        focus: Where the trouble was seen; None builds all that reads the suspect.
        recheck: The failed thing.
        errors_expected: Whether failing builds are the trouble itself; otherwise the failed thing
            cannot be judged after one.
        narrator: Hears each step.

    Returns:
        Verified when the trouble stays. A step that could not be carried out is named `sandbox`.
    """
    steps: list[VerificationStep] = []
    sample: ResultTable | None = None
    began = time.monotonic()
    try:
        outcome = sandbox.build([_path_between(suspect, focus)])
        rebuilt = _rebuilt(outcome, errors_expected=errors_expected)
        steps.append(_step("rebuild", rebuilt is not None, rebuilt or outcome.trouble(), began))
        if rebuilt is not None:
            began = time.monotonic()
            detection = recheck(sandbox.warehouse, sandbox.manifest, outcome)
            sample = detection.sample
            steps.append(_verdict(detection, began))
    except DagsterAgentError as error:
        steps.append(_step("sandbox", False, str(error), began))
    for step in steps:
        why = "the models may just not have been built since the data arrived"
        narrator.step(f"sandbox: {step.name}", why=why, result=step.detail)
    return Verification(steps=tuple(steps), before=sample, after=sample)


def _path_between(suspect: Asset, focus: Asset | None) -> str:
    from_suspect = f"{selector(suspect)}+"
    if focus is None or focus.unique_id == suspect.unique_id:
        return from_suspect
    return f"{from_suspect},+{selector(focus)}"


def _rebuilt(outcome: DbtOutcome, *, errors_expected: bool) -> str | None:
    built = sum(r.status == "success" for r in outcome.results)
    broken = sum(r.status == "error" for r in outcome.results)
    if not built + broken or (broken and not errors_expected):
        return None
    failed = f", {broken} failed" if broken else ""
    return f"{built} models built anew from the same sources, code unchanged{failed}"


def _verdict(detection: Detection, began: float) -> VerificationStep:
    if detection.status is DetectionStatus.FAILED:
        return _step("still-red", True, f"it stays: {detection.headline}", began)
    if detection.status is DetectionStatus.PASSED:
        return _step("still-red", False, f"building anew mends it: {detection.headline}", began)
    return _step("sandbox", False, f"the check could not run: {detection.headline}", began)


def _step(name: str, passed: bool, detail: str, began: float) -> VerificationStep:
    seconds = round(time.monotonic() - began, 3)
    return VerificationStep(name=name, passed=passed, detail=detail, seconds=seconds)
