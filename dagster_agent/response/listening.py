"""A narrator that listens: after each step it asks whether a person has said something."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.ports import Narrator
from dagster_agent.response.steering import heard
from dagster_agent.response.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningNarrator:
    """Implements `Narrator`. A hint is kept with the incident, `stop` ends the investigation."""

    narrator: Narrator
    """Tells the steps."""
    workspace: Workspace
    """Where messages arrive."""
    investigation_id: str
    """Whose messages."""

    def step(self, what: str, *, why: str, result: str) -> None:
        """Tell a step, then listen.

        Raises:
            InvestigationStopped: Somebody said stop.
        """
        self.narrator.step(what, why=why, result=result)
        heard(self.workspace, self.investigation_id, self.narrator)
