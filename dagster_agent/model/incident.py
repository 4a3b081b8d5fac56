"""Symptoms, and the incidents they are grouped into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dagster_agent.model.evidence import Severity


class SymptomKind(StrEnum):
    """How it came to our notice."""

    CHECK_FAILED = "check-failed"
    """An asset check of ours or of the customer's."""
    DBT_TEST_FAILED = "dbt-test-failed"
    RUN_FAILED = "run-failed"
    SCHEMA_CHANGED = "schema-changed"
    """A source gained columns: no trouble, and worth a proposal."""
    QUESTION = "question"
    """A person asked."""
    RUN_STUCK = "run-stuck"
    """A run is queued or going on far beyond its own history, or has missed its deadline."""
    RUN_SILENT = "run-silent"
    """A run ended well and wrote nothing, or not what it always writes."""
    STALE = "stale"
    """A run ended well on old input, wrote the same again, or left out what it had planned."""
    AUTOMATION_SILENT = "automation-silent"
    """A schedule or sensor has stopped ticking, or fails in each tick."""


SILENT_KINDS = frozenset(
    {
        SymptomKind.RUN_STUCK,
        SymptomKind.RUN_SILENT,
        SymptomKind.STALE,
        SymptomKind.AUTOMATION_SILENT,
    }
)
"""Noticed although nothing failed. Such a trouble is over when it is no longer seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that was seen to be wrong."""

    kind: SymptomKind
    """How it was noticed."""
    headline: str
    """One sentence."""
    observed_at: datetime
    """UTC."""
    asset: str | None = None
    """dbt unique id it was seen on; None when a whole run failed or a person asked."""
    check: str | None = None
    """Check or dbt test name."""
    detail: str = ""
    """Redacted tail of the log or the question's text."""
    run_id: str | None = None
    """Dagster run it was seen in."""
    severity: Severity = Severity.ERROR
    """As reported."""
    metrics: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """The numbers that came with it."""
    pair: str | None = None
    """The pair of `check`, as in `Detection.pair`; None where it is not known, as of what was kept
    before pairs had names."""


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RETRYING = "retrying"
    """It may pass by itself: the failed run is tried again, a bounded number of times."""
    INVESTIGATING = "investigating"
    WAITING = "waiting"
    """A person has to decide."""
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


OPEN_STATUSES = frozenset(
    {
        IncidentStatus.OPEN,
        IncidentStatus.RETRYING,
        IncidentStatus.INVESTIGATING,
        IncidentStatus.WAITING,
        IncidentStatus.SNOOZED,
    }
)
"""Statuses in which a further symptom joins the incident instead of opening another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to get over an incident."""

    action: str
    """What was tried: `retry-run`, `apply-change`."""
    what: str
    """In words: which run, which change."""
    at: datetime
    """UTC, when it was begun."""
    result: str = "pending"
    """`succeeded`, `failed: ...`, or `pending`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Symptoms that have one cause as far as we know, told once."""

    id: str
    """`I-` and six hexadecimal digits of the fingerprint and the time it was opened."""
    fingerprint: str
    """Equal for symptoms that are the same trouble again; stable over runs and days."""
    title: str
    """Headline of the symptom nearest to the cause."""
    asset: str | None
    """dbt unique id furthest upstream that is affected: where to begin."""
    symptoms: tuple[Symptom, ...]
    """In the order seen."""
    opened_at: datetime
    """UTC."""
    updated_at: datetime
    """UTC."""
    status: IncidentStatus = IncidentStatus.OPEN
    """Where it stands."""
    snoozed_until: datetime | None = None
    """UTC; only while SNOOZED."""
    attempts: tuple[Attempt, ...] = ()
    """What was tried without a person, oldest first."""
    retry_at: datetime | None = None
    """UTC, when the next retry is due; only while RETRYING and not yet launched."""

    @property
    def assets(self) -> tuple[str, ...]:
        """dbt unique ids of all affected assets, sorted."""
        return tuple(sorted({s.asset for s in self.symptoms if s.asset}))
