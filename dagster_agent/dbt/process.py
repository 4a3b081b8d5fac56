"""`DbtProcess`: a process that runs dbt, kept warm for whoever needs one next.

The import of dbt and its first command cost five seconds (dbt writes code for its own classes as
it goes), later commands a few tenths. So a process that has worked without trouble waits a minute
for the next user, one at most; then it ends. It has let go of every file and connection by then,
and the next user's folder and environment come with each request.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from typing import IO, Any, cast

from dagster_agent.dbt import worker
from dagster_agent.errors import ConnectorError

_REST_SECONDS = 60
"""How long a process waits for its next user."""
_WAKE_SECONDS = 5
_REQUESTS = 40
"""What one process serves at most: dbt's memory grows by a few MB with each."""
_TAIL_BYTES = 4000
_READ_AT_START = ("PYTHON", "DBT_", "LD_")
"""Variables that a process reads when it starts, by how they begin: another value, another one."""


class DbtProcess:
    """A started process; it imports dbt while the caller goes on.

    Args:
        environment: All of its variables.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._printed = TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.popen = subprocess.Popen(
            # -P: no file of the working directory may stand in for a module
            [sys.executable, "-P", worker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=os.sep,
            env=self._environment,
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle
        )
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self._pump = threading.Thread(
            target=_pump, args=(self.popen.stdout, self._answers), daemon=True
        )
        self._pump.start()
        self._waits = False
        self._requests = 0
        self._printed_before = 0

    @property
    def started(self) -> bool:
        """Whether it has said that it is ready."""
        return self._waits or self._requests > 0

    @property
    def reusable(self) -> bool:
        """Whether it has answered all that it was asked, and not too often."""
        return self._waits and self._requests < _REQUESTS

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Whether it would have started alike with these variables."""
        return _at_start(self._environment) == _at_start(environment)

    def ask(self, args: list[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        """Send a command; its answer is `receive`'s.

        Raises:
            ConnectorError: The process has died.
        """
        self._waits = False
        self._requests += 1
        request = {"args": args, "folder": str(folder), "environment": dict(environment)}
        self._send(request, what=f"dbt {args[0]}")

    def receive(self, seconds: float, *, what: str) -> bytes:
        """The next answer, a line of JSON.

        Args:
            seconds: To wait; the process is killed when they are over.
            what: What is waited for, for the errors.

        Raises:
            ConnectorError: It took too long, or the process died.
        """
        try:
            line = self._answers.get(timeout=seconds)
        except Empty:
            tail = self._tail()
            self.kill()
            raise ConnectorError(
                f"{what} did not end within {seconds:g} seconds and was stopped{tail}",
                hint="look for a lock on the warehouse, or allow more time",
                retryable=True,
            ) from None
        if not line:
            raise self._died(what)
        self._waits = True
        return line

    def rest(self) -> None:
        """Let it wait for its next user, and end when there is none."""
        self._send({"rest": _REST_SECONDS}, what="its rest")

    def wake(self) -> bool:
        """Whether it is still there, and ready."""
        self._printed_before = os.fstat(self._printed.fileno()).st_size
        try:
            self._send({}, what="its start")
            self.receive(_WAKE_SECONDS, what="its start")
        except ConnectorError:
            return False
        return True

    def kill(self) -> None:
        """End it, at once and in any state."""
        self._waits = False
        self.popen.kill()
        self.popen.wait()
        self._pump.join()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unsent bytes for a process that is gone
                    pipe.close()
        self._printed.close()

    def _send(self, message: Mapping[str, Any], *, what: str) -> None:
        stdin = cast("IO[bytes]", self.popen.stdin)
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError):  # ValueError: closed by `kill`
            raise self._died(what) from None

    def _died(self, what: str) -> ConnectorError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=5)
        code, tail = self.popen.returncode, self._tail()
        self.kill()
        return ConnectorError(
            f"the dbt process died during {what} (exit code {code}){tail}",
            hint="run the same dbt command by hand in the project",
        )

    def _tail(self) -> str:
        """The end of what was printed since its present user came."""
        if self._printed.closed:
            return ""
        end = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(self._printed_before, end - _TAIL_BYTES))
        text = self._printed.read().decode(errors="replace").strip()
        return f": {text}" if text else ""


class _Waiting:
    """The one process that waits for its next user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: DbtProcess | None = None

    def swap(self, process: DbtProcess | None) -> DbtProcess | None:
        with self._lock:
            before, self._process = self._process, process
        return before

    def forget(self) -> None:
        """In a fork of this process: it is the parent's, and the lock may be held."""
        self._lock = threading.Lock()
        self._process = None


_WAITING = _Waiting()


def take(environment: Mapping[str, str]) -> DbtProcess:
    """The warm process if one waits, else a new one.

    Args:
        environment: All of its variables.
    """
    process = _WAITING.swap(None)
    if process is not None:
        if process.suits(environment) and process.wake():
            return process
        process.kill()
    return DbtProcess(environment)


def hand_back(process: DbtProcess) -> None:
    """Keep a process that works for the next user; end any other."""
    if process.reusable:
        try:
            process.rest()
        except ConnectorError:
            return
        before = _WAITING.swap(process)
    else:
        before = process
    if before is not None:
        before.kill()


def end_waiting() -> None:
    """End the process that waits, if there is one."""
    process = _WAITING.swap(None)
    if process is not None:
        process.kill()


atexit.register(end_waiting)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_WAITING.forget)


def _pump(pipe: IO[bytes] | None, answers: SimpleQueue[bytes]) -> None:
    for line in pipe or ():
        answers.put(line)
    answers.put(b"")


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}
