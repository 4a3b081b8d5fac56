"""Private copies of DuckDB files, so that reading never stands in the way of a dbt run."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from dagster_agent.connectors.warehouses.duckdb_copy import copy_consistently, stamp_of
from dagster_agent.errors import ConnectorError

_LEFTOVER_SECONDS = 3600.0
"""A half-made copy older than this was left by a process that died."""
_PARTIAL = ".partial-"


class SnapshotFolder:
    """Keeps the newest copy of each DuckDB file; safe for many processes at once.

    The copy keeps the file's name, because DuckDB names the catalog after it.

    Args:
        directory: Where the copies lie; made private (0700) when it is created.
        wait_seconds: How long to wait for a process that writes to the original.
    """

    def __init__(self, directory: Path, *, wait_seconds: float) -> None:
        self._directory = directory
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()

    def current(self, original: Path) -> Path:
        """A copy of the original as it is now, made only if it changed since the last one.

        Raises:
            ConnectorError: It does not exist, is held by a writer for too long (`retryable`), or
                cannot be copied.
        """
        key = hashlib.sha256(str(original).encode()).hexdigest()[:12]
        home = self._directory / f"{original.stem}-{key}"
        with self._lock:
            kept = home / stamp(original) / original.name
            return kept if kept.exists() else self._refresh(original, home)

    def _refresh(self, original: Path, home: Path) -> Path:
        self._directory.parent.mkdir(parents=True, exist_ok=True)
        self._directory.mkdir(mode=0o700, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=home))
        try:
            taken = copy_when_free(original, partial, wait_seconds=self._wait_seconds)
            final = home / taken
            try:
                partial.rename(final)
            except OSError:  # another process made the same copy meanwhile
                if not (final / original.name).exists():
                    raise
            _prune(home, keep=final)
            return final / original.name
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def stamp(original: Path) -> str:
    """`stamp_of`, with a missing file told in our own words."""
    try:
        return stamp_of(original)
    except FileNotFoundError:
        raise ConnectorError(
            f"DuckDB file {str(original)!r} does not exist",
            hint="run `dbt build` once, or correct `path` in the dbt profile",
        ) from None
    except OSError as problem:
        raise ConnectorError(
            f"cannot reach DuckDB file {str(original)!r}: {problem.strerror}",
            hint="check the path and its permissions",
        ) from problem


def copy_when_free(original: Path, folder: Path, *, wait_seconds: float) -> str:
    """Copy the database and the files beside it into `folder`; the stamp of what was copied.

    Raises:
        ConnectorError: As `SnapshotFolder.current`.
    """
    deadline = time.monotonic() + wait_seconds
    busy_pid: int | None = None
    for pause in pauses():
        stamp(original)
        outcome = copy_consistently(original, folder)
        if outcome.stamp is not None:
            return outcome.stamp
        if outcome.error:
            raise ConnectorError(
                f"cannot copy the DuckDB file {str(original)!r}: {outcome.error}",
                hint=f"check the permissions and the free space of {str(folder.parent)!r}",
            )
        busy_pid = outcome.busy_pid
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    raise held(original, pid=busy_pid, waited=wait_seconds)


def pauses() -> Iterator[float]:
    """Seconds to wait between two attempts: quick at first, then twice a second."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 0.5)


def held(original: Path, *, pid: int | None, waited: float) -> ConnectorError:
    """The error for a file that stayed in the hands of a writer."""
    if pid is None:
        who = "kept changing"
    elif pid == os.getpid():
        who = f"is held open for writing by this very process (PID {pid})"
    else:
        who = f"is held open for writing by {f'PID {pid}' if pid else 'another process'}"
    return ConnectorError(
        f"DuckDB file {str(original)!r} {who}; waited {waited:g} s",
        hint="let the run finish or close that connection, then try again",
        retryable=True,
    )


def _prune(home: Path, *, keep: Path) -> None:
    """Remove older copies. Who still reads one keeps its open file until it is done."""
    for entry in home.iterdir():
        if entry == keep:
            continue
        if entry.name.startswith(_PARTIAL) and _age(entry) < _LEFTOVER_SECONDS:
            continue
        shutil.rmtree(entry, ignore_errors=True)


def _age(entry: Path) -> float:
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
