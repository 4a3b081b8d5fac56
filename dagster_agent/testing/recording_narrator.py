"""`RecordingNarrator`: a `Narrator` whose lines a test can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line that was said."""

    what: str
    """What was done."""
    why: str
    """Why."""
    result: str
    """What came of it."""


class RecordingNarrator:
    """Implements `ports.Narrator`; `steps` holds what was said, in order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, what: str, *, why: str, result: str) -> None:
        """See `Narrator`."""
        self.steps.append(Step(what=what, why=why, result=result))
