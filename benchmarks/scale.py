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
from dagster_agent.definitions import feed

runs = int(sys.argv[4])
sensor = repository.get_sensor_def("agent_watch")
keys = sorted(big.keys)
with tempfile.TemporaryDirectory() as home, dg.instance_for_test(temp_dir=home) as instance:
    def tick(cursor):
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=repository, sensor_name="agent_watch"
        ) as context:
            began = time.perf_counter()
            data = sensor.evaluate_tick(context)
            return time.perf_counter() - began, data
    _, first = tick(None)
    idle = [tick(first.cursor)[0] for _ in range(5)]
    for number in range(runs):
        chosen = keys[number * 5 % len(keys):][:5]
        dg.materialize([big], selection=chosen, instance=instance)
    ticks, cursor, asked = [], first.cursor, set()
    while True:
        took, data = tick(cursor)
        ticks.append(took)
        requests = [r for r in data.run_requests or [] if r.job_name == "agent_checks"]
        asked |= {r.tags["dagster_agent/checked_run"] for r in requests}
        if data.cursor == cursor:
            break
        cursor = data.cursor
    print(json.dumps({"idle": idle, "ticks": ticks, "seen": len(asked), "runs": runs}))
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
    yield f"| sensor on {MODELS:,} models | seconds |"
    yield "|---|---|"
    yield f"| a tick with nothing new (median of 5) | {statistics.median(told['idle']):.2f} |"
    busy = told["ticks"]
    yield (
        f"| {told['runs']} finished runs: {len(busy)} ticks, the longest {max(busy):.1f} s, "
        f"{told['seen']} runs followed up | {sum(busy):.1f} in all |"
    )


def _run(code: str, *arguments: str) -> str:
    mode, *rest = arguments
    command = [sys.executable, "-W", "ignore", "-c", code, str(MODELS), mode, *rest]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.splitlines()[-1]
