"""The daemon in miniature: evaluate the agent's sensor, run what it asks for, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.utils import make_new_run_id

from assets.shop.days import let_a_day_pass, load_only
from dagster_agent import DataOpsAgent, Finding

SENSORS = ("agent_watch", "agent_drift")
INVESTIGATE = "agent_investigate"
LINE_MARK = "[agent]"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One evaluated agent check."""

    asset: str
    """Asset key, as text."""
    passed: bool
    """As evaluated."""
    headline: str
    """Its description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """One finished investigation run."""

    run_id: str
    """Dagster run."""
    succeeded: bool
    """Whether all its stations ended well."""
    seconds: float
    """Wall time."""


@dataclass(kw_only=True)
class Polling:
    """The code location on an instance, with what the sensor has asked for so far."""

    instance: dg.DagsterInstance
    defs: dg.Definitions
    say: Say
    """Receives each line of a running investigation, as it is logged."""
    cursors: dict[str, str | None] = field(default_factory=lambda: dict[str, str | None]())
    """Of each sensor, as the daemon keeps it."""
    investigations: list[Investigation] = field(default_factory=lambda: list[Investigation]())
    _last_succeeded: bool = False
    _seen: set[str] = field(default_factory=lambda: set[str]())

    @classmethod
    def on(cls, home: Path, say: Say) -> Polling:
        """The example code location on the instance in `home`."""
        import definitions

        return cls(
            instance=dg.DagsterInstance.from_config(str(home)), defs=definitions.defs, say=say
        )

    def let_a_day_pass(self, day: date) -> dg.ExecuteInProcessResult:
        """Run the shop's nightly job as of that day."""
        return let_a_day_pass(self.defs, day, instance=self.instance)

    def load_only(self, day: date) -> dg.ExecuteInProcessResult:
        """Run only the shop's loads as of that day."""
        return load_only(self.defs, day, instance=self.instance)

    def tick(self) -> list[CheckResult]:
        """One polling cycle: evaluate the sensors and run what they ask for."""
        return [result for sensor in SENSORS for result in self._evaluate(sensor)]

    def _evaluate(self, name: str) -> list[CheckResult]:
        sensor = self.defs.resolve_sensor_def(name)
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            definitions=self.defs,
            sensor_name=name,
        )
        data = sensor.evaluate_tick(context)
        self.cursors[name] = data.cursor
        results: list[CheckResult] = []
        for request in data.run_requests or ():
            if request.run_key is None or request.run_key not in self._seen:
                self._seen.add(request.run_key or make_new_run_id())
                results += self._run(request)
        return results

    def settle(self, *, most: int = 4) -> list[CheckResult]:
        """Ticks until the sensor asks for nothing more."""
        results: list[CheckResult] = []
        for _ in range(most):
            before = len(self._seen)
            results += self.tick()
            if len(self._seen) == before:
                break
        return results

    def findings(self) -> Sequence[Finding]:
        """All findings, newest first."""
        return DataOpsAgent().findings(self.instance)

    def launch(self, job: str, config: Mapping[str, Any]) -> bool:
        """Launch one of the agent's jobs as a person does in the Launchpad; whether it ended well.

        Args:
            job: Name of the job.
            config: Its run config.
        """
        request = dg.RunRequest(job_name=job, run_config=dict(config))
        before = len(self.investigations)
        self._run(request)
        launched = self.investigations[before:]
        return self._last_succeeded if not launched else launched[-1].succeeded

    def newest_partition(self) -> str:
        """Partition of `agent/findings` that tells the newest finding; empty without one."""
        return next(reversed(self.instance.get_dynamic_partitions("agent_findings")), "")

    def _run(self, request: dg.RunRequest) -> list[CheckResult]:
        name = request.job_name or INVESTIGATE
        job = self.defs.resolve_job_def(name)
        if request.asset_check_keys:
            job = job.get_subset(asset_check_selection=set(request.asset_check_keys))
        elif request.asset_selection:
            job = job.get_subset(asset_selection=set(request.asset_selection))
        run_id = make_new_run_id()
        began = time.monotonic()
        with self._live(run_id) if name == INVESTIGATE else nullcontext():
            done = job.execute_in_process(
                instance=self.instance,
                run_config={**_QUIET, **(request.run_config or {})},
                tags=dict(request.tags or {}),
                run_id=run_id,
                raise_on_error=False,
            )
        self._last_succeeded = done.success
        if name == INVESTIGATE:
            took = time.monotonic() - began
            self.investigations.append(
                Investigation(run_id=run_id, succeeded=done.success, seconds=took)
            )
            return []
        return list(self._checks(run_id))

    def _checks(self, run_id: str) -> Iterator[CheckResult]:
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        records = self.instance.get_records_for_run(run_id, of_type=kind, limit=5000).records
        for record in records:
            event = record.event_log_entry.dagster_event
            evaluation = event.asset_check_evaluation_data if event else None
            if evaluation is not None:
                yield CheckResult(
                    asset=evaluation.asset_key.to_user_string(),
                    passed=evaluation.passed,
                    headline=evaluation.description or "",
                )

    @contextmanager
    def _live(self, run_id: str) -> Generator[None]:
        """Say each line of the agent while its run is going on."""
        done = threading.Event()

        def follow() -> None:
            told, last = 0, False
            while not last:
                last = done.wait(0.3)
                if not self.instance.has_run(run_id):
                    continue
                lines = [
                    entry.user_message
                    for entry in self.instance.all_logs(run_id)
                    if LINE_MARK in entry.user_message
                ]
                for line in lines[told:]:
                    self.say(line)
                told = len(lines)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
