"""`MemoryStore`: a `StateStore` that lives as long as its process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_agent.connectors.state_stores import codec
from dagster_agent.connectors.state_stores.audit_chain import sealed
from dagster_agent.connectors.state_stores.keys import folder_of, in_order
from dagster_agent.model import (
    OPEN_STATUSES,
    AuditRecord,
    Baseline,
    Decision,
    Detection,
    Finding,
    FindingStatus,
    Incident,
    Lease,
    MetricPoint,
)
from dagster_agent.ports.state_store import KEPT_POINTS

_CLOSED_FINDINGS = {FindingStatus.REJECTED, FindingStatus.RESOLVED}


class MemoryStore:
    """Implements `ports.StateStore` for one thread.

    Args:
        incidents: What it remembers already.
        findings: What it remembers already.
    """

    def __init__(
        self, *, incidents: Iterable[Incident] = (), findings: Iterable[Finding] = ()
    ) -> None:
        self._incidents = {incident.id: incident for incident in incidents}
        self._findings = {finding.id: finding for finding in findings}
        self._decisions: list[Decision] = []
        self._detections: list[Detection] = []
        self._baselines: list[Baseline] = []
        self._metrics: dict[tuple[str, str], dict[datetime, MetricPoint]] = {}
        self._stages: dict[str, dict[str, bytes]] = {}
        self._staged_at: dict[str, datetime] = {}
        self._facts: dict[str, str] = {}
        self._counters: dict[str, int] = {}
        self._leases: dict[str, Lease] = {}
        self._tokens: dict[str, int] = {}
        self._audit: list[AuditRecord] = []

    def save_incident(self, incident: Incident) -> None:
        """See `StateStore`."""
        self._incidents[incident.id] = incident

    def incident(self, incident_id: str) -> Incident | None:
        """See `StateStore`."""
        return self._incidents.get(incident_id)

    def open_incident(self, fingerprint: str) -> Incident | None:
        """See `StateStore`."""
        found = (i for i in self.incidents(open_only=True) if i.fingerprint == fingerprint)
        return next(found, None)

    def incidents(self, *, open_only: bool = False) -> Sequence[Incident]:
        """See `StateStore`."""
        found = [i for i in self._incidents.values() if not open_only or i.status in OPEN_STATUSES]
        return sorted(found, key=lambda i: (i.opened_at, i.id), reverse=True)

    def save_finding(self, finding: Finding) -> None:
        """See `StateStore`."""
        self._findings[finding.id] = finding

    def finding(self, finding_id: str) -> Finding | None:
        """See `StateStore`."""
        return self._findings.get(finding_id)

    def findings(self, *, asset: str | None = None, open_only: bool = False) -> Sequence[Finding]:
        """See `StateStore`."""
        found = [
            finding
            for finding in self._findings.values()
            if (asset is None or finding.report.asset == asset)
            and not (open_only and finding.status in _CLOSED_FINDINGS)
        ]
        return sorted(found, key=lambda f: (f.created_at, f.id), reverse=True)

    def add_decision(self, decision: Decision) -> None:
        """See `StateStore`."""
        self._decisions.append(decision)

    def decisions(self, finding_id: str | None = None) -> Sequence[Decision]:
        """See `StateStore`."""
        found = [d for d in self._decisions if finding_id in (None, d.finding_id)]
        return sorted(found, key=lambda d: d.decided_at)

    def save_detection(self, detection: Detection) -> None:
        """See `StateStore`."""
        self._detections.append(detection)

    def latest_detection(self, asset: str, detector: str, *, pair: str = "") -> Detection | None:
        """See `StateStore`."""
        apart = (asset, detector, pair)
        found = [d for d in self._detections if (d.asset, d.detector, d.pair) == apart]
        return max(reversed(found), key=lambda d: d.observed_at, default=None)

    def save_baseline(self, baseline: Baseline) -> None:
        """See `StateStore`."""
        self._baselines.append(baseline)

    def baseline(self, asset: str) -> Baseline | None:
        """See `StateStore`."""
        found = [b for b in self._baselines if b.asset == asset]
        return max(reversed(found), key=lambda b: b.accepted_at, default=None)

    def add_metrics(self, points: Sequence[MetricPoint]) -> None:
        """See `StateStore`."""
        for point in points:
            self._metrics.setdefault((point.asset, point.metric), {})[point.at] = point

    def metric_history(
        self, asset: str, metric: str, *, limit: int = KEPT_POINTS
    ) -> Sequence[MetricPoint]:
        """See `StateStore`."""
        points = sorted(self._metrics.get((asset, metric), {}).values(), key=lambda p: p.at)
        return points[-limit:] if limit else []

    def metric_histories(
        self, asset: str, *, limit: int = KEPT_POINTS
    ) -> Mapping[str, Sequence[MetricPoint]]:
        """See `StateStore`."""
        names = sorted(metric for owner, metric in self._metrics if owner == asset)
        return {name: self.metric_history(asset, name, limit=limit) for name in names}

    def save_stage(self, investigation: str, stage: str, payload: bytes) -> None:
        """See `StateStore`."""
        self._stages.setdefault(investigation, {})[stage] = payload
        self._staged_at[investigation] = datetime.now(UTC)

    def stage(self, investigation: str, stage: str) -> bytes | None:
        """See `StateStore`."""
        return self._stages.get(investigation, {}).get(stage)

    def put(self, key: str, value: Any) -> None:
        """See `StateStore`."""
        self._facts[key] = codec.encode(value)

    def get(self, key: str) -> Any:
        """See `StateStore`."""
        return json.loads(self._facts[key]) if key in self._facts else None

    def append(self, prefix: str, value: Any) -> str:
        """See `StateStore`."""
        folder = folder_of(prefix)
        while True:
            self._counters[folder] = self._counters.get(folder, 0) + 1
            key = f"{folder}{self._counters[folder]}"
            if key not in self._facts:
                self.put(key, value)
                return key

    def entries(self, prefix: str) -> Mapping[str, Any]:
        """See `StateStore`."""
        inside = (key for key in self._facts if key.startswith(folder_of(prefix)))
        return {key: self.get(key) for key in sorted(inside, key=in_order)}

    def acquire_lease(
        self, name: str, *, holder: str, ttl: timedelta, now: datetime
    ) -> Lease | None:
        """See `StateStore`."""
        held = self._leases.get(name)
        if held is None or held.expires_at <= now:
            self._tokens[name] = self._tokens.get(name, 0) + 1
        elif held.holder != holder:
            return None
        lease = Lease(name=name, holder=holder, token=self._tokens[name], expires_at=now + ttl)
        self._leases[name] = lease
        return lease

    def holds(self, lease: Lease, *, now: datetime) -> bool:
        """See `StateStore`."""
        held = self._leases.get(lease.name)
        return held is not None and _same(held, lease) and held.expires_at > now

    def release_lease(self, lease: Lease) -> None:
        """See `StateStore`."""
        held = self._leases.get(lease.name)
        if held and _same(held, lease):
            del self._leases[lease.name]

    def leases(self, *, now: datetime) -> Sequence[Lease]:
        """See `StateStore`."""
        return sorted((i for i in self._leases.values() if i.expires_at > now), key=_name)

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
        """See `StateStore`."""
        record = AuditRecord(
            sequence=len(self._audit) + 1,
            at=at.astimezone(UTC),
            actor=actor,
            action=action,
            subject=subject,
            allowed=allowed,
            detail=codec.plain(detail),
            previous_hash=self._audit[-1].hash if self._audit else "",
        )
        self._audit.append(sealed(record))
        return self._audit[-1]

    def audit(
        self, *, after: int = 0, limit: int | None = None, since: datetime | None = None
    ) -> Sequence[AuditRecord]:
        """See `StateStore`."""
        found = [r for r in self._audit[after:] if since is None or r.at >= since]
        return tuple(found[:limit])

    def audit_head(self) -> tuple[int, str]:
        """See `StateStore`."""
        return (self._audit[-1].sequence, self._audit[-1].hash) if self._audit else (0, "")

    def prune(self, *, before: datetime) -> int:
        """See `StateStore`."""
        size = self._history_size()
        self._detections = [
            d
            for d in self._detections
            if d.observed_at >= before
            or d is self.latest_detection(d.asset, d.detector, pair=d.pair)
        ]
        for (asset, metric), points in self._metrics.items():
            kept = {p.at for p in self.metric_history(asset, metric)}
            old = [at for at in points if at < before and at not in kept]
            for at in old:
                del points[at]
        at_it = {i.holder for i in self._leases.values() if i.expires_at >= before}
        for investigation, staged_at in list(self._staged_at.items()):
            if staged_at < before and investigation not in at_it:
                del self._stages[investigation], self._staged_at[investigation]
        return size - self._history_size()

    def _history_size(self) -> int:
        counted = (*self._metrics.values(), *self._stages.values())
        return len(self._detections) + sum(len(items) for items in counted)

    def close(self) -> None:
        """Nothing to close."""


def _name(lease: Lease) -> str:
    return lease.name


def _same(held: Lease, lease: Lease) -> bool:
    return (held.token, held.holder) == (lease.token, lease.holder)
