# ruff: noqa: PTH108, PTH110, PTH116, PTH118, PTH119, PTH123
"""Run as a script: copies a DuckDB file, if nobody writes to it, and prints what came of it.

It takes no lock, only asks for it, because a lock of ours would make a dbt run fail. It prints one
line: `stamp <state that was copied>`, `busy <pid of the writer>`, `changed`, or `error <message>`.

It starts many times while a dbt run is awaited; importing pathlib would double its start-up time.
"""

from __future__ import annotations

import os
import struct
import sys
import time

SIDECARS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""Files beside the database that hold committed rows not yet merged into it."""
_SETTLE_SECONDS = 0.02
"""File times tick in steps of up to 10 ms: a file older than this shows its next write."""
_FLOCK = {"linux": ("hhqqi0q", 4, 0), "darwin": ("qqihh", 2, 3)}
"""By platform: layout of `struct flock`, index of the holder's pid and of the lock's type."""
_BLOCK = 1 << 30


def stamp_of(original: str) -> str:
    """A short text that changes whenever the database or a file beside it does. Opens nothing.

    Raises:
        FileNotFoundError: The database does not exist.
    """
    main = os.stat(original)
    parts = [f"{main.st_ino:x}-{main.st_mtime_ns:x}-{main.st_size:x}"]
    for number, suffix in enumerate(SIDECARS):
        try:
            beside = os.stat(original + suffix)
        except FileNotFoundError:
            continue
        parts.append(f"{number}-{beside.st_mtime_ns:x}-{beside.st_size:x}")
    return "_".join(parts)


def attempt(original: str, folder: str) -> str:
    """Copy the database and the files beside it into `folder`; the line to print."""
    with open(original, "rb") as source:
        holder = _writer(source.fileno())
        if holder is not None:
            return f"busy {holder}"
        age = time.time() - os.fstat(source.fileno()).st_mtime
        if 0 <= age < _SETTLE_SECONDS:
            time.sleep(_SETTLE_SECONDS - age)
        before = stamp_of(original)
        for suffix in ("", *SIDECARS):
            copy = os.path.join(folder, os.path.basename(original) + suffix)
            if os.path.exists(copy):
                os.unlink(copy)
            if os.path.exists(original + suffix):
                _copy(original + suffix, copy)
        holder = _writer(source.fileno())
        if holder is not None:
            return f"busy {holder}"
        return f"stamp {before}" if stamp_of(original) == before else "changed"


def _copy(original: str, copy: str) -> None:
    """Let the kernel copy (btrfs and XFS then share the blocks), else do it by hand."""
    with open(original, "rb") as source, open(copy, "wb") as target:
        if sys.platform == "linux":
            try:
                while os.copy_file_range(source.fileno(), target.fileno(), _BLOCK):
                    pass
            except OSError:
                source.seek(0)
                target.seek(0)
                target.truncate()
            else:
                return
        while block := source.read(1 << 20):
            target.write(block)


def _writer(descriptor: int) -> int | None:
    """Pid of the process that holds a write lock (0 when unknown), None when nobody does."""
    if sys.platform not in _FLOCK:
        return None  # other systems do not let a file be read that is locked
    import fcntl

    layout, pid_at, type_at = _FLOCK[sys.platform]
    fields = [0] * 5
    fields[type_at] = fcntl.F_RDLCK
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(layout, *fields))
    values = struct.unpack(layout, answer)
    return None if values[type_at] == fcntl.F_UNLCK else max(int(values[pid_at]), 0)


if __name__ == "__main__":
    try:
        sys.stdout.write(attempt(sys.argv[1], sys.argv[2]))
    except OSError as problem:
        sys.stdout.write(f"error {problem}")
