"""`DbtWorker`: dbt commands, one after the other, in one warm process of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any

import msgspec

from dagster_agent.dbt import worker
from dagster_agent.errors import ConfigError, ConnectorError

_START_SECONDS = 120
_TAIL_BYTES = 4000

_SWITCHES_OF_OTHERS = frozenset(
    {
        "DBT_DEFER",
        "DBT_DEFER_STATE",
        "DBT_EMPTY",
        "DBT_FAIL_FAST",
        "DBT_FAVOR_STATE",
        "DBT_FULL_REFRESH",
        "DBT_QUIET",
        "DBT_SAMPLE",
        "DBT_STATE",
    }
)
"""Environment variables that change what a dbt command does; ours say what they want as options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """What became of one node."""

    unique_id: str
    """dbt unique id of the model, seed, snapshot or test."""
    status: str
    """`success` (built), `pass`, `warn`, `fail` (tests), `error` or `skipped`."""
    message: str
    """dbt's own words."""
    failures: int | None
    """Rows that a test found."""
    seconds: float
    """Wall time."""
    compiled_code: str | None = None
    """SQL that was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtOutcome:
    """What became of one dbt command."""

    success: bool
    """dbt's own verdict: no node failed and the command went through."""
    results: tuple[NodeResult, ...]
    """In the order in which they ended; empty when dbt stopped before."""
    log: str
    """dbt's messages without debug lines, cut to the last few hundred. Not redacted."""
    manifest_path: Path
    """The manifest that the command wrote."""
    error: str = ""
    """Why dbt stopped before it ran nodes (parsing, compilation, connection). Not redacted."""

    def trouble(self) -> str:
        """The first errors and failures, a line each; empty after a success. Not redacted."""
        if self.success:
            return ""
        bad = [r for r in self.results if r.status in ("error", "fail")]
        lines = [f"{r.unique_id}: {' '.join(r.message.split())}" for r in bad[:3]]
        return "\n".join(lines) or self.error or "\n".join(self.log.splitlines()[-5:])


class _Answer(msgspec.Struct):
    ready: bool = False
    success: bool = False
    error: str = ""
    log: list[str] = msgspec.field(default_factory=lambda: list[str]())
    results: list[NodeResult] = msgspec.field(default_factory=lambda: list[NodeResult]())


class DbtWorker:
    """A process that runs dbt commands again and again; the first takes seconds, later ones less.

    It ends with the `with` block on every way out, and when this process dies.

    Args:
        project_dir: Folder of `dbt_project.yml`.
        profiles_dir: Folder of `profiles.yml`.
        target: Target of the profile.
        target_path: Where dbt writes its artifacts; never the customer's own `target/`.
        log_path: Where dbt writes its log.
        timeout_seconds: Longest time one command may take.
        environment: Variables for dbt beside those of this process.
    """

    def __init__(
        self,
        *,
        project_dir: Path,
        profiles_dir: Path,
        target: str,
        target_path: Path,
        log_path: Path,
        timeout_seconds: float = 600,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = dict(environment or {})
        self._project_dir = project_dir
        self._target_path = target_path
        self._timeout_seconds = timeout_seconds
        self._options = (
            *("--project-dir", str(project_dir)),
            *("--profiles-dir", str(profiles_dir)),
            *("--target", target),
            *("--target-path", str(target_path)),
            *("--log-path", str(log_path)),
            *("--log-level-file", "none"),
            "--quiet",
            "--no-use-colors",
            "--no-fail-fast",
            "--no-send-anonymous-usage-stats",
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self._pump: threading.Thread | None = None
        self._printed: IO[bytes] | None = None
        self._ready = False

    def __enter__(self) -> DbtWorker:
        """Start the process; it imports dbt while the caller goes on."""
        self._printed = TemporaryFile()  # lives as long as the process
        self._process = subprocess.Popen(
            # -P: no file of the working directory may stand in for a module
            [sys.executable, "-P", worker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=self._project_dir,
            env={**_environment(os.environ), **self._environment},
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle
        )
        self._pump = threading.Thread(
            target=_pump, args=(self._process.stdout, self._answers), daemon=True
        )
        self._pump.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, at once and in any state."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if self._pump is not None:
                self._pump.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # unsent bytes for a process that is gone
                        pipe.close()
        if self._printed is not None:
            self._printed.close()

    def run(self, args: Sequence[str]) -> DbtOutcome:
        """Run one dbt command.

        Args:
            args: Command and its own options, such as `["build", "--select", "fct_orders+"]`.

        Returns:
            Its outcome; a failed model or test is an outcome, no error.

        Raises:
            ConfigError: dbt is not installed.
            ConnectorError: It took too long, or the process died; with the end of what it printed.
        """
        if not self._ready:
            self._await_start()
        self._send({"args": [*args, *self._options]})
        answer = self._receive(self._timeout_seconds, what=f"dbt {args[0]}")
        return DbtOutcome(
            success=answer.success,
            results=tuple(answer.results),
            log="\n".join(answer.log),
            manifest_path=self._target_path / "manifest.json",
            error=answer.error,
        )

    def _await_start(self) -> None:
        answer = self._receive(_START_SECONDS, what="the start of dbt")
        if not answer.ready:
            raise ConfigError(
                f"dbt cannot be imported in {sys.executable}: {answer.error}",
                hint="install dbt-core and the adapter of your warehouse in this environment",
            )
        self._ready = True

    def _send(self, message: Mapping[str, Any]) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin is None:
            raise ConnectorError("the dbt process is closed", hint="open the worker first")
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()
        except OSError:
            raise self._died("dbt") from None

    def _receive(self, timeout_seconds: float, *, what: str) -> _Answer:
        try:
            line = self._answers.get(timeout=timeout_seconds)
        except Empty:
            tail = self._tail()
            self.close()
            raise ConnectorError(
                f"{what} did not end within {timeout_seconds:g} seconds and was stopped{tail}",
                hint="look for a lock on the warehouse, or allow more time",
                retryable=True,
            ) from None
        if not line:
            raise self._died(what)
        return msgspec.json.decode(line, type=_Answer)

    def _died(self, what: str) -> ConnectorError:
        code: int | None = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=5)
        tail = self._tail()
        self.close()
        return ConnectorError(
            f"the dbt process died during {what} (exit code {code}){tail}",
            hint="run the same dbt command by hand in the project",
        )

    def _tail(self) -> str:
        if self._printed is None or self._printed.closed:
            return ""
        self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, self._printed.tell() - _TAIL_BYTES))
        text = self._printed.read().decode(errors="replace").strip()
        return f": {text}" if text else ""


def _pump(pipe: IO[bytes] | None, answers: SimpleQueue[bytes]) -> None:
    for line in pipe or ():
        answers.put(line)
    answers.put(b"")


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in inherited.items() if name not in _SWITCHES_OF_OTHERS}
    return {**kept, "PYTHONUTF8": "1", "DO_NOT_TRACK": "1"}
