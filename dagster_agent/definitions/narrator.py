"""`RunNarrator`: the agent's voice in the log of a Dagster run."""

from __future__ import annotations

from collections.abc import Callable


class RunNarrator:
    """Implements `Narrator`: one line per step, which the run page streams as it is written.

    Args:
        log: Writes one line, such as `context.log.info`.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log

    def step(self, what: str, *, why: str, result: str) -> None:
        """Say what was done, why, and what came of it. Redacted."""
        from dagster_agent.privacy.redaction import redact

        self._log(redact(f"[agent] {what} · why: {why} · result: {result}"))
