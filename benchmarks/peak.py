"""How much memory a process has taken at the most."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """Megabytes that were resident in this process at once.

    `ru_maxrss` also counts what the process that started this one had taken by then; `VmHWM`, see
    proc(5), does not.
    """
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
