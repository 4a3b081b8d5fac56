"""`RunNarrator`: the agent's voice in the log of a Dagster run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dagster_agent.definitions.redacting import redacted


class RunNarrator:
    """Implements `Narrator`: one line per step, which the run page streams as it is written.

    Args:
        log: Writes one line, such as `context.log.info`.
        secrets: Values that must not appear in it.
    """

    def __init__(self, log: Callable[[str], None], secrets: Sequence[str] = ()) -> None:
        self._log = log
        self._secrets = secrets

    def step(self, what: str, *, why: str, result: str) -> None:
        """Say what was done, why, and what came of it. Redacted.

        What begins with a voice of its own, such as `[human]`, keeps it.
        """
        voice = "" if what.startswith("[human] ") else "[agent] "
        line = f"{voice}{what} · why: {why} · result: {result}"
        self._log(redacted(line, self._secrets))
