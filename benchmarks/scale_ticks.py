"""Ticks of the agent's sensors on a large code location, in a process of its own.

First nothing happens; then many runs end at once. The instance is a SQLite one in a temporary
folder, as `dagster dev` has it. The runs are written as finished: each with its plan, its five
tables and the results of their dbt tests in the event log.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterEventType
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData

from benchmarks.scale_location import DEFAULTS, definitions

WATCH, DRIFT, SILENCE = "agent_watch", "agent_drift", "agent_silence"
TABLES = 5
"""Built by each run."""
_IDLE_TICKS = 5
_JOB = "__ASSET_JOB"
_QUIET: dict[str, Any] = {
    "telemetry": {"enabled": False},
    "python_logs": {"python_log_level": "CRITICAL"},
}


@dataclass(kw_only=True)
class _Daemon:
    """Ticks a sensor, and keeps what the daemon keeps."""

    instance: dg.DagsterInstance
    repository: dg.RepositoryDefinition
    cursors: dict[str, str | None] = field(default_factory=lambda: dict[str, str | None]())

    def tick(self, name: str) -> tuple[float, Any]:
        """Seconds, and what Dagster makes of the answer."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            repository_def=self.repository,
            sensor_name=name,
        ) as context:
            began = time.perf_counter()
            data = self.repository.get_sensor_def(name).evaluate_tick(context)
            took = time.perf_counter() - began
        self.cursors[name] = data.cursor
        return took, data


def _idle(daemon: _Daemon) -> dict[str, list[float]]:
    """The first tick of each sensor, and those after it, in which nothing may be asked for."""
    told: dict[str, list[float]] = {}
    for name in (WATCH, DRIFT, SILENCE):
        told[name] = [daemon.tick(name)[0]]
        for _ in range(_IDLE_TICKS):
            took, data = daemon.tick(name)
            if data.run_requests:
                raise AssertionError(f"{name} asks for runs although nothing is new")
            told[name].append(took)
    return told


def _followed_up(daemon: _Daemon, runs: Sequence[str]) -> list[float]:
    """Seconds of each tick until every run has been followed up, once."""
    ticks: list[float] = []
    asked: Counter[str] = Counter()
    while len(asked) < len(runs):
        before = daemon.cursors[WATCH]
        took, data = daemon.tick(WATCH)
        ticks.append(took)
        requests: list[dg.RunRequest] = data.run_requests or []
        asked.update(
            request.tags["dagster_agent/checked_run"]
            for request in requests
            if request.job_name == "agent_checks"
        )
        if daemon.cursors[WATCH] == before:
            break
    if asked != Counter(runs):
        raise AssertionError(f"{len(asked)} of {len(runs)} runs were followed up")
    return ticks


def _judged(daemon: _Daemon, runs: Sequence[str]) -> list[float]:
    """Seconds of each tick of the silence sensor until it has read every run."""
    ticks: list[float] = []
    read = 0
    while read < len(runs):
        took, data = daemon.tick(SILENCE)
        ticks.append(took)
        said = data.skip_message or ""
        seen = int(said.partition(" runs ended")[0]) if " runs ended" in said else 0
        if not seen or "not read" in said:
            raise AssertionError(f"only {read} of {len(runs)} runs were read: {said[:500]}")
        read += seen
    return ticks


def _finish(
    daemon: _Daemon, chosen: Sequence[dg.AssetKey], tests: Sequence[dg.AssetCheckKey]
) -> str:
    """What a good run of a few assets leaves behind, without the run; its id."""
    instance = daemon.instance
    # dagster leaves the type parameter of its asset graph open
    run = instance.create_run(  # pyright: ignore[reportUnknownMemberType] # see above
        job_name=_JOB,
        run_id=None,
        run_config={},
        status=dg.DagsterRunStatus.STARTED,
        tags={},
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=None,
        execution_plan_snapshot=None,
        job_snapshot=None,
        parent_job_snapshot=None,
        asset_selection=frozenset(chosen),
        asset_check_selection=None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=None,
        job_code_origin=None,
        asset_graph=daemon.repository.asset_graph,
    )

    def report(kind: DagsterEventType, data: Any, step: str | None = "big") -> None:
        event = DagsterEvent(kind.value, _JOB, step_key=step, event_specific_data=data)
        instance.report_dagster_event(event, run.run_id)

    kind = DagsterEventType
    for key in chosen:
        report(kind.ASSET_MATERIALIZATION_PLANNED, AssetMaterializationPlannedData(key))
    for key in chosen:
        made = dg.AssetMaterialization(key)
        report(kind.ASSET_MATERIALIZATION, StepMaterializationData(made, []))
    for test in tests:
        passed = dg.AssetCheckEvaluation(
            asset_key=test.asset_key, check_name=test.name, passed=True, metadata={}
        )
        report(kind.ASSET_CHECK_EVALUATION, passed)
    report(kind.RUN_SUCCESS, None, None)
    return run.run_id


def _finish_runs(daemon: _Daemon, number: int) -> list[str]:
    """Many runs, each of five tables in a row."""
    keys = sorted(daemon.repository.asset_graph.materializable_asset_keys)
    tests: dict[dg.AssetKey, list[dg.AssetCheckKey]] = {}
    for check in daemon.repository.asset_graph.asset_check_keys:
        if not check.name.startswith("agent_"):
            tests.setdefault(check.asset_key, []).append(check)
    made: list[str] = []
    for run in range(number):
        chosen = [keys[(run * TABLES + place) % len(keys)] for place in range(TABLES)]
        of_these = [check for key in chosen for check in sorted(tests.get(key, ()))]
        made.append(_finish(daemon, chosen, of_these))
    return made


def main() -> None:
    """Tick, and tell what it took."""
    warnings.simplefilter("ignore")
    project, runs = Path(sys.argv[1]), int(sys.argv[2])
    repository = definitions(DEFAULTS, project).get_repository_def()
    with (
        tempfile.TemporaryDirectory() as home,
        dg.DagsterInstance.local_temp(home, overrides=_QUIET) as instance,
    ):
        daemon = _Daemon(instance=instance, repository=repository)
        idle = _idle(daemon)
        made = _finish_runs(daemon, runs)
        told = {
            "idle": idle,
            "watch": _followed_up(daemon, made),
            "silence": _judged(daemon, made),
            "idle_after": {name: daemon.tick(name)[0] for name in (WATCH, DRIFT, SILENCE)},
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
