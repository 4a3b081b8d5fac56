"""`verify`: is the change the cure? Red without it, green with it, and nothing else broken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    ProposedChange,
    Relation,
    ResultTable,
    TableDiff,
    Verification,
    VerificationStep,
)
from dagster_agent.ports import Narrator, Warehouse
from dagster_agent.repair.data_diff import diff_table
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.repair.selection import selector

Recheck = Callable[[Warehouse, Manifest, DbtOutcome], Detection]
"""Runs the failed thing again, against the sandbox's data and manifest as the given build left
them."""

_GOOD = frozenset({"pass", "warn"})
_BAD = frozenset({"fail", "error"})


def verify(
    sandbox: Sandbox, change: ProposedChange, *, recheck: Recheck, narrator: Narrator
) -> Verification:
    """Try a change in an open sandbox.

    The steps, each only if the one before passed: `reproduce` builds the affected models without
    the change, on the same inputs as later with it, and wants the check red; `apply` makes the
    change and compiles; `rebuild` builds the same models again; `recheck` wants the check green;
    `tests` wants no dbt test broken; `data-diff` counts what is different in each model.

    A step that could not be carried out (dbt stopped, the check could not run) is named `sandbox`:
    it says nothing about the change.

    Args:
        sandbox: Open, and unchanged so far. The change stays applied in it.
        change: What to try.
        recheck: The failed thing.
        narrator: Hears each step.

    Returns:
        What was seen; no failure of dbt or of the check is an exception.
    """
    trial = _Trial(sandbox=sandbox, change=change, recheck=recheck)
    steps: list[VerificationStep] = []
    for name, why, work in trial.steps():
        step = _timed(name, work, trial)
        steps.append(step)
        narrator.step(f"sandbox: {step.name}", why=why, result=step.detail)
        if not step.passed:
            break
    return Verification(
        steps=tuple(steps),
        tests_passed=trial.tests_passed,
        tests_failed=trial.tests_failed,
        data_diff=trial.data_diff,
        before=trial.before,
        after=trial.after,
    )


def _timed(name: str, work: Callable[[], bool], trial: _Trial) -> VerificationStep:
    started = time.monotonic()
    try:
        passed, detail = work(), trial.detail
    except _CouldNotRun as error:
        name, passed, detail = "sandbox", False, str(error)
    except DagsterAgentError as error:
        name = name if name in ("apply", "data-diff") else "sandbox"
        passed, detail = False, str(error)
    seconds = round(time.monotonic() - started, 3)
    return VerificationStep(name=name, passed=passed, detail=detail, seconds=seconds)


class _CouldNotRun(Exception):
    """The step says nothing about the change."""


@dataclass(slots=True, kw_only=True)
class _Trial:
    """The state that the steps share."""

    sandbox: Sandbox
    change: ProposedChange
    recheck: Recheck
    detail: str = ""
    outcome: DbtOutcome | None = None
    kept: Mapping[str, Relation] = field(default_factory=lambda: dict[str, Relation]())
    statuses_before: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    statuses_after: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    tests_passed: int = 0
    tests_failed: tuple[str, ...] = ()
    data_diff: tuple[TableDiff, ...] = ()
    before: ResultTable | None = None
    after: ResultTable | None = None

    def steps(self) -> Sequence[tuple[str, str, Callable[[], bool]]]:
        return (
            ("reproduce", "the check must be red without the change", self._reproduce),
            ("apply", "the project must compile with the change", self._apply),
            ("rebuild", "the changed models and all after them are built anew", self._rebuild),
            ("recheck", "the check must be green with the change", self._recheck),
            ("tests", "no dbt test may break", self._tests),
            ("data-diff", "what is different for those who read the models", self._diff),
        )

    def _reproduce(self) -> bool:
        outcome = self._build()
        self.statuses_before = _statuses(outcome)
        built = self._built(outcome)
        detection = self._checked(outcome)
        self.before = detection.sample
        self.kept = self.sandbox.keep(built) if built else {}
        failed = [r.unique_id for r in outcome.results if r.status == "error"]
        broken = f"; {len(failed)} cannot be built: {', '.join(failed[:3])}" if failed else ""
        self.detail = f"{detection.headline} ({len(built)} models built without the change{broken})"
        if detection.status is DetectionStatus.FAILED:
            return True
        self.detail = f"not red without the change: {self.detail}"
        return False

    def _apply(self) -> bool:
        self.sandbox.apply(self.change)
        manifest = self.sandbox.compile()
        missing = [
            uid
            for uid in self.change.assets
            if uid in manifest.assets
            and manifest.assets[uid].resource_type == "model"
            and not manifest.compiled_code(uid)
            and manifest.assets[uid].path.endswith(".sql")
        ]
        files = ", ".join(edit.path for edit in self.change.edits)
        if missing:
            self.detail = f"with the change in {files}, {', '.join(missing)} does not compile"
            return False
        self.detail = f"{files} changed in the sandbox; the project compiles"
        return True

    def _rebuild(self) -> bool:
        outcome = self.outcome = self._build()
        self.statuses_after = _statuses(outcome)
        errors = [
            r
            for r in outcome.results
            if r.status == "error"
            and self.statuses_before.get(r.unique_id) != "error"
            and not _is_test(r.unique_id)
        ]
        if errors:
            message = " ".join(errors[0].message.split())
            self.detail = f"{errors[0].unique_id} cannot be built with the change: {message}"
            return False
        self.detail = f"{len(self._built(outcome))} models built with the change"
        if self._incremental():
            self.detail += ", incremental ones from nothing"
        return True

    def _recheck(self) -> bool:
        detection = self._checked(self.outcome)
        self.after = detection.sample
        self.detail = detection.headline
        if detection.status is DetectionStatus.PASSED:
            return True
        self.detail = f"still not green with the change: {detection.headline}"
        return False

    def _tests(self) -> bool:
        tests = {uid: s for uid, s in self.statuses_after.items() if _is_test(uid)}
        self.tests_passed = sum(status in _GOOD for status in tests.values())
        self.tests_failed = tuple(
            uid
            for uid, status in sorted(tests.items())
            if status in _BAD and self.statuses_before.get(uid) in {None, *_GOOD}
        )
        old = sum(status in _BAD for status in tests.values()) - len(self.tests_failed)
        self.detail = f"{self.tests_passed} of {len(tests)} dbt tests pass"
        if old:
            self.detail += f"; {old} failed before as well"
        if self.tests_failed:
            self.detail += f"; broken by the change: {', '.join(self.tests_failed[:3])}"
        return not self.tests_failed

    def _diff(self) -> bool:
        assets = self.sandbox.manifest.assets
        self.data_diff = tuple(
            diff_table(uid, before=kept, after=after, warehouse=self.sandbox.warehouse)
            for uid, kept in self.kept.items()
            if uid in assets and (after := assets[uid].relation) is not None
        )
        changed = [diff for diff in self.data_diff if not diff.identical]
        same = len(self.data_diff) - len(changed)
        parts = [
            f"{diff.asset}: {diff.rows_before:,} rows before, {diff.rows_after:,} after "
            f"(+{diff.rows_added:,} −{diff.rows_removed:,})"
            for diff in changed
        ]
        self.detail = "; ".join([*parts, f"{same} of {len(self.data_diff)} models are identical"])
        return True

    def _build(self) -> DbtOutcome:
        """Build the affected models in the state the project is in now, with their tests."""
        selectors = [f"{selector(a)}+" for a in self._changed_assets()]
        if not selectors:
            raise _CouldNotRun(f"dbt knows none of {', '.join(self.change.assets)}")
        outcome = self.sandbox.build(selectors, full_refresh=self._incremental())
        if not outcome.success and not outcome.results:
            raise _CouldNotRun(f"dbt stopped: {outcome.trouble()}")
        return outcome

    def _changed_assets(self) -> list[Asset]:
        assets = self.sandbox.manifest.assets
        return [assets[uid] for uid in self.change.assets if uid in assets]

    def _incremental(self) -> bool:
        manifest = self.sandbox.manifest
        affected = {a.unique_id for a in self._changed_assets()}
        affected |= {uid for changed in affected for uid in manifest.downstream(changed)}
        return any(manifest.assets[uid].materialized == "incremental" for uid in affected)

    def _built(self, outcome: DbtOutcome) -> dict[str, Relation]:
        """Relations of the models that were built, in build order."""
        assets = self.sandbox.manifest.assets
        return {
            r.unique_id: relation
            for r in outcome.results
            if r.status == "success"
            and r.unique_id in assets
            and (relation := assets[r.unique_id].relation) is not None
        }

    def _checked(self, outcome: DbtOutcome | None) -> Detection:
        if outcome is None:
            raise _CouldNotRun("nothing was built")
        detection = self.recheck(self.sandbox.warehouse, self.sandbox.manifest, outcome)
        if detection.status in (DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED):
            raise _CouldNotRun(f"the check could not run in the sandbox: {detection.headline}")
        return detection


def _statuses(outcome: DbtOutcome) -> dict[str, str]:
    return {result.unique_id: result.status for result in outcome.results}


def _is_test(uid: str) -> bool:
    return uid.startswith(("test.", "unit_test."))
