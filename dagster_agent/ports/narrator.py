"""`Narrator`: the one voice in which the agent says what it does."""

from __future__ import annotations

from typing import Protocol


class Narrator(Protocol):
    """Receives one line per step. In a Dagster run it is the run's log, in a shell the terminal."""

    def step(self, what: str, *, why: str, result: str) -> None:
        """Say what was done, why, and what came of it. Texts are redacted by the receiver."""
        ...
