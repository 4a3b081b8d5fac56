"""Runs that wait or run far beyond the history of their own job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from dagster_agent.model import Severity, Symptom, SymptomKind
from dagster_agent.quality.freshness.promises import span
from dagster_agent.quality.silence.config import SilenceConfig

_SPREAD, _FACTOR = 3.0, 2.0
"""Stuck is beyond twice the usual longest time, and beyond it by three times the distance between
the usual and the usual longest time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimes:
    """A run with its times."""

    run_id: str
    """Id of the run."""
    job: str
    """What it runs, in words that stay the same from run to run."""
    created_at: datetime
    """When it was queued, UTC."""
    started_at: datetime | None = None
    """When its work began, UTC; None while it waits."""
    ended_at: datetime | None = None
    """UTC; None while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long it may take."""

    limit: timedelta
    """Beyond is stuck."""
    usual: timedelta | None
    """The longest time, one in twenty runs aside; None: untrained."""
    runs: int
    """Earlier runs it was learned from."""


def stuck(
    run: RunTimes,
    history: Sequence[RunTimes],
    config: SilenceConfig,
    now: datetime,
    *,
    waits_for: str = "",
) -> Symptom | None:
    """A run that is queued or going on for far too long; None while it is not.

    Args:
        run: Not ended.
        history: Earlier good runs of the same job.
        config: Limits.
        now: UTC.
        waits_for: What it waits for, in words, as far as that could be seen.
    """
    queued = run.started_at is None
    lasted = now - (run.started_at or run.created_at)
    allowed = limit_of(history, config, queued=queued)
    if lasted <= allowed.limit:
        return None
    did = "has been queued" if queued else "has been running"
    verb = "waited" if queued else "took"
    told = f"{run.job} (run {run.run_id[:8]}) {did} for {span(lasted)}"
    if allowed.usual is None:
        told += f"; untrained: {allowed.runs} of {config.min_runs} earlier good runs are known"
    else:
        told += f"; its last {allowed.runs} good runs {verb} {span(allowed.usual)} as a rule"
    return Symptom(
        kind=SymptomKind.RUN_STUCK,
        headline=f"{told}. {_sentence(waits_for)}",
        observed_at=now,
        check=f"silence/{'queued' if queued else 'running'} {run.job}",
        run_id=run.run_id,
        severity=Severity.ERROR,
        metrics={
            "minutes": round(lasted.total_seconds() / 60, 1),
            "limit_minutes": round(allowed.limit.total_seconds() / 60, 1),
        },
    )


def limit_of(history: Sequence[RunTimes], config: SilenceConfig, *, queued: bool) -> Limit:
    """How long a run may wait, or run, by earlier ones."""
    seconds = sorted(
        max(0.0, (end - begin).total_seconds())
        for run in history
        if run.started_at is not None
        for begin, end in [
            (run.created_at, run.started_at) if queued else (run.started_at, run.ended_at)
        ]
        if end is not None
    )
    if len(seconds) < config.min_runs:
        untrained = (
            timedelta(minutes=config.untrained_queue_minutes)
            if queued
            else timedelta(hours=config.untrained_run_hours)
        )
        return Limit(limit=untrained, usual=None, runs=len(seconds))
    high = seconds[-(-95 * len(seconds) // 100) - 1]
    limit = max(_FACTOR * high, high + _SPREAD * (high - median(seconds)))
    floor = config.min_stuck_minutes * 60
    return Limit(
        limit=timedelta(seconds=max(limit, floor)),
        usual=timedelta(seconds=high),
        runs=len(seconds),
    )


def _sentence(waits_for: str) -> str:
    return f"It waits for {waits_for}" if waits_for else "What it waits for cannot be seen"
