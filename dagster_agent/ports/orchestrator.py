"""`Orchestrator`: what an investigation reads of the runs behind an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
