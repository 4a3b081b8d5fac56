"""What the agent costs on 5,000 models: loading the location, and ticks of its sensor.

Floor of the load: the same location without the agent, from the first import to the serialised
snapshot that Dagster's server keeps. Each load is a fresh process, the order alternates. The ticks
have no floor but Dagster's own limit of 60 seconds; the targets are 0.5 s for a tick with nothing
new, and 30 s in all for 200 finished runs of which none may be passed over.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.synthetic import manifest

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
MODELS = max(int(5_000 * SCALE), 100)
ROUNDS = 3
RUNS = max(int(200 * SCALE), 5)

_LOCATION = """
import sys, time, warnings
started = time.perf_counter()
warnings.simplefilter("ignore")
import dagster as dg
from dagster_dbt import dbt_assets
from benchmarks.synthetic import manifest
models, agent, project = int(sys.argv[1]), sys.argv[2] == "agent", sys.argv[3]
made = time.perf_counter()
known = manifest(models)
making = time.perf_counter() - made

@dbt_assets(manifest=known)
def big(context):
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key)

defs = dg.Definitions(assets=[big])
if agent:
    from dagster_agent import DataOpsAgent
    defs = DataOpsAgent({"project_dir": project}).attach(defs)
repository = defs.get_repository_def()
repository.load_all_definitions()
"""

_LOAD = (
    _LOCATION
    + """
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value
serialize_value(RepositorySnap.from_def(repository))
print(time.perf_counter() - started - making)
"""
)

_TICKS = (
    _LOCATION
    + """
import json, tempfile
from collections import Counter
from dagster._core.events import (
    AssetMaterializationPlannedData, DagsterEvent, DagsterEventType, StepMaterializationData,
)

runs = int(sys.argv[4])
sensors = ("agent_watch", "agent_drift", "agent_silence")
keys = sorted(big.keys)

def finish(instance, chosen):
    # what a run of a few assets leaves behind, without the run
    run = instance.create_run(
        job_name="__ASSET_JOB", run_id=None, run_config={}, status=dg.DagsterRunStatus.STARTED,
        tags={}, root_run_id=None, parent_run_id=None, step_keys_to_execute=None,
        execution_plan_snapshot=None, job_snapshot=None, parent_job_snapshot=None,
        asset_selection=frozenset(chosen), asset_check_selection=None, resolved_op_selection=None,
        op_selection=None, remote_job_origin=None, job_code_origin=None, asset_graph=None,
    )
    def report(kind, data, step="big"):
        event = DagsterEvent(kind.value, "__ASSET_JOB", step_key=step, event_specific_data=data)
        instance.report_dagster_event(event, run.run_id)
    for key in chosen:
        report(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, AssetMaterializationPlannedData(key))
    for key in chosen:
        made = dg.AssetMaterialization(key)
        report(DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(made, []))
    report(DagsterEventType.RUN_SUCCESS, None, None)
    return run.run_id

quiet = {"telemetry": {"enabled": False}, "python_logs": {"python_log_level": "CRITICAL"}}
with tempfile.TemporaryDirectory() as home, \
        dg.DagsterInstance.local_temp(home, overrides=quiet) as instance:
    def tick(name, cursor):
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=repository, sensor_name=name
        ) as context:
            began = time.perf_counter()
            data = repository.get_sensor_def(name).evaluate_tick(context)
            return time.perf_counter() - began, data
    cursors, idle = {}, {}
    for name in sensors:
        cursors[name] = tick(name, None)[1].cursor
        idle[name] = []
        for _ in range(5):
            took, data = tick(name, cursors[name])
            cursors[name] = data.cursor
            idle[name].append(took)
    made = []
    for number in range(runs):
        chosen = [keys[(number * 5 + k) % len(keys)] for k in range(5)]
        made.append(finish(instance, chosen))
    ticks, cursor, asked = [], cursors["agent_watch"], Counter()
    while True:
        took, data = tick("agent_watch", cursor)
        ticks.append(took)
        requests = [r for r in data.run_requests or [] if r.job_name == "agent_checks"]
        asked.update(r.tags["dagster_agent/checked_run"] for r in requests)
        if data.cursor == cursor:
            break
        cursor = data.cursor
    assert asked == Counter(made), f"{len(asked)} of {runs} runs were followed up"
    print(json.dumps({"idle": idle, "ticks": ticks, "runs": runs}))
"""
)


def run() -> Iterator[str]:
    """Lines of Markdown tables: the load with and without the agent, and the sensor's ticks."""
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder))
        yield from _load(project)
        yield ""
        yield from _ticks(project)


def _project(root: Path) -> str:
    """A dbt project whose last `dbt build` left the manifest."""
    (root / "dbt_project.yml").write_text("name: big\nprofile: big\n")
    (root / "profiles.yml").write_text(
        "big: {target: dev, outputs: {dev: {type: duckdb, path: big.duckdb}}}\n"
    )
    (root / "target").mkdir()
    (root / "target" / "manifest.json").write_text(json.dumps(manifest(MODELS)))
    return str(root)


def _load(project: str) -> Iterator[str]:
    plain: list[float] = []
    agent: list[float] = []
    for _ in range(ROUNDS):
        plain.append(float(_run(_LOAD, "plain", project)))
        agent.append(float(_run(_LOAD, "agent", project)))
    ratios = [b / a for a, b in zip(plain, agent, strict=True)]
    yield f"| {MODELS:,} models with 3 dbt tests each, fresh process | seconds (median) | ratio |"
    yield "|---|---|---|"
    yield f"| without the agent | {statistics.median(plain):.1f} | 1 |"
    seconds, ratio = statistics.median(agent), statistics.median(ratios)
    yield f"| with the agent | {seconds:.1f} | {ratio:.2f} |"


def _ticks(project: str) -> Iterator[str]:
    told = json.loads(_run(_TICKS, "agent", project, str(RUNS)))
    yield f"| sensors on {MODELS:,} models | seconds |"
    yield "|---|---|"
    for name, took in told["idle"].items():
        yield f"| {name}: a tick with nothing new (median of 5) | {statistics.median(took):.2f} |"
    # the last tick only finds that nothing is left
    busy = told["ticks"][:-1]
    yield (
        f"| agent_watch, {told['runs']} finished runs of 5 models: {len(busy)} ticks, the longest "
        f"{max(busy):.1f} s, each run followed up once | {sum(busy):.1f} in all |"
    )


def _run(code: str, *arguments: str) -> str:
    mode, *rest = arguments
    command = [sys.executable, "-W", "ignore", "-c", code, str(MODELS), mode, *rest]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.splitlines()[-1]
