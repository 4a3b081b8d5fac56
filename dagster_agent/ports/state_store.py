"""`StateStore`: what the agent remembers between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

KEPT_POINTS = 400
"""Newest points of a metric that `prune` leaves, however old: what `metric_history` gives."""


class StateStore(Protocol):
    """Durable, transactional state. Safe for many processes at once.

    `now` is always passed in (UTC). Errors: `ConnectorError`; retryable while the database is away.
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
        """Keep as the latest of its asset, detector and pair, and in the history."""
        ...

    def latest_detection(self, asset: str, detector: str, *, pair: str = "") -> Detection | None:
        """The newest result of that detector on that asset; of several pairs, on that pair."""
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

    def metric_history(
        self, asset: str, metric: str, *, limit: int = KEPT_POINTS
    ) -> Sequence[MetricPoint]:
        """The newest `limit` points, oldest first."""
        ...

    def metric_histories(
        self, asset: str, *, limit: int = KEPT_POINTS
    ) -> Mapping[str, Sequence[MetricPoint]]:
        """`metric_history` of every metric of the asset, by name, in one read."""
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

    def append(self, prefix: str, value: Any) -> str:
        """Keep a small JSON value under the next free key of `<prefix>/1`, `<prefix>/2`, ...

        Two processes never get the same key, and a key is never given twice.

        Returns:
            The key, for `get`.
        """
        ...

    def entries(self, prefix: str) -> Mapping[str, Any]:
        """All values kept below `<prefix>/`, by key; `<prefix>/10` comes after `<prefix>/9`."""
        ...

    # leases ----------------------------------------------------------------------------------
    def acquire_lease(
        self, name: str, *, holder: str, ttl: timedelta, now: datetime
    ) -> Lease | None:
        """The lease, or None while somebody else's has not expired.

        Renews one's own under the same token. One's own that had expired is taken anew, with a
        greater token: somebody else may have held it meanwhile.
        """
        ...

    def holds(self, lease: Lease, *, now: datetime) -> bool:
        """Whether that token is still good: not expired, given back or taken over.

        The fence: ask right before a write, with the moment of the write as `now`. A renewal in
        another process counts.
        """
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

    def audit(
        self, *, after: int = 0, limit: int | None = None, since: datetime | None = None
    ) -> Sequence[AuditRecord]:
        """Records in sequence; read the log in pages, it only grows.

        A record that somebody has damaged by hand comes back as well as it can be read, and never
        with the right hash.

        Args:
            after: Only those with a greater sequence number.
            limit: At most so many. None: all.
            since: Only those of that moment or later.
        """
        ...

    def audit_head(self) -> tuple[int, str]:
        """Sequence number and hash of the newest record, as counted when it was written.

        `(0, "")` before the first. It is kept apart from the records, so that it still names a
        record that was removed from their end.
        """
        ...

    # housekeeping ----------------------------------------------------------------------------
    def prune(self, *, before: datetime) -> int:
        """Remove the history that nothing reads any more; call it now and then.

        Goes: detections observed earlier, but for the latest of each asset, detector and pair;
        metric points of an earlier moment, but for the newest `KEPT_POINTS` of each metric; the
        stages of investigations that have neither written one since nor held a lease. Stays:
        everything else, above all the audit log, findings, decisions, incidents and baselines.

        Returns:
            How many rows were removed.
        """
        ...
