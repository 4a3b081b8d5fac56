"""`DbtWorker`: dbt commands, one after the other, in a warm process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from dagster_agent.dbt.process import DbtProcess, hand_back, take
from dagster_agent.errors import ConfigError, ConnectorError

_START_SECONDS = 120

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
    """dbt commands in a warm process, for as long as the `with` block lasts.

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
        self._environment = _environment({**os.environ, **(environment or {})})
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
        self._process: DbtProcess | None = None

    def __enter__(self) -> DbtWorker:
        """Take or start the process; a new one imports dbt while the caller goes on."""
        self._process = take(self._environment)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hand the process back, or end it at once when it is at work."""
        process, self._process = self._process, None
        if process is not None:
            hand_back(process)

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
        if self._process is None:
            raise ConnectorError("the dbt process is closed", hint="open the worker first")
        try:
            answer = self._answer(self._process, [*args, *self._options])
        except ConnectorError:
            self._process = None  # it is gone
            raise
        return DbtOutcome(
            success=answer.success,
            results=tuple(answer.results),
            log="\n".join(answer.log),
            manifest_path=self._target_path / "manifest.json",
            error=answer.error,
        )

    def _answer(self, process: DbtProcess, args: list[str]) -> _Answer:
        if not process.started:
            _await_start(process)
        process.ask(args, folder=self._project_dir, environment=self._environment)
        line = process.receive(self._timeout_seconds, what=f"dbt {args[0]}")
        return msgspec.json.decode(line, type=_Answer)


def _await_start(process: DbtProcess) -> None:
    line = process.receive(_START_SECONDS, what="the start of dbt")
    answer = msgspec.json.decode(line, type=_Answer)
    if not answer.ready:
        process.kill()
        raise ConfigError(
            f"dbt cannot be imported in {sys.executable}: {answer.error}",
            hint="install dbt-core and the adapter of your warehouse in this environment",
        )


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in inherited.items() if name not in _SWITCHES_OF_OTHERS}
    return {**kept, "PYTHONUTF8": "1", "DO_NOT_TRACK": "1"}
