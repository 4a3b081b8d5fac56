"""What the agent adds to the load of a customer's code location.

Floor: the example location without the agent and what is built with it. Each load is a fresh
process; the order alternates, so that a slow moment of the machine hits both alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

ROUNDS = 5

_LOAD = """
import sys, time, types, warnings
warnings.simplefilter("ignore")
if {plain}:
    def nothing(*_):
        import dagster
        return dagster.Definitions()
    class DataOpsAgent:
        def __init__(self, settings=None): ...
        def attach(self, defs): return defs
    class Settings:
        parse = staticmethod(dict)
    fake = types.SimpleNamespace
    sys.modules["dagster_agent"] = fake(DataOpsAgent=DataOpsAgent, Settings=Settings)
    sys.modules["checks.models"] = fake(model_checks=lambda *_: [])
    sys.modules["sensors.watch"] = fake(watch=nothing)
started = time.perf_counter()
import definitions
definitions.defs.get_repository_def().load_all_definitions()
print(time.perf_counter() - started)
"""


def run() -> Iterator[str]:
    """Lines of a Markdown table: seconds without and with the agent, and their ratio."""
    plain: list[float] = []
    attached: list[float] = []
    for _ in range(ROUNDS):
        plain.append(_seconds(_LOAD.format(plain=True)))
        attached.append(_seconds(_LOAD.format(plain=False)))
    ratios = [b / a for a, b in zip(plain, attached, strict=True)]
    yield "| example location, fresh process | seconds (median) | ratio |"
    yield "|---|---|---|"
    yield f"| without the agent | {statistics.median(plain):.2f} | 1 |"
    seconds, ratio = statistics.median(attached), statistics.median(ratios)
    yield f"| with the agent | {seconds:.2f} | {ratio:.2f} |"


def _seconds(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
