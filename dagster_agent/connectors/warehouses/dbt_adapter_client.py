"""`AdapterProcess`: a dbt adapter in a process of its own, from the parent's side."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_agent.errors import ConnectorError

_MODULE = "dagster_agent.connectors.warehouses.dbt_adapter_process"
_START_SECONDS = 60.0
"""Loading dbt and an adapter takes 3 to 8 seconds."""


class AdapterError(Exception):
    """What the adapter said.

    Args:
        message: Its words.
        state: The driver's SQLSTATE; empty where it has none.
    """

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.sqlstate = state


class AdapterProcess:
    """One statement at a time; not safe for threads.

    Args:
        output: The rendered target of profiles.yml.
        dialect: sqlglot's name of its SQL.
        directory: Where relative paths of the target start.
        name: The warehouse's name, for errors.
    """

    def __init__(
        self, output: Mapping[str, Any], *, dialect: str, directory: Path, name: str
    ) -> None:
        self._name = name
        ours, theirs = multiprocessing.Pipe()
        self._connection: Any = ours
        # what it prints may hold values of the customer's: it is kept nowhere
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=directory if directory.is_dir() else tempfile.gettempdir(),
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            start_new_session=True,
        )
        theirs.close()
        try:
            self._ask((dict(output), dialect), seconds=_START_SECONDS)
        except BaseException:
            self.close()
            raise

    def head(self, sql: str, *, chunk: int, seconds: float) -> tuple[list[str], list[str]]:
        """Send a guarded statement; names and the adapter's type names of the result.

        Raises:
            AdapterError: The warehouse refused it.
            ConnectorError: It took too long, or the process ended; it is closed then.
        """
        _, names, types = self._ask(("query", sql, chunk), seconds=seconds)
        return names, types

    def rows(self, *, seconds: float) -> list[tuple[Any, ...]]:
        """The next chunk; empty at the end. Errors as `head`."""
        answer = self._ask(("next",), seconds=seconds)
        return answer[1] if answer[0] == "rows" else []

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def closed(self) -> bool:
        """Whether a new one is needed."""
        return self._connection.closed or self._process.poll() is not None

    def _ask(self, request: tuple[Any, ...], *, seconds: float) -> tuple[Any, ...]:
        try:
            self._connection.send(request)
            answer = self._answer(seconds)
        except (EOFError, OSError):
            self.close()
            raise ConnectorError(
                f"{self._name}: the process of the dbt adapter has ended",
                hint="try again; if it ends again, run `dbt debug` with the same target",
                retryable=True,
            ) from None
        except BaseException:  # the next answer would be the one to this request
            self.close()
            raise
        if answer[0] == "error":
            raise AdapterError(str(answer[1]), str(answer[2]))
        return answer

    def _answer(self, seconds: float) -> tuple[Any, ...]:
        if self._connection.poll(seconds):
            return self._connection.recv()
        raise ConnectorError(
            f"{self._name}: the statement was interrupted after {seconds:g} s",
            hint="raise `statement_seconds`, or narrow the statement",
        )


def adapter_installed(kind: str) -> bool:
    """Whether the package of a dbt adapter can be imported. Imports nothing of it."""
    if not kind.isidentifier():
        return False
    try:
        return importlib.util.find_spec(f"dbt.adapters.{kind}") is not None
    except ModuleNotFoundError:
        return False
