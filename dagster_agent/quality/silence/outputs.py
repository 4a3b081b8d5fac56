"""A run that ended well and did not produce what it had planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dagster_agent.model import Severity, Symptom, SymptomKind

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """What a run that ended well had planned, and what it made."""

    run_id: str
    """Id of the run."""
    job: str
    """What it ran, in words that stay the same from run to run."""
    ended_at: datetime
    """UTC."""
    missing_assets: tuple[str, ...] = ()
    """Asset keys that were planned and not materialised, sorted."""
    missing_checks: tuple[str, ...] = ()
    """`asset key: check` that were planned and have no result, sorted."""
    planned: int = 0
    """Assets and checks that were planned."""
    first_asset: str | None = None
    """dbt unique id of the first missing asset, where it is one of dbt's."""


def check_of(job: str) -> str:
    """Name under which a job's missing outputs are told."""
    return f"silence/outputs {job}"


def missing(production: Production) -> Symptom | None:
    """The outputs that a good run did not make; None where it made all of them."""
    lacking = [
        *(f"asset {key}" for key in production.missing_assets),
        *(f"check {key}" for key in production.missing_checks),
    ]
    if not lacking:
        return None
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return Symptom(
        kind=SymptomKind.STALE,
        headline=f"{production.job} (run {production.run_id[:8]}) ended well, but"
        f" {len(lacking)} of its {production.planned} planned outputs have no result:"
        f" {', '.join(lacking[:_NAMED])}{more}",
        observed_at=production.ended_at,
        asset=production.first_asset,
        check=check_of(production.job),
        run_id=production.run_id,
        severity=Severity.ERROR if production.missing_assets else Severity.WARN,
        metrics={"missing_outputs": float(len(lacking))},
    )
