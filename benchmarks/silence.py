"""What a tick of the silence sensor takes: with nothing new, and after 200 finished runs.

Floor: reading the ends of the runs alone, which every sensor over runs has to do. The instance is a
SQLite one in a temporary folder, as `dagster dev` has it; the runs are written as finished, each
with its plans and results in the event log. No workspace is opened: nothing is wrong.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from dagster_agent.definitions import feed
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.silence_sensor import build_silence_sensor
from dagster_agent.settings import Settings

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
RUNS = max(20, int(200 * SCALE))
ASSETS = 5
"""Materialised by each run."""
ROUNDS = 7


@dg.op
def _nothing() -> None: ...


def run() -> Iterator[str]:
    """Lines of a Markdown table: seconds of ticks, and their ratio to reading the run ends."""
    with tempfile.TemporaryDirectory() as folder, _instance(folder) as instance:
        sensor = _Sensor(instance)
        sensor.tick()
        _finish_runs(instance, sensor.defs)
        all_runs, ticks, longest = _catch_up(sensor)
        floor = statistics.median(_ends(instance) for _ in range(ROUNDS))
        idle = statistics.median(sensor.tick() for _ in range(ROUNDS))
    yield f"| silence sensor, SQLite, {RUNS} finished runs of {ASSETS} assets | seconds | ratio |"
    yield "|---|---|---|"
    yield f"| reading the ends of the runs | {floor:.3f} | 1 |"
    yield f"| idle tick (median of {ROUNDS}) | {idle:.3f} | {idle / floor:.1f} |"
    yield f"| all runs, in {ticks} ticks | {all_runs:.2f} | {all_runs / floor:.1f} |"
    yield f"| the longest of these ticks | {longest:.2f} | {longest / floor:.1f} |"


class _Sensor:
    """The sensor, and what the daemon keeps between its ticks."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        assets = [_asset(n) for n in range(ASSETS)]
        blueprint = Blueprint(settings=Settings(), refs=(), ignored=frozenset())
        job = chain_job("agent_investigate", description="", kind="x", ops={"one": _nothing})
        self.instance = instance
        self.sensor = build_silence_sensor(blueprint, job)
        self.defs = dg.Definitions(assets=assets, sensors=[self.sensor], jobs=[job])
        self.cursor: str | None = None
        self.said = ""

    def tick(self) -> float:
        """Evaluate once; seconds."""
        started = time.perf_counter()
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.defs.get_repository_def(),
            sensor_name=self.sensor.name,
        ) as context:
            data = self.sensor.evaluate_tick(context)
        self.cursor, self.said = data.cursor, data.skip_message or ""
        return time.perf_counter() - started


def _asset(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"table_{number}")
    def made() -> None: ...

    return made


def _instance(folder: str) -> dg.DagsterInstance:
    quiet = {"telemetry": {"enabled": False}, "python_logs": {"python_log_level": "CRITICAL"}}
    return dg.DagsterInstance.local_temp(folder, overrides=quiet)


def _finish_runs(instance: dg.DagsterInstance, defs: dg.Definitions) -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    for _ in range(RUNS):
        job.execute_in_process(instance=instance, raise_on_error=True)


def _catch_up(sensor: _Sensor) -> tuple[float, int, float]:
    """Seconds of all ticks until every run was read, how many, and the longest."""
    seconds: list[float] = []
    read = 0
    while read < RUNS:
        seconds.append(sensor.tick())
        read += int(sensor.said.split(" ")[0])
        if len(seconds) > RUNS:
            raise AssertionError(f"only {read} of {RUNS} runs were read: {sensor.said}")
    return sum(seconds), len(seconds), max(seconds)


def _ends(instance: dg.DagsterInstance) -> float:
    started = time.perf_counter()
    for end in feed.RUN_ENDS:
        instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(
                event_type=end, after_timestamp=datetime(2000, 1, 1, tzinfo=UTC).timestamp()
            ),
            limit=RUNS,
        )
    return time.perf_counter() - started


if __name__ == "__main__":
    print("\n".join(run()))
