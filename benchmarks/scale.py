"""What the agent costs on 5,000 models: loading the location, and ticks of its sensors.

Floor of the load: the same location without the agent, from the start of a fresh process to the
last snapshot that the webserver asks for. CPU time is counted, since other work on the machine
hardly touches it, and the order of the locations alternates. The ticks have no floor but Dagster's
own limit of 60 seconds; the targets are 0.5 s for a tick with nothing new, and 30 s in all for 200
finished runs of which none may be passed over.
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
from typing import Any

import duckdb

from benchmarks.synthetic import manifest, tables

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
MODELS = max(int(5_000 * SCALE), 100)
ROUNDS = 3
RUNS = max(int(200 * SCALE), 5)
_LIMIT_SECONDS = 900
_MODES = {
    "plain": "without the agent",
    "empty": "without the agent, three empty checks a model: the least that checks cost",
    "three": "with the agent, three checks a model",
    "defaults": "with the agent as it comes",
}


def run() -> Iterator[str]:
    """Lines of Markdown tables: the load with and without the agent, and the sensors' ticks."""
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder))
        yield from _load(project)
        yield ""
        yield from _ticks(project)


def _project(root: Path) -> str:
    """A dbt project that has been built: its manifest, and its tables in DuckDB."""
    (root / "dbt_project.yml").write_text("name: big\nprofile: big\n")
    (root / "profiles.yml").write_text(
        "big: {target: dev, outputs: {dev: {type: duckdb, path: big.duckdb}}}\n"
    )
    (root / "target").mkdir()
    (root / "target" / "manifest.json").write_text(json.dumps(manifest(MODELS)))
    with duckdb.connect(str(root / "big.duckdb")) as connection:
        connection.execute("begin")
        for statement in tables(MODELS):
            connection.execute(statement)
        connection.execute("commit")
    return str(root)


def _load(project: str) -> Iterator[str]:
    told: dict[str, list[dict[str, Any]]] = {mode: [] for mode in _MODES}
    for _ in range(ROUNDS):
        for mode, figures in told.items():
            figures.append(_in_process("benchmarks.scale_location", mode, project))
    yield (
        f"| {MODELS:,} models with 3 dbt tests each, fresh process (median of {ROUNDS})"
        " | checks a model besides | seconds CPU | ratio | until loaded, ratio | MB told |"
    )
    yield "|---|---|---|---|---|---|"
    floor = told["plain"]
    for mode, figures in told.items():
        more = (figures[0]["checks"] - floor[0]["checks"]) / MODELS
        yield (
            f"| {_MODES[mode]} | {more:.1f} | {statistics.median(f['cpu'] for f in figures):.1f}"
            f" | {_ratio(figures, floor, 'cpu'):.2f} | {_ratio(figures, floor, 'until_loaded'):.2f}"
            f" | {figures[0]['megabytes']:.0f} |"
        )


def _ratio(figures: list[dict[str, Any]], floor: list[dict[str, Any]], what: str) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(a[what] / b[what] for a, b in zip(figures, floor, strict=True))


def _ticks(project: str) -> Iterator[str]:
    told = _in_process("benchmarks.scale_ticks", project, str(RUNS))
    yield f"| sensors on {MODELS:,} models | seconds |"
    yield "|---|---|"
    for name, (first, *rest) in told["idle"].items():
        yield f"| {name}: the first tick | {first:.2f} |"
        yield (
            f"| {name}: a tick with nothing new (median of {len(rest)}, the longest)"
            f" | {statistics.median(rest):.2f}, {max(rest):.2f} |"
        )
    for name in ("watch", "silence"):
        ticks = told[name]
        yield (
            f"| agent_{name}, {RUNS} finished runs of 5 models: {len(ticks)} ticks, the longest"
            f" {max(ticks):.1f} s, no run passed over | {sum(ticks):.1f} in all |"
        )
    for name, seconds in told["idle_after"].items():
        yield f"| {name}: a tick with nothing new after these | {seconds:.2f} |"


def _in_process(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_LIMIT_SECONDS
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
