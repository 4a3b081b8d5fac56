"""From nothing to a tested finding on real data: 336,776 flights, one careless inner join.

Floor: one `dbt build` of the same project as a subprocess, which is what a person would need at
least to try a single idea by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from assets.flights.project import build_flights_project

ROUNDS = 2


def run() -> Iterator[str]:
    """Lines of a Markdown table: seconds of the floor and of `dagster-agent`, and the ratio."""
    yield "| flights, inner join to planes | seconds (best) | ratio |"
    yield "|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        project = build_flights_project(Path(folder), inner=("planes",))
        dbt = [str(Path(sys.executable).with_name("dbt")), "build", "--profiles-dir", "."]
        place = ["--project-dir", str(project), "--profiles-dir", str(project)]
        floor = min(_seconds(dbt, within=project) for _ in range(ROUNDS))
        yield f"| one `dbt build` | {floor:.1f} | 1 |"
        for command in (["investigate", "--asset", "fct_flights"], ["sweep"]):
            ours = [sys.executable, "-m", "dagster_agent.cli", *command, *place, "--json"]
            took = min(_seconds(ours, solved=True) for _ in range(ROUNDS))
            yield f"| `dagster-agent {' '.join(command)}` | {took:.1f} | {took / floor:.1f} |"


def _seconds(command: list[str], *, within: Path | None = None, solved: bool = False) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=within, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-2000:])
    took = time.perf_counter() - started
    if solved:
        _require_solved(done.stdout)
    return took


def _require_solved(output: str) -> None:
    """A fast wrong answer is no figure."""
    findings = json.loads(output)["findings"]
    solved = [f for f in findings if f["verdict"] == "cause-found" and f["fix"]["verified"]]
    if not solved:
        raise RuntimeError(f"no verified cause in {output[:500]}")
