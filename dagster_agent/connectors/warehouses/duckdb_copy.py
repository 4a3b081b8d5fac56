"""Copies a DuckDB file in a consistent moment, in a short process of its own.

POSIX drops every `fcntl` lock that a process holds on a file as soon as it closes *any* descriptor
of that file. A copy made inside the customer's process would thus silently unlock a database that
the same process has open for writing. So the file is only ever opened in a child process.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dagster_agent.connectors.warehouses import duckdb_copy_child


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOutcome:
    """What came of one attempt."""

    stamp: str | None = None
    """State of the original that was copied; None when nothing was copied."""
    busy_pid: int | None = None
    """Process that holds the original open for writing; 0 when it is not known."""
    error: str = ""
    """What the operating system said, such as a full disk. Empty when the original was busy or
    changed during the copy."""


def stamp_of(original: Path) -> str:
    """A short text that changes whenever the database or a file beside it does. Opens nothing.

    Raises:
        OSError: The database does not exist or cannot be looked at.
    """
    return duckdb_copy_child.stamp_of(str(original))


def size_of(original: Path) -> int:
    """Bytes of the database with the files beside it."""
    paths = (Path(f"{original}{suffix}") for suffix in ("", *duckdb_copy_child.SIDECARS))
    return sum(path.stat().st_size for path in paths if path.exists())


def copy_consistently(original: Path, folder: Path) -> CopyOutcome:
    """Copy the database and the files beside it into `folder`, if nobody writes to it now."""
    script = duckdb_copy_child.__file__
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, str(original), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    word, _, rest = done.stdout.partition(" ")
    if done.returncode != 0 or word not in {"stamp", "busy", "changed", "error"}:
        last = done.stderr.strip().rpartition("\n")[2]
        return CopyOutcome(error=last or f"the copying process ended with {done.returncode}")
    return CopyOutcome(
        stamp=rest if word == "stamp" else None,
        busy_pid=int(rest) if word == "busy" else None,
        error=rest if word == "error" else "",
    )
