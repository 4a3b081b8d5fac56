"""`Orchestrator`: what an investigation reads of the runs behind an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dagster_agent.model import Symptom


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of one run."""

    run_id: str
    """Id of the run."""
    job: str
    """Job name."""
    succeeded: bool
    """Whether it ended well."""
    started_at: datetime | None
    """UTC."""
    ended_at: datetime | None
    """UTC."""
    log_tail: str
    """Redacted end of the failed step's output; empty for a good run."""


class Orchestrator(Protocol):
    """Dagster, or nothing at all for the command line. Never raises on a vanished run: None."""

    def run(self, run_id: str) -> RunFacts | None:
        """Facts of one run, or None when it is gone."""
        ...

    def last_good_materialization(self, asset: str, *, before: datetime) -> datetime | None:
        """When the dbt asset was last built without a failed check, before that moment (UTC)."""
        ...

    def recovered(self, symptom: Symptom) -> bool:
        """Whether what failed then has succeeded since: the test passes, the asset was built."""
        ...

    def earlier_runs(self, run_id: str, *, limit: int) -> Sequence[RunFacts]:
        """Runs of the same job that ended before that one began, newest first; retries left out."""
        ...
