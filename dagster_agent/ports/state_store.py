"""`StateStore`: what the agent remembers between runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from dagster_agent.model import (
    AuditRecord,
    Baseline,
    Decision,
    Detection,
    Finding,
    Incident,
    Lease,
    MetricPoint,
)


class StateStore(Protocol):
    """Durable, transactional state. Safe for many processes at once.

    `now` is always passed in (UTC). Errors: `ConnectorError`.
    """

    # incidents -------------------------------------------------------------------------------
    def save_incident(self, incident: Incident) -> None:
        """Insert, or replace by id."""
        ...

    def incident(self, incident_id: str) -> Incident | None:
        """By id."""
        ...

    def open_incident(self, fingerprint: str) -> Incident | None:
        """The incident of that fingerprint whose status is one of `OPEN_STATUSES`."""
        ...

    def incidents(self, *, open_only: bool = False) -> Sequence[Incident]:
        """Newest first, by `opened_at` then id."""
        ...

    # findings and decisions ------------------------------------------------------------------
    def save_finding(self, finding: Finding) -> None:
        """Insert, or replace by id."""
        ...

    def finding(self, finding_id: str) -> Finding | None:
        """By id."""
        ...

    def findings(self, *, asset: str | None = None, open_only: bool = False) -> Sequence[Finding]:
        """Newest first. Open are OPEN, APPROVED (until resolved) and SNOOZED findings."""
        ...

    def add_decision(self, decision: Decision) -> None:
        """Append."""
        ...

    def decisions(self, finding_id: str | None = None) -> Sequence[Decision]:
        """Oldest first."""
        ...

    # detections, baselines, metric history ---------------------------------------------------
    def save_detection(self, detection: Detection) -> None:
        """Keep as the latest of its asset and detector, and in the history."""
        ...

    def latest_detection(self, asset: str, detector: str) -> Detection | None:
        """The newest result of that detector on that asset."""
        ...

    def save_baseline(self, baseline: Baseline) -> None:
        """Accept; earlier baselines of the asset stay in the history."""
        ...

    def baseline(self, asset: str) -> Baseline | None:
        """The newest accepted baseline."""
        ...

    def add_metrics(self, points: Sequence[MetricPoint]) -> None:
        """Append; a point of the same asset, metric and time replaces the earlier one."""
        ...

    def metric_history(self, asset: str, metric: str, *, limit: int = 400) -> Sequence[MetricPoint]:
        """The newest `limit` points, oldest first."""
        ...

    # stages of an investigation --------------------------------------------------------------
    def save_stage(self, investigation: str, stage: str, payload: bytes) -> None:
        """Keep what one station of an investigation hands to the next (JSON)."""
        ...

    def stage(self, investigation: str, stage: str) -> bytes | None:
        """What that station handed over."""
        ...

    # cursors and small facts -----------------------------------------------------------------
    def put(self, key: str, value: Any) -> None:
        """Keep a small JSON value under a key."""
        ...

    def get(self, key: str) -> Any:
        """The value, or None."""
        ...

    # leases ----------------------------------------------------------------------------------
    def acquire_lease(
        self, name: str, *, holder: str, ttl: timedelta, now: datetime
    ) -> Lease | None:
        """The lease, or None while somebody else's has not expired. Renews one's own."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give it back; a lease that was lost meanwhile is left alone."""
        ...

    def leases(self, *, now: datetime) -> Sequence[Lease]:
        """Those not expired, by name."""
        ...

    # audit -----------------------------------------------------------------------------------
    def append_audit(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        allowed: bool,
        detail: dict[str, Any],
    ) -> AuditRecord:
        """Append one record, chained to the one before by its hash."""
        ...

    def audit(self) -> Sequence[AuditRecord]:
        """All records in sequence."""
        ...
